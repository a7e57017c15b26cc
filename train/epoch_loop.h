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
#include "train/schedule.h"
#include "train/step_pacer.h"
#include "train/stopwatch.h"

namespace millrace {

struct EpochLoopSpec {
  std::uint64_t steps_per_epoch = 0;
  std::uint64_t checkpoint_every = 0;                ///< steps of the run; 0: never
  OptimizerSpec optimizer;                           ///< for the hint of a DivergedError
  std::optional<Schedule> schedule;                  ///< none: the engine's own learning rate
  std::function<void(const Progress&)> on_progress;  ///< at most 20 times a second
  /// Samples of the chunk that comes next for which others stand in.
  std::function<void(std::span<const BadPlace>)> on_bad;
  std::function<void()> on_checkpoint;  ///< at every checkpoint_every-th step but an epoch's last
};

/// Feeds training chunks to the engine and keeps a RunState in step with it.
class EpochLoop {
 public:
  /// `start` is where the state of the first run() will stand. `engine` outlives the loop.
  EpochLoop(EpochLoopSpec spec, Engine& engine, const LoaderSpec& loader, LoaderState start);

  /// Trains the steps of state.epoch from state.batch on. Afterwards the state has them, and the
  /// engine's sums are ended, which settle() is to fetch; when a hook is called the state has their
  /// sums too. True when the epoch is complete, false if `stop` was set before. Throws
  /// DivergedError, what the loader throws and what the hooks throw.
  ///
  /// `owed`, if any, is what is left to do of the epoch before, settle() for instance. It is called
  /// once: when the engine has so many chunks that it will not notice, and at the latest before a
  /// hook is called, and before this returns or throws.
  bool run(RunState& state, const std::atomic<bool>& stop, std::function<void()> owed = {});

  struct Settled {
    std::chrono::steady_clock::time_point done;  ///< when the last step was
    double paused_s = 0.0;                       ///< of that run(), inside on_checkpoint
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
  std::uint32_t steps_to_checkpoint(const RunState& state, std::uint32_t limit) const;
  void drain(RunState& state);
  void report(const RunState& state);
  void begin_lap();

  EpochLoopSpec spec_;
  Engine& engine_;
  Loader loader_;
  StepPacer pacer_;
  Stopwatch clock_;   // without paused_
  Stopwatch paused_;  // inside on_checkpoint
  std::function<void()> owed_;
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
