#include "tools/search/trial_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "compute/cores.h"
#include "compute/cuda_engine.h"
#include "formats/hash.h"
#include "formats/mapped_file.h"
#include "tools/console/usage_error.h"
#include "tools/search/halving.h"
#include "tools/search/journal.h"
#include "tools/search/side_by_side.h"
#include "tools/trainer/repeat.h"
#include "tools/trainer/run_data.h"
#include "train/checkpoint_dir.h"
#include "train/free_memory.h"
#include "train/model_memory.h"
#include "train/plan.h"
#include "train/streaming.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;

bool on_gpu(const Device& device) {
  return device.kind == Device::Kind::kCuda ||
         (device.kind == Device::Kind::kAuto && cuda_obstacle().empty());
}

// All that a trial's result depends on but its options.
std::string hash_of(const Options& options, const RunSpec& spec, const DataFolder& data) {
  const std::uint64_t window = stream_window(spec, *data.train, std::nullopt);
  std::string hash = training_hash(*data.train, window, spec.on_bad);
  if (spec.validation) hash += '+' + training_hash(*spec.validation, 0, spec.on_bad);
  if (!options.run.init.empty()) {
    hash += '+' + hash_hex(MappedFile(checkpoint_meant(options.run.init)).bytes());
  }
  return hash;
}

// One run of one trial, to be trained up to a rung.
struct Job {
  std::size_t trial = 0;    // its place among all
  std::uint64_t run = 0;    // of the trial
  std::uint64_t until = 0;  // epochs; 0: to its end
  RunKey key;
};

// Hears of one run.
class Observer final : public TrainObserver {
 public:
  // The run has so many epochs left.
  Observer(SearchListener& listener, std::uint64_t epochs) : listener_(listener), left_(epochs) {}
  // It may have ended early.
  ~Observer() override { listener_.epochs_done(left_); }
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  bool may_lag() const override { return true; }
  void on_epoch(const EpochResult&) override {
    if (left_ == 0) return;
    --left_;
    listener_.epochs_done(1);
  }
  void on_notice(const std::string& line) override { listener_.notice(line); }

 private:
  SearchListener& listener_;
  std::uint64_t left_;
};

class Search {
 public:
  Search(const SearchOptions& search, const DataFolder& data, SearchListener& listener)
      : search_(search),
        data_(data),
        listener_(listener),
        room_for_states_(memory_at_hand() / kShareOfStates) {
    result_.trials = search.trials;
    if (!search.journal.empty()) journal_.emplace(search.journal);
    plan();
  }

  TrialRuns run(const std::function<bool()>& stopped);

 private:
  using State = std::shared_ptr<const Checkpoint>;

  static constexpr std::uint64_t kShareOfStates = 4;  // of the memory that is free

  void plan();
  std::uint64_t runs_of(std::size_t trial) const { return search_.options[trial].repeat; }
  std::uint64_t epochs_of(const Job& job) const;
  std::vector<Job> jobs_of(std::size_t rung);
  bool climb(std::size_t rung, std::atomic<bool>& stop, const std::function<bool()>& stopped);
  void cut(std::uint64_t left);
  RunSpec spec_of(const Job& job, const State& state) const;
  std::optional<TrialRun> train(const Job& job, const std::atomic<bool>& stop);
  State state_of(const Job& job);
  void keep(const Job& job, Trainer& trainer);
  void end(const Job& job, const TrialRun& run, std::size_t rung);
  void enter(const Job& job, const TrialRun& run, std::size_t rung, bool told);

  const SearchOptions& search_;
  const DataFolder& data_;
  SearchListener& listener_;
  std::vector<Rung> rungs_;
  std::string hash_;                // of the data; empty without a journal
  std::vector<RunSpec> specs_;      // of the trials, seed or fold aside
  std::vector<std::size_t> alive_;  // places of the trials that go on

  std::mutex mutex_;  // of all below
  TrialRuns result_;
  std::optional<Journal> journal_;
  std::vector<std::vector<TrialRun>> pending_;                     // of a trial's runs in this rung
  std::map<std::pair<std::size_t, std::uint64_t>, State> states_;  // of trial and run
  std::uint64_t room_for_states_;                                  // bytes
};

