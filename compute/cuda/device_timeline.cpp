#include "compute/cuda/device_timeline.h"

#include <algorithm>
#include <utility>

#include "compute/stage.h"

namespace millrace::cuda {

void add_up(std::span<const Interval> copies, std::span<const Interval> steps, double& last_end,
            EngineStats& stats) {
  for (const Interval& step : steps) {
    stats.busy += step.end - step.begin;
    if (last_end >= 0.0) stats.idle += std::max(0.0, step.begin - last_end);
    last_end = step.end;
  }
  std::size_t first = 0;  // that may still meet a copy
  for (const Interval& copy : copies) {
    stats.copying += copy.end - copy.begin;
    while (first < steps.size() && steps[first].end <= copy.begin) ++first;
    for (std::size_t s = first; s < steps.size() && steps[s].begin < copy.end; ++s) {
      stats.hidden += std::min(copy.end, steps[s].end) - std::max(copy.begin, steps[s].begin);
    }
  }
}

DeviceTimeline::DeviceTimeline(Runtime& runtime, StreamHandle copy, StreamHandle compute)
    : runtime_(runtime), lanes_{Lane{copy, {}, 0}, Lane{compute, {}, 0}}, origin_(timing_event()) {
  runtime_.record(origin_.get(), compute);
  runtime_.synchronize(compute);
  host_origin_ = std::chrono::steady_clock::now();
}

void DeviceTimeline::begin(Queue queue) {
  Lane& to = lane(queue);
  if (to.used == kMost) return;
  if (to.used == to.ranges.size()) to.ranges.push_back({timing_event(), timing_event()});
  runtime_.record(to.ranges[to.used].begin.get(), to.stream);
}

void DeviceTimeline::end(Queue queue) {
  Lane& to = lane(queue);
  if (to.used < kMost) ++to.used;
  runtime_.record(to.ranges[to.used - 1].end.get(), to.stream);
}

std::vector<Interval> DeviceTimeline::read(Lane& lane, const char* name, Stage stage) {
  std::vector<Interval> intervals;
  const std::size_t used = std::exchange(lane.used, 0);
  for (std::size_t i = 0; i < used; ++i) {
    const Range& range = lane.ranges[i];
    const double begin = origin_s_ + runtime_.seconds_between(origin_.get(), range.begin.get());
    const double end = origin_s_ + runtime_.seconds_between(origin_.get(), range.end.get());
    intervals.push_back({begin, end});
    const auto at = [this](double seconds) {
      return host_origin_ + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                std::chrono::duration<double>(seconds));
    };
    tell_device_stage(name, stage, at(begin), at(end));
  }
  return intervals;
}

void DeviceTimeline::collect() {
  const std::size_t computed = lane(Queue::kCompute).used;
  if (computed == 0) return;  // whatever is copied is computed on
  const auto copies = read(lane(Queue::kCopy), "copy", Stage::kCopy);
  const auto steps = read(lane(Queue::kCompute), "compute", Stage::kCompute);
  add_up(copies, steps, last_end_, stats_);
  // From here on times are counted from the last end: elapsed times come as floats, which have no
  // room for microseconds in a long run.
  origin_s_ = steps.back().end;
  std::swap(origin_, lane(Queue::kCompute).ranges[computed - 1].end);
}

}  // namespace millrace::cuda
