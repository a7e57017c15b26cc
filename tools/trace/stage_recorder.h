#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "compute/stage.h"

namespace millrace {

/// A stage that is over. Times are nanoseconds since the recorder was made.
struct StageEvent {
  std::uint64_t begin_ns = 0;
  std::uint64_t end_ns = 0;
  std::uint64_t number = StageListener::kNoNumber;
  Stage stage = Stage::kLoad;
};

/// The events of one thread or one queue of a device. Of a thread they are in the order of their
/// ends, and nested.
struct StageTrack {
  std::string name;      ///< the thread's, "main" for the first one, or the queue's
  bool device = false;   ///< a queue of a device
  std::uint64_t id = 0;  ///< the kernel's number of the thread; of queues counted from 1
  std::vector<StageEvent> events;
};

/// Keeps what threads and devices were at, in memory that is bounded: the first `most` events of
/// each thread and queue. Recording takes no lock but for a thread's first event; tracks() may be
/// called at any time, from one thread.
class StageRecorder final : public StageListener {
 public:
  static constexpr std::size_t kMost = std::size_t{1} << 17U;

  explicit StageRecorder(std::size_t most = kMost);
  ~StageRecorder() override;

  void begin(Stage stage, std::uint64_t number) noexcept override;
  void end(Stage stage) noexcept override;
  void on_device(const char* queue, Stage stage, Clock::time_point begin,
                 Clock::time_point end) noexcept override;

  /// What is over so far: threads in the order in which they came, then queues.
  std::vector<StageTrack> tracks() const;
  /// Events that there was no room for.
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Track;

  Track* mine() noexcept;
  std::uint64_t since_start(Clock::time_point time) const noexcept;
  void add(Track& track, const StageEvent& event) noexcept;

  const std::size_t most_;
  const std::uint64_t number_;  ///< of all recorders of the process
  const Clock::time_point start_;
  std::atomic<std::uint64_t> dropped_{0};
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Track>> threads_;  // guarded by mutex_, as the next one
  std::vector<std::unique_ptr<Track>> queues_;
};

}  // namespace millrace
