#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "compute/chunk.h"
#include "loader/loader.h"

namespace millrace {

/// The batches of a Loader, one after the other, for somebody who may keep them: each keeps the
/// slot that it lies in. Any thread may call; one at a time waits.
class BatchReader {
 public:
  struct Batch {
    std::shared_ptr<const void> slot;  ///< keeps the memory of `chunk`
    Chunk chunk;
    bool last_in_epoch = false;
  };

  /// Throws what Loader does.
  BatchReader(const LoaderSpec& spec, LoaderState start);
  ~BatchReader();
  BatchReader(const BatchReader&) = delete;
  BatchReader& operator=(const BatchReader&) = delete;

  /// Waits at most `limit` for what next() needs. Throws std::runtime_error where it would wait for
  /// ever: all slots are kept by batches, or this is a fork of the process whose threads fill them.
  bool wait_for(std::chrono::milliseconds limit);
  /// The next batch, or with `whole_chunk` all that are left of its chunk; nullopt after the last
  /// epoch and after stop(). Throws what Loader::next() does, and as wait_for().
  std::optional<Batch> next(bool whole_chunk);

  /// Behind the last batch that next() returned.
  LoaderState position() const;
  /// Samples met that cannot be read, with the reason, by their numbers.
  std::map<std::uint64_t, std::string> bad() const;
  LoaderStats stats() const { return loader_->stats(); }
  std::uint64_t batches_per_epoch() const noexcept { return loader_->batches_per_epoch(); }
  void stop() noexcept { loader_->stop(); }

 private:
  struct Slot;

  void check_can_wait() const;
  bool has_batch() const;
  bool take_chunk();

  const pid_t process_ = getpid();
  const std::uint32_t slots_;
  std::unique_ptr<Loader> loader_;
  const std::shared_ptr<std::atomic<std::uint32_t>> kept_;  ///< slots out, its own included

  mutable std::mutex mutex_;
  std::shared_ptr<const Slot> slot_;  ///< that next() takes batches from
  std::uint32_t next_ = 0;            ///< batch of it
  LoaderState position_;
  std::map<std::uint64_t, std::string> bad_;
};

}  // namespace millrace
