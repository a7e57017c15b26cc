#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "compute/engine.h"
#include "loader/loader.h"
#include "train/checkpoint.h"
#include "train/observer.h"
#include "train/run_checkpoints.h"
#include "train/schedule.h"
#include "train/step_pacer.h"
#include "train/stopwatch.h"

namespace millrace {

struct EpochLoopSpec {
  std::uint64_t steps_per_epoch = 0;
  RunCheckpoints* checkpoints = nullptr;             ///< none: nothing is saved
  OptimizerSpec optimizer;                           ///< for the hint of a DivergedError
  std::optional<Schedule> schedule;                  ///< none: the engine's own learning rate
  std::function<void(const Progress&)> on_progress;  ///< at most 20 times a second
  /// Samples of the chunk that comes next for which others stand in.
  std::function<void(std::span<const BadPlace>)> on_bad;
};

/// Feeds training chunks to the engine and keeps a RunState in step with it.
class EpochLoop {
 public:
  /// `start` is where the state of the first run() will stand. `engine` and the checkpoints outlive
  /// the loop.
  EpochLoop(EpochLoopSpec spec, Engine& engine, const LoaderSpec& loader, LoaderState start);

  /// Trains the steps of state.epoch from state.batch on. Afterwards the state has them, and the
  /// engine's sums are ended, which settle() is to fetch; when a hook is called the state has their
  /// sums too. True when the epoch is complete, false if `stop` was set before. Throws
  /// DivergedError, what the loader throws and what the hooks and the checkpoints throw.
  ///
  /// The step-N that are due are saved, but for the one at an epoch's last step; and where the
  /// engine stands in the end is taken (RunCheckpoints::take), whether complete or not.
  ///
  /// `owed`, if any, is what is left to do of the epoch before, settle() for instance. It is called
  /// once: when the engine has so many chunks that it will not notice, and at the latest before a
  /// hook is called or a checkpoint taken, and before this returns or throws. What is left to do of
  /// a checkpoint in mid-epoch is owed in the same way.
  bool run(RunState& state, const std::atomic<bool>& stop, std::function<void()> owed = {});

  struct Settled {
    std::chrono::steady_clock::time_point done;  ///< when the last step was
    double paused_s = 0.0;                       ///< of that run(): checkpoints stopped the engine
  };
  /// Waits for the steps of the last run() that returned, and adds what is missing to `sums`. To be
  /// called once for each, before the engine is asked for other metrics. Throws DivergedError.
  Settled settle(EpochSums& sums);

  /// Of all run() together.
  std::uint64_t samples() const noexcept { return samples_; }
  LoaderStats loader_stats() const { return loader_.stats(); }

 private:
  // Steps whose sums settle() fetches.
  struct Ended {
    std::uint64_t epoch = 0;
    std::uint64_t first_step = 0;
    double paused_s = 0.0;
  };

  bool train(RunState& state, const std::atomic<bool>& stop);
  bool run_chunk(const Chunk& chunk, RunState& state, const std::atomic<bool>& stop);
  void pay();
  Metrics fetch(std::uint64_t first_step, std::uint64_t epoch, EpochSums& sums);
  void begin_checkpoint(RunState& state);
  template <class Work>
  void pause(const Work& work);
  void drain(RunState& state);
  void report(const RunState& state);
  void begin_lap();

  EpochLoopSpec spec_;
  Engine& engine_;
  Loader loader_;
  StepPacer pacer_;
  Stopwatch clock_;   // without paused_
  Stopwatch paused_;  // saving, of an engine that does not run ahead
  const bool runs_ahead_;
  std::function<void()> owed_;
  std::uint32_t chunks_ = 0;  // handed over since then
  Ended ended_;
  std::chrono::steady_clock::time_point last_drain_;
  std::uint64_t drained_step_ = 0;
  std::chrono::steady_clock::time_point lap_start_;  // of the shares in a Progress
  LoaderStats lap_stats_;
  std::vector<float> rates_;  // of a slice of a chunk
  std::uint64_t samples_ = 0;
  std::uint64_t epoch_samples_ = 0;  // of this run(): less than state.sums.samples after a resume
};

}  // namespace millrace
