#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "compute/engine.h"
#include "compute/spec.h"
#include "train/checkpoint.h"
#include "train/checkpoint_dir.h"
#include "train/checkpoint_writer.h"
#include "train/stopwatch.h"

namespace millrace {

struct RunCheckpointsSpec {
  std::uint64_t every = 0;  ///< steps of the run between step-N; 0: none
  std::uint64_t steps_per_epoch = 0;
  OptimizerSpec optimizer;        ///< for the hint of a DivergedError
  std::uint64_t state_bytes = 0;  ///< of parameters and optimizer state
  /// A checkpoint is there. By the thread that calls.
  std::function<void(const std::filesystem::path&)> on_checkpoint;
  /// Before a state is handed over to be written; may throw. By the thread that calls.
  std::function<void()> before_save = [] {};
};

/// The checkpoints of a run: which files are due when. A state is taken in the order of the
/// engine's work, where it is the state; it is saved when what it leads to is known; and it is
/// checked and written beside training.
///
/// What goes wrong in that comes out of whatever is called next: DataError where a file cannot be
/// written, and DivergedError where a value is not finite, with which nothing is replaced.
class RunCheckpoints {
 public:
  /// `folder` and `engine` outlive it.
  RunCheckpoints(const CheckpointDir& folder, Engine& engine, RunCheckpointsSpec spec);

  /// Steps after `step` until step-N is due, at least 1; `most` if that is fewer.
  std::uint32_t steps_until_due(std::uint64_t step, std::uint32_t most) const;
  bool due(std::uint64_t step) const { return spec_.every != 0 && step % spec_.every == 0; }

  /// The engine's state, as after all that was enqueued so far. Does not wait for the engine. What
  /// was taken before and not saved is forgotten.
  void take();
  /// Each is of what was taken last, which `state` goes with, and waits for the engine to get
  /// there. step-N in mid-epoch:
  void save_step(RunState state);
  /// At the end of an epoch, which is the last of the history: last, best where it is, and step-N
  /// where that is due.
  void save_epoch(RunState state);
  /// Where a run is stopped: last, unless it was that already.
  void save_stopped(RunState state);
  /// Tells what was written meanwhile.
  void look();
  /// Waits until all is written.
  void finish();

  /// That was written and told; empty if none.
  const std::filesystem::path& newest() const noexcept { return newest_; }
  /// Seconds that the calling thread spent here.
  double waited_s() const noexcept { return waited_.total(); }

 private:
  void save(RunState state, CheckpointFiles files);

  const RunCheckpointsSpec spec_;
  std::unique_ptr<Snapshot> taken_;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> saved_last_;  // epoch and step
  std::filesystem::path newest_;
  Stopwatch waited_;
  CheckpointWriter writer_;
};

}  // namespace millrace