// Whatever a trial cannot do is found out before the first one trains.
void Search::plan() {
  std::string first;  // why one was left out
  std::string refused;
  for (std::size_t i = 0; i < search_.trials.size(); ++i) {
    const Options& options = search_.options[i];
    RunSpec spec =
        with_validation(options, data_, [this](const auto& line) { listener_.notice(line); });
    if (!spec.validation && spec.validation_size == 0 && spec.fold.count == 0) {
      throw UsageError("--val-size: expected validation samples to judge trials by, found none");
    }
    if (journal_ && hash_.empty()) hash_ = hash_of(options, spec, data_);
    // Files are written by the run that follows, of the best one.
    spec.checkpoint_dir.clear();
    spec.checkpoint_every = 0;
    try {
      make_plan(spec, *data_.train, nullptr);
      alive_.push_back(i);
    } catch (const std::invalid_argument& error) {
      if (refused.empty()) first = describe(search_.axes, search_.trials[i].values);
      if (refused.empty()) refused = error.what();
    }
    specs_.push_back(std::move(spec));
  }
  if (alive_.empty()) throw UsageError(refused);
  if (const std::size_t left = search_.trials.size() - alive_.size(); left != 0) {
    listener_.notice(fmt::format("{} of {} trials cannot be, and are left out: {} ({})", left,
                                 search_.trials.size(), first, refused));
  }
  rungs_ = rungs(alive_.size(), search_.options[0].run.epochs, search_.halving);
  result_.rungs = rungs_.size();
  for (const Rung& rung : rungs_) result_.wanted += rung.trials * runs_of(0);
}

std::uint64_t Search::epochs_of(const Job& job) const {
  return job.until == 0 ? specs_[job.trial].epochs : job.until;
}

TrialRuns Search::run(const std::function<bool()>& stopped) {
  const auto began = Clock::now();
  std::atomic<bool> stop{false};
  for (std::size_t i = 0; i < rungs_.size() && !alive_.empty(); ++i) {
    if (rungs_.size() > 1) {
      listener_.line(fmt::format("Rung {} of {}: {} up to epoch {}", i + 1, rungs_.size(),
                                 plural(alive_.size(), "trial"), rungs_[i].epochs));
    }
    if (!climb(i, stop, stopped)) break;
    if (i + 1 < rungs_.size()) cut(rungs_[i + 1].trials);
  }
  result_.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  return std::move(result_);
}

// What the journal does not have.
std::vector<Job> Search::jobs_of(std::size_t rung) {
  std::vector<Job> jobs;
  pending_.assign(search_.trials.size(), {});
  for (const std::size_t trial : alive_) {
    for (std::uint64_t i = 0; i < runs_of(trial); ++i) {
      Job job{trial, i, rung + 1 == rungs_.size() ? 0 : rungs_[rung].epochs, {}};
      if (journal_) {
        job.key = {hash_, deciding(search_.options[trial].given), job.until};
        job.key.options["--device"] = on_gpu(specs_[trial].device) ? "cuda" : "cpu";
        if (const auto run = journal_->find(job.key, named_run(spec_of(job, nullptr)))) {
          ++result_.from_journal;
          enter(job, *run, rung, false);
          continue;
        }
      }
      jobs.push_back(std::move(job));
    }
  }
  return jobs;
}

// False if stopped.
bool Search::climb(std::size_t rung, std::atomic<bool>& stop,
                   const std::function<bool()>& stopped) {
  const std::vector<Job> jobs = jobs_of(rung);
  std::uint64_t epochs = 0;
  for (const Job& job : jobs) {
    const auto before = states_.find({job.trial, job.run});
    epochs += epochs_of(job) - (before == states_.end() ? 0 : before->second->state.epoch);
  }
  const std::uint64_t done = result_.from_journal + result_.runs;
  listener_.begin(rungs_.size() == 1 ? "Search" : fmt::format("Rung {}", rung + 1), result_.wanted,
                  done, epochs);
  const Device& device = search_.options[0].run.device;
  result_.shares =
      shares_of(search_.parallel, device.threads, jobs.size(), available_cores(), on_gpu(device));
  side_by_side(
      jobs.size(), result_.shares.at_once, stop,
      [&](std::uint64_t i) {
        const Job& job = jobs[static_cast<std::size_t>(i)];
        if (const auto run = train(job, stop)) end(job, *run, rung);
      },
      [&] {
        if (stopped()) stop = true;
        listener_.look();
      });
  return !stop;
}

