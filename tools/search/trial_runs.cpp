#include "tools/search/trial_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "compute/cores.h"
#include "compute/cuda_engine.h"
#include "formats/hash.h"
#include "formats/mapped_file.h"
#include "tools/console/usage_error.h"
#include "tools/search/journal.h"
#include "tools/search/side_by_side.h"
#include "tools/trainer/repeat.h"
#include "tools/trainer/run_data.h"
#include "train/checkpoint_dir.h"
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

// One run of one trial, to be done.
struct Job {
  std::size_t trial = 0;  // its place among all
  RunSpec spec;
  RunKey key;
};

class Search {
 public:
  Search(const SearchOptions& search, const DataFolder& data, Console& console)
      : search_(search),
        data_(data),
        console_(console),
        score_(score_name(search.options[0].task)) {
    result_.trials = search.trials;
    if (!search.journal.empty()) journal_.emplace(search.journal);
    plan();
  }

  TrialRuns run(const std::function<bool()>& stopped);

 private:
  class Observer;

  void plan();
  void add_jobs(std::size_t trial, const RunSpec& spec, const std::string& hash);
  TrialRun train(const Job& job, const std::atomic<bool>& stop);
  void end(const Job& job, const TrialRun& run);
  void draw();
  void notice(const std::string& line);

  const SearchOptions& search_;
  const DataFolder& data_;
  Console& console_;
  const std::string score_;
  std::optional<Journal> journal_;
  std::vector<Job> jobs_;
  std::atomic<std::uint64_t> epochs_done_{0};
  std::uint64_t epochs_ = 0;
  Clock::time_point began_;

  std::mutex mutex_;  // of all below, and of console and journal
  TrialRuns result_;
  std::optional<Trial> best_;
  std::set<std::string> told_;  // notices
};

// Hears of one run.
class Search::Observer final : public TrainObserver {
 public:
  Observer(Search& search, const RunSpec& spec) : search_(search), left_(spec.epochs) {}
  ~Observer() override { search_.epochs_done_ += left_; }  // of a run that ended early
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  bool may_lag() const override { return true; }
  void on_epoch(const EpochResult&) override {
    if (left_ == 0) return;
    --left_;
    ++search_.epochs_done_;
  }
  void on_notice(const std::string& line) override { search_.notice(line); }

 private:
  Search& search_;
  std::uint64_t left_;
};

// Whatever a trial cannot do is found out before the first one trains.
void Search::plan() {
  std::optional<std::string> hash;
  for (std::size_t i = 0; i < search_.trials.size(); ++i) {
    const Options& options = search_.options[i];
    const RunSpec spec =
        with_validation(options, data_, [this](const auto& line) { notice(line); });
    try {
      make_plan(spec, *data_.train, nullptr);
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("trial {} ({}): {}", i + 1,
                                   describe(search_.axes, search_.trials[i].values), error.what()));
    }
    if (!spec.validation && spec.validation_size == 0 && spec.fold.count == 0) {
      throw UsageError("--val-size: expected validation samples to judge trials by, found none");
    }
    if (journal_ && !hash) hash = hash_of(options, spec, data_);
    add_jobs(i, spec, hash.value_or(""));
  }
}

void Search::add_jobs(std::size_t trial, const RunSpec& spec, const std::string& hash) {
  const Options& options = search_.options[trial];
  for (std::uint64_t i = 0; i < options.repeat; ++i) {
    Job job{trial, spec_of_run(spec, i), {}};
    // Files are written by the run that follows, of the best one.
    job.spec.checkpoint_dir.clear();
    job.spec.checkpoint_every = 0;
    job.spec.resume = false;
    ++result_.wanted;
    if (journal_) {
      job.key = {hash, deciding(options.given)};
      if (const auto run = journal_->find(job.key, named_run(job.spec))) {
        result_.trials[trial].runs.push_back(*run);
        ++result_.from_journal;
        continue;
      }
    }
    epochs_ += spec.epochs;
    jobs_.push_back(std::move(job));
  }
  const Trial& known = result_.trials[trial];
  if (known.runs.size() == options.repeat) {
    const std::vector<Trial> both{known, best_.value_or(known)};
    best_ = ranked(both).front();
  }
}

