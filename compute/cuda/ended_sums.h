#pragma once

#include <deque>
#include <vector>

#include "compute/cuda/device_timeline.h"
#include "compute/cuda/owned.h"
#include "compute/engine.h"

namespace millrace::cuda {

/// Sums that were ended on the device and not yet asked for, on their way to the host. Each has
/// page-locked memory and an event of its own, so that who asks for them waits for nothing that was
/// enqueued after them.
class EndedSums {
 public:
  EndedSums(Runtime& runtime, DeviceTimeline& timeline);

  bool empty() const noexcept { return arrived_.empty() && under_way_.empty(); }
  /// Enqueues on `compute` the way of `sums` (DeviceMetrics [1]) to the host, and new ones.
  void end(const DeviceBuffer& sums, StreamHandle compute);
  /// The oldest, and removes them; not where they are empty(). Waits. What was enqueued before
  /// their end is in the timeline's times afterwards.
  Metrics take();
  /// Waits for all; take() no longer does.
  void receive_all();

 private:
  struct Sums {
    PinnedBuffer memory;
    Event done;
    DeviceTimeline::Mark mark;
  };

  Sums make();
  void receive();

  Runtime& runtime_;
  DeviceTimeline& timeline_;
  std::deque<Sums> under_way_;
  std::deque<Metrics> arrived_;
  std::vector<Sums> spare_;
};

}  // namespace millrace::cuda
