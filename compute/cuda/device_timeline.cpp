#include "compute/cuda/device_timeline.h"

#include <algorithm>
#include <utility>

#include "compute/stage.h"

namespace millrace::cuda {

void DeviceTimes::add_step(const Interval& step) {
  if (!trained_ && !step.training) return;
  if (trained_) after_.idle += std::max(0.0, step.begin - last_end_);
  after_.busy += step.end - step.begin;
  last_end_ = step.end;
  if (!step.training) return;
  trained_ = true;
  stats_.busy += std::exchange(after_.busy, 0.0);
  stats_.idle += std::exchange(after_.idle, 0.0);
}

double DeviceTimes::hidden(const Interval& copy) const {
  double sum = 0.0;
  for (const Interval& step : recent_) {
    if (step.begin >= copy.end) break;
    sum += std::max(0.0, std::min(copy.end, step.end) - std::max(copy.begin, step.begin));
  }
  return sum;
}

void DeviceTimes::add(std::span<const Interval> copies, std::span<const Interval> steps) {
  for (const Interval& step : steps) add_step(step);
  recent_.insert(recent_.end(), steps.begin(), steps.end());
  for (const Interval& copy : copies) {
    std::erase_if(recent_, [&](const Interval& step) { return step.end <= copy.begin; });
    if (!trained_) continue;
    after_.copying += copy.end - copy.begin;
    after_.hidden += hidden(copy);
  }
  if (std::ranges::none_of(steps, &Interval::training)) return;
  stats_.copying += std::exchange(after_.copying, 0.0);
  stats_.hidden += std::exchange(after_.hidden, 0.0);
}

DeviceTimeline::DeviceTimeline(Runtime& runtime, StreamHandle copy, StreamHandle compute)
    : runtime_(runtime) {
  for (const auto& [queue, stream] :
       {std::pair(Queue::kCopy, copy), std::pair(Queue::kCompute, compute)}) {
    Lane& of = lane(queue);
    of.stream = stream;
    of.origin = timing_event();
    runtime_.record(of.origin.get(), stream);
    runtime_.synchronize(stream);
  }
  host_origin_ = std::chrono::steady_clock::now();
  lane(Queue::kCopy).origin_s = -runtime_.seconds_between(lane(Queue::kCopy).origin.get(),
                                                          lane(Queue::kCompute).origin.get());
}

void DeviceTimeline::begin(Queue queue, bool training) {
  Lane& to = lane(queue);
  if (to.since_mark == kMost) {
    to.ended.back().training = to.ended.back().training || training;
    return;
  }
  if (!to.begun && !to.spare.empty()) {
    to.begun = std::move(to.spare.back());
    to.spare.pop_back();
  }
  if (!to.begun) to.begun = Range{timing_event(), timing_event()};
  to.begun->training = training;
  runtime_.record(to.begun->begin.get(), to.stream);
}

void DeviceTimeline::end(Queue queue) {
  Lane& to = lane(queue);
  if (to.since_mark == kMost) return runtime_.record(to.ended.back().end.get(), to.stream);
  runtime_.record(to.begun->end.get(), to.stream);
  to.ended.push_back(std::move(*to.begun));
  to.begun.reset();
  ++to.since_mark;
}

DeviceTimeline::Mark DeviceTimeline::mark() {
  Mark mark;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    mark.ranges[i] = lanes_[i].collected + lanes_[i].ended.size();
    lanes_[i].since_mark = 0;
  }
  return mark;
}

std::chrono::steady_clock::time_point DeviceTimeline::at(double seconds) const {
  return host_origin_ + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                            std::chrono::duration<double>(seconds));
}

double DeviceTimeline::seconds_at(const Lane& lane, const Event& event) const {
  return lane.origin_s + runtime_.seconds_between(lane.origin.get(), event.get());
}

std::chrono::steady_clock::time_point DeviceTimeline::time_of(const Event& event) {
  return at(seconds_at(lane(Queue::kCompute), event));
}

void DeviceTimeline::set_clock(const Event& event, std::chrono::steady_clock::time_point now) {
  host_origin_ += now - time_of(event);
}

std::vector<Interval> DeviceTimeline::read(Lane& lane, std::uint64_t until, const char* name,
                                           Stage stage) {
  std::vector<Interval> intervals;
  while (lane.collected + intervals.size() < until) {
    const Range& range = lane.ended[intervals.size()];
    const double begin = seconds_at(lane, range.begin);
    const double end = seconds_at(lane, range.end);
    intervals.push_back({begin, end, range.training});
    tell_device_stage(name, stage, at(begin), at(end));
  }
  if (intervals.empty()) return intervals;
  std::swap(lane.origin, lane.ended[intervals.size() - 1].end);
  lane.origin_s = intervals.back().end;
  lane.collected += intervals.size();
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    lane.spare.push_back(std::move(lane.ended.front()));
    lane.ended.pop_front();
  }
  return intervals;
}

// Times are counted from the last end that was read: elapsed times come as floats, which have no
// room for microseconds in a long run.
void DeviceTimeline::collect(const Mark& mark) {
  Lane& copy = lane(Queue::kCopy);
  Lane& compute = lane(Queue::kCompute);
  const auto [copies_until, steps_until] = mark.ranges;
  if (steps_until <= compute.collected) return;  // whatever is copied is computed on
  const auto copies = read(copy, copies_until, "copy", Stage::kCopy);
  const auto steps = read(compute, steps_until, "compute", Stage::kCompute);
  // One clock for both.
  copy.origin_s =
      compute.origin_s - runtime_.seconds_between(copy.origin.get(), compute.origin.get());
  times_.add(copies, steps);
}

}  // namespace millrace::cuda
