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
#include "loader/in_memory.h"
#include "tools/console/usage_error.h"
#include "tools/search/halving.h"
#include "tools/search/journal.h"
#include "tools/search/side_by_side.h"
#include "tools/trainer/repeat.h"
#include "tools/trainer/run_data.h"
#include "train/checkpoint_dir.h"
#include "train/free_memory.h"
#include "train/model_memory.h"
#include "train/placement.h"
#include "train/plan.h"
#include "train/streaming.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;

bool on_gpu(const Device& device) {
  return device.kind == Device::Kind::kCuda ||
         (device.kind == Device::Kind::kAuto && cuda_obstacle().empty());
}

// All that a trial's result depends on but its options: samples, outputs, the order of a stream,
// first weights.
std::string hash_of(const Options& options, const RunSpec& spec, const DataFolder& data) {
  const Dataset& train = *data.train;
  const std::uint64_t window = stream_window(spec, train, std::nullopt);
  std::string hash = training_hash(train, window, spec.on_bad);
  hash += fmt::format("/{}", train.targets() != 0 ? train.targets() : train.classes());
  if (window != 0) hash += fmt::format("/stream {}", window);
  if (spec.validation) hash += '+' + training_hash(*spec.validation, 0, spec.on_bad);
  if (!options.run.init.empty()) {
    hash += '+' + hash_hex(MappedFile(checkpoint_meant(options.run.init)).bytes());
  }
  return hash;
}

// Read once, and not by each trial again.
DataFolder shared(const SearchOptions& search, const DataFolder& data) {
  const RunSpec& run = search.options[0].run;
  const bool resident = run.residency == Residency::kAuto || run.residency == Residency::kResident;
  DataFolder kept = data;
  for (auto* set : {&kept.train, &kept.validation}) {
    if (*set == nullptr || !resident || run.on_bad != OnBad::kFail) continue;
    const bool fits = !obstacle_to_residency(**set, input_type_for((*set)->dtype()));
    if (fits && stream_window(run, **set, std::nullopt) == 0) *set = in_memory(*set);
  }
  return kept;
}

// What a trial takes, in bytes, beside its data.
struct Memory {
  std::uint64_t training = 0;
  std::uint64_t state = 0;  // that it is left with
};

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
        data_(shared(search, data)),
        listener_(listener),
        on_gpu_(on_gpu(search.options[0].run.device)),
        repeat_(search.options[0].repeat),
        room_(memory_at_hand()) {
    result_.trials = search.trials;
    if (!search.journal.empty()) journal_.emplace(search.journal);
    plan();
  }

  TrialRuns run(const std::function<bool()>& stopped);

 private:
  using State = std::shared_ptr<const Checkpoint>;

  static constexpr std::uint64_t kShareOfStates = 4;  // of the memory that is free

  void plan();
  Memory memory_of(const RunSpec& spec) const;
  Shares shares_for(const std::vector<Job>& jobs) const;
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
  const DataFolder data_;
  SearchListener& listener_;
  // Of all trials: neither can be varied.
  const bool on_gpu_;
  const std::uint64_t repeat_;  // runs of each
  const std::uint64_t room_;    // bytes of memory, when it began
  std::vector<Rung> rungs_;
  std::string hash_;                // of the data; empty without a journal
  std::vector<RunSpec> specs_;      // of the trials, seed or fold aside
  std::vector<Memory> memory_;      // of the trials
  std::vector<std::size_t> alive_;  // places of the trials that go on
  Shares at_once_;                  // in this rung

  std::mutex mutex_;  // of all below
  TrialRuns result_;
  std::optional<Journal> journal_;
  std::vector<std::vector<TrialRun>> pending_;                     // of a trial's runs in this rung
  std::map<std::pair<std::size_t, std::uint64_t>, State> states_;  // of trial and run
  std::uint64_t state_bytes_ = 0;                                  // of all of them
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
    memory_.emplace_back();
    try {
      memory_.back() = memory_of(spec);
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
  if (search_.halving != 0 && rungs_.size() == 1) {
    listener_.notice(
        fmt::format("--halving {0} gives up nothing: that takes {0} trials and {0} epochs at least",
                    search_.halving));
  }
  for (const Rung& rung : rungs_) result_.wanted += rung.trials * repeat_;
}

// Throws std::invalid_argument where the trial cannot run.
Memory Search::memory_of(const RunSpec& spec) const {
  const RunPlan plan = make_plan(spec, *data_.train, nullptr);
  const std::uint32_t threads = on_gpu_ ? 0 : std::max(1U, spec.device.threads);
  check_memory(plan.model, plan.train, threads, room_);
  return {least_memory(plan.model, plan.train, threads), state_bytes(plan.model, spec.optimizer)};
}

// As many runs at once as there is memory for.
Shares Search::shares_for(const std::vector<Job>& jobs) const {
  std::uint64_t largest = 1;
  for (const Job& job : jobs) largest = std::max(largest, memory_[job.trial].training);
  const Device& device = search_.options[0].run.device;
  const std::uint64_t fit =
      std::clamp<std::uint64_t>(memory_at_hand() / largest, 1, jobs.size() + 1);
  const std::uint64_t runs = std::min<std::uint64_t>(jobs.size(), fit);
  return shares_of(search_.parallel, device.threads, runs, available_cores(), on_gpu_);
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
    RunKey key{hash_, {}, rung + 1 == rungs_.size() ? 0 : rungs_[rung].epochs};
    if (journal_) {
      key.options = deciding(search_.options[trial].given);
      key.options["--device"] = on_gpu_ ? "cuda" : "cpu";
    }
    for (std::uint64_t i = 0; i < repeat_; ++i) {
      Job job{trial, i, key.until, key};
      if (journal_) {
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
  const Shares shares = shares_for(jobs);
  if (rung == 0) result_.shares = shares;
  at_once_ = shares;
  side_by_side(
      jobs.size(), shares.at_once, stop,
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
    const std::size_t trial = entry.first.first;
    const bool given_up = !std::ranges::binary_search(alive_, trial);
    if (given_up) state_bytes_ -= memory_[trial].state;
    return given_up;
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
  spec.device.most_threads = at_once_.threads;
  if (spec.workers == 0 && at_once_.at_once > 1) spec.workers = 1;
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

// Where the run stands. Whoever asks takes it, for nobody needs it twice. Null: it begins anew.
Search::State Search::state_of(const Job& job) {
  const std::lock_guard lock(mutex_);
  const auto found = states_.find({job.trial, job.run});
  if (found == states_.end()) return nullptr;
  State state = std::move(found->second);
  states_.erase(found);
  state_bytes_ -= memory_[job.trial].state;
  return state;
}

// Where there is no room for it, the run is trained from the beginning again if it goes on.
void Search::keep(const Job& job, Trainer& trainer) {
  const std::uint64_t bytes = memory_[job.trial].state;
  {
    const std::lock_guard lock(mutex_);
    if (state_bytes_ + bytes > room_ / kShareOfStates) return;
    state_bytes_ += bytes;
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
  if (runs.size() < repeat_) return;
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

std::string score_name(Task task) { return std::string("val_") + score_of(task); }

}  // namespace millrace