TrialRuns Search::run(const std::function<bool()>& stopped) {
  const Device& device = search_.options[0].run.device;
  result_.shares =
      shares_of(search_.parallel, device.threads, jobs_.size(), available_cores(), on_gpu(device));
  began_ = Clock::now();
  std::atomic<bool> stop{false};
  side_by_side(
      jobs_.size(), result_.shares.at_once, stop,
      [&](std::uint64_t i) {
        const Job& job = jobs_[static_cast<std::size_t>(i)];
        const TrialRun run = train(job, stop);
        if (run.weights_hash.empty() && run.diverged.empty()) return;  // stopped
        end(job, run);
      },
      [&] {
        if (stopped()) stop = true;
        draw();
      });
  console_.clear_progress();
  for (Trial& trial : result_.trials) {
    std::ranges::sort(trial.runs, {},
                      [](const TrialRun& run) { return std::pair(run.seed, run.fold); });
  }
  result_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  return std::move(result_);
}

// One that was stopped has no hash.
TrialRun Search::train(const Job& job, const std::atomic<bool>& stop) {
  RunSpec spec = job.spec;
  spec.device.threads = result_.shares.threads;
  if (spec.workers == 0 && result_.shares.at_once > 1) spec.workers = 1;
  Observer observer(*this, spec);
  try {
    Trainer trainer(spec, data_.train, nullptr, {&observer});
    const RunResult result = trainer.fit(stop);
    return result.stopped ? TrialRun{} : trial_run(spec, result);
  } catch (const DivergedError& error) {
    return diverged_run(spec, error.what());
  }
}

void Search::end(const Job& job, const TrialRun& run) {
  const std::lock_guard lock(mutex_);
  ++result_.runs;
  if (journal_) {
    journal_->add(job.key, run);
    if (!journal_->error().empty() && !std::exchange(result_.journal_lost, true)) {
      console_.warning(journal_->error() + "; the search goes on without a journal");
    }
  }
  Trial& trial = result_.trials[job.trial];
  trial.runs.push_back(run);
  if (trial.runs.size() < search_.options[job.trial].repeat) return;
  std::string line = fmt::format("Trial {}: ", trial.number);
  if (trial.diverged()) {
    line += "diverged";
  } else {
    line += fmt::format("{} {:.4f}", score_, trial.score());
  }
  const std::vector<Trial> both{trial, best_.value_or(trial)};
  const bool best = ranked(both).front().number == trial.number && !trial.diverged();
  if (best) best_ = trial;
  console_.line(
      fmt::format("{}{}  {}", line, best ? " *" : "", describe(search_.axes, trial.values)));
}

void Search::draw() {
  const std::lock_guard lock(mutex_);
  const auto done = static_cast<double>(epochs_done_.load());
  Bar bar;
  bar.label = "Search";
  bar.share = epochs_ == 0 ? 1.0 : done / static_cast<double>(epochs_);
  if (bar.share > 0.0) {
    const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    bar.details.push_back(render_duration(seconds * (1.0 - bar.share) / bar.share) + " left");
  }
  bar.details.push_back(
      fmt::format("{} of {} runs", result_.from_journal + result_.runs, result_.wanted));
  if (best_) bar.details.push_back(fmt::format("best {} {:.4f}", score_, best_->score()));
  console_.progress(bar);
}

// Each run says the same.
void Search::notice(const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (told_.insert(line).second) console_.notice(line);
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

TrialRuns run_trials(const SearchOptions& search, const DataFolder& data, Console& console,
                     const std::function<bool()>& stopped) {
  return Search(search, data, console).run(stopped);
}

std::string score_name(Task task) { return task == Task::kRegression ? "val_r2" : "val_acc"; }

}  // namespace millrace
