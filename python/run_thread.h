#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "train/checkpoint.h"
#include "train/trainer.h"

namespace millrace {

/// What a finished run leaves behind.
struct FinishedRun {
  RunInfo info;
  RunResult result;
  Checkpoint checkpoint;
  /// Samples that could not be read, with the names of their data sets.
  std::vector<std::pair<std::string, BadSample>> bad;
};

/// A training run on a thread of its own. Who waits for it gets its events one by one, and is free
/// between them to look at something else, such as signals; the run goes on when an event is
/// handled. All members are for one other thread.
class RunThread final : TrainObserver {
 public:
  /// A notice, or an epoch's numbers.
  using Event = std::variant<std::string, EpochResult>;

  struct Options {
    /// Else there are no events of epochs, and a device need not wait between them.
    bool tells_epochs = false;
    bool replaces = false;  ///< checkpoints of another run; else it throws UsageError
  };

  RunThread(RunSpec spec, std::shared_ptr<const Dataset> train, std::shared_ptr<const Dataset> test,
            const Options& options);
  /// Stops the run, and waits for it.
  ~RunThread() override;
  RunThread(const RunThread&) = delete;
  RunThread& operator=(const RunThread&) = delete;

  /// Waits at most `limit` for the next event or the run's end: nullopt if there is no event. The
  /// one before it is handled.
  std::optional<Event> wait_for(std::chrono::milliseconds limit);
  bool ended() const;
  /// Has the run end soon, as Trainer::fit() does.
  void stop() noexcept { stop_ = true; }
  /// Once it has ended, what it leaves. Throws what the run has thrown.
  FinishedRun finish();

 private:
  bool may_lag() const override { return !options_.tells_epochs; }
  void on_start(const RunInfo& info) override { finished_.info = info; }
  void on_epoch(const EpochResult& epoch) override;
  void on_bad_sample(const std::string& dataset, const BadSample& sample) override {
    finished_.bad.emplace_back(dataset, sample);
  }
  void on_notice(const std::string& text) override { tell(text); }
  void run(const RunSpec& spec, const std::shared_ptr<const Dataset>& train,
           const std::shared_ptr<const Dataset>& test);
  void tell(Event event);

  const Options options_;
  std::atomic<bool> stop_ = false;
  FinishedRun finished_;
  std::exception_ptr error_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Event> event_;  // not handled yet
  bool handed_out_ = false;     // event_
  bool abandoned_ = false;      // nobody handles events any more
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace millrace
