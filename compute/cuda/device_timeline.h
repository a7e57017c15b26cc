#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compute/cuda/owned.h"
#include "compute/engine.h"
#include "compute/stage.h"

namespace millrace::cuda {

/// Seconds on the device's clock.
struct Interval {
  double begin = 0.0;
  double end = 0.0;
};

/// Adds to `stats` what a device did: `copies` and `steps`, each in order and disjoint. Time of a
/// copy during which a step ran is hidden; time between steps is idle, from `last_end`, the end of
/// the step before these (negative: none), which becomes the end of the last.
void add_up(std::span<const Interval> copies, std::span<const Interval> steps, double& last_end,
            EngineStats& stats);

/// When copies and steps ran on a device, by events on its one clock. Ranges are recorded on the
/// way, without waiting, and read when the device is known to have done them.
class DeviceTimeline {
 public:
  enum class Queue : std::uint8_t { kCopy, kCompute };

  /// Ranges between two collect() that are told apart; those beyond become one.
  static constexpr std::size_t kMost = 512;

  /// Waits for `compute`, once, to set the clock.
  DeviceTimeline(Runtime& runtime, StreamHandle copy, StreamHandle compute);

  /// What is enqueued on the queue's stream between these is one range. One that was begun and not
  /// ended, because what it was for failed, is forgotten when the next begins.
  void begin(Queue queue);
  void end(Queue queue);
  /// To be called when all that was enqueued on both streams is done: adds it up, and tells those
  /// who listen to stages.
  void collect();
  /// Up to the last collect().
  const EngineStats& stats() const noexcept { return stats_; }

 private:
  struct Range {
    Event begin;
    Event end;
  };
  struct Lane {
    StreamHandle stream;
    std::vector<Range> ranges;  // made when first wanted, then used again
    std::size_t used = 0;
  };

  Lane& lane(Queue queue) { return lanes_[static_cast<std::size_t>(queue)]; }
  Event timing_event() { return {runtime_, runtime_.create_timing_event()}; }
  std::vector<Interval> read(Lane& lane, const char* name, Stage stage);

  Runtime& runtime_;
  std::array<Lane, 2> lanes_;
  Event origin_;  // what is recorded now is measured from it
  double origin_s_ = 0.0;
  double last_end_ = -1.0;
  std::chrono::steady_clock::time_point host_origin_;
  EngineStats stats_;
};

}  // namespace millrace::cuda
