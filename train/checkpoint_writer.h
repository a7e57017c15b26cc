#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "compute/engine.h"
#include "formats/kept_error.h"
#include "train/checkpoint.h"

namespace millrace {

/// The files that one state of a run goes to.
struct CheckpointFiles {
  bool step = false;  ///< step-N
  bool best = false;
  bool last = false;

  bool operator==(const CheckpointFiles&) const = default;
};

/// Writes checkpoints on a thread of its own, beside training.
///
/// While one is written the next waits. A newer `last` takes the place of one that waits, as it
/// would have replaced its file; a `best` gives way to a newer best alone, and step-N to nobody. So
/// where the disk is slower than training, `last` follows at the disk's pace, and step-N files make
/// training wait. What was replaced is not looked at: a value that is not finite stays so, and
/// shows in the next.
///
/// So up to three states are in memory beside the one that is taken; where there is no room for
/// that, none.
///
/// All of it but Write is for one thread, that of the engine.
class CheckpointWriter {
 public:
  /// Writes a state's files, and returns the one that was written last. Called by the writer's
  /// thread.
  using Write = std::function<std::filesystem::path(const Checkpoint&, const CheckpointFiles&)>;
  /// Whether there is memory for one more state.
  using HasRoom = std::function<bool()>;

  /// `engine` outlives it.
  CheckpointWriter(Engine& engine, Write write, HasRoom has_room);
  /// Writes what waits, first.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Of the engine: one that is not in use any more, or a new one. While there is no room for one
  /// beside those that are written or wait, it waits for them.
  std::unique_ptr<Snapshot> spare();
  /// `snapshot` has arrived, and is of `state`. Waits where something waits that it cannot replace.
  /// After an error nothing is written any more.
  void submit(std::unique_ptr<Snapshot> snapshot, RunState state, CheckpointFiles files);
  /// Waits until there is nothing left to write.
  void finish();
  /// What Write returned since the last call.
  std::vector<std::filesystem::path> written();
  /// Throws what Write has thrown, if it has; on every call.
  void check() const;

 private:
  struct Job {
    std::unique_ptr<Snapshot> snapshot;
    RunState state;
    CheckpointFiles files;
  };

  void run();
  std::filesystem::path write(Job& job);
  bool busy() const;
  bool fits(const CheckpointFiles& files) const;
  void replace(const CheckpointFiles& by);

  Engine& engine_;
  const Write write_;
  const HasRoom has_room_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;  // one, or a best and the last after it
  bool writing_ = false;
  bool closing_ = false;
  KeptError error_;
  std::vector<std::filesystem::path> written_;
  std::vector<std::unique_ptr<Snapshot>> spare_;  // they come and go by the engine's thread
  std::thread thread_;                            // last: runs when all else is there
};

}  // namespace millrace