// Leaves the best, as many as go on.
void Search::cut(std::uint64_t left) {
  std::vector<Trial> trials;
  for (const std::size_t trial : alive_) trials.push_back(result_.trials[trial]);
  alive_.clear();
  for (const Trial& trial : ranked(trials)) {
    if (alive_.size() == left || trial.diverged()) break;
    alive_.push_back(static_cast<std::size_t>(trial.number - 1));
  }
  std::ranges::sort(alive_);
  std::erase_if(states_, [&](const auto& entry) {
    return !std::ranges::binary_search(alive_, entry.first.first);
  });
}

RunSpec Search::spec_of(const Job& job, const State& state) const {
  RunSpec spec = spec_of_run(specs_[job.trial], job.run);
  spec.pause_after = job.until;
  spec.resume_state = state;
  return spec;
}

// None if stopped.
std::optional<TrialRun> Search::train(const Job& job, const std::atomic<bool>& stop) {
  const State state = state_of(job);
  RunSpec spec = spec_of(job, state);
  spec.device.most_threads = result_.shares.threads;
  if (spec.workers == 0 && result_.shares.at_once > 1) spec.workers = 1;
  Observer observer(listener_, epochs_of(job) - (state ? state->state.epoch : 0));
  try {
    Trainer trainer(spec, data_.train, nullptr, {&observer});
    const RunResult result = trainer.fit(stop);
    if (result.stopped) return std::nullopt;
    if (job.until != 0) keep(job, trainer);
    return trial_run(spec, result);
  } catch (const DivergedError& error) {
    return diverged_run(spec, error.what());
  }
}

// What the run stands at, which nobody needs any more behind; null: it begins anew.
Search::State Search::state_of(const Job& job) {
  const std::lock_guard lock(mutex_);
  const auto found = states_.find({job.trial, job.run});
  if (found == states_.end()) return nullptr;
  State state = std::move(found->second);
  states_.erase(found);
  return state;
}

// Where there is no room it is trained from the beginning again if it goes on.
void Search::keep(const Job& job, Trainer& trainer) {
  const RunSpec& spec = specs_[job.trial];
  const std::uint64_t bytes =
      state_bytes(make_plan(spec, *data_.train, nullptr).model, spec.optimizer);
  {
    const std::lock_guard lock(mutex_);
    if ((states_.size() + 1) * bytes > room_for_states_) return;
  }
  auto state = std::make_shared<const Checkpoint>(trainer.checkpoint());
  const std::lock_guard lock(mutex_);
  states_[{job.trial, job.run}] = std::move(state);
}

void Search::end(const Job& job, const TrialRun& run, std::size_t rung) {
  const std::lock_guard lock(mutex_);
  ++result_.runs;
  listener_.run_done();
  if (journal_) {
    journal_->add(job.key, run);
    if (!journal_->error().empty() && !std::exchange(result_.journal_lost, true)) {
      listener_.warning(journal_->error() + "; the search goes on without a journal");
    }
  }
  enter(job, run, rung, true);
}

// What is known of a trial is replaced once all its runs have come as far.
void Search::enter(const Job& job, const TrialRun& run, std::size_t rung, bool told) {
  auto& runs = pending_[job.trial];
  runs.push_back(run);
  if (runs.size() < runs_of(job.trial)) return;
  std::ranges::sort(runs, {}, [](const TrialRun& r) { return std::pair(r.seed, r.fold); });
  Trial& trial = result_.trials[job.trial];
  trial.runs = std::move(runs);
  trial.rung = rung;
  listener_.trial_done(trial, told);
}

}  // namespace

Shares shares_of(std::uint32_t parallel, std::uint32_t threads, std::uint64_t runs,
                 std::uint32_t cores, bool on_gpu) noexcept {
  Shares shares;
  const std::uint32_t usual = on_gpu ? 1 : std::max(1U, cores / std::max(1U, threads));
  const std::uint64_t wanted = parallel != 0 ? parallel : usual;
  shares.at_once = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(runs, 1, wanted));
  shares.threads = threads != 0 ? threads : std::max(1U, cores / shares.at_once);
  return shares;
}

TrialRuns run_trials(const SearchOptions& search, const DataFolder& data, SearchListener& listener,
                     const std::function<bool()>& stopped) {
  return Search(search, data, listener).run(stopped);
}

std::string plural(std::uint64_t count, const std::string& word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string score_name(Task task) { return task == Task::kRegression ? "val_r2" : "val_acc"; }

}  // namespace millrace
