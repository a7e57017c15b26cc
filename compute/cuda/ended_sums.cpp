#include "compute/cuda/ended_sums.h"

#include <chrono>
#include <utility>

#include "compute/cuda/hand_over_sums.h"

namespace millrace::cuda {
namespace {

using Clock = std::chrono::steady_clock;

// Two are under way where an epoch begins while the one before it is validated. Made at once:
// allocating page-locked memory may wait for the device.
constexpr std::size_t kReady = 2;
// A wait of this long ended when the device got there, and not before.
constexpr std::chrono::microseconds kWaited{50};

}  // namespace

EndedSums::EndedSums(Runtime& runtime, DeviceTimeline& timeline)
    : runtime_(runtime), timeline_(timeline) {
  for (std::size_t i = 0; i < kReady; ++i) spare_.push_back(make());
}

EndedSums::Sums EndedSums::make() {
  return {pinned_buffer(runtime_, sizeof(DeviceMetrics)), timeline_.timing_event(), {}};
}

void EndedSums::end(const DeviceBuffer& sums, StreamHandle compute) {
  if (spare_.empty()) spare_.push_back(make());
  Sums& ended = spare_.back();
  runtime_.launch(HandOverSums{sums.as<DeviceMetrics>(), ended.memory.as<DeviceMetrics>()},
                  compute);
  runtime_.record(ended.done.get(), compute);
  ended.mark = timeline_.mark();
  under_way_.push_back(std::move(ended));
  spare_.pop_back();
}

void EndedSums::receive() {
  Sums& oldest = under_way_.front();
  const auto before = Clock::now();
  runtime_.synchronize(oldest.done.get());
  const auto now = Clock::now();
  if (now - before > kWaited) timeline_.set_clock(oldest.done, now);
  timeline_.collect(oldest.mark);
  const auto& sums = *oldest.memory.as<const DeviceMetrics>();
  Metrics metrics;
  metrics.loss_sum = sums.loss_sum;
  metrics.correct = sums.correct;
  metrics.squared_error_sum = sums.squared_error_sum;
  metrics.squared_error_rest = sums.squared_error_rest;
  metrics.samples = sums.samples;
  metrics.steps = sums.steps;
  if (sums.nonfinite != 0) metrics.first_nonfinite_step = sums.nonfinite - 1;
  metrics.done = timeline_.time_of(oldest.done);
  arrived_.push_back(metrics);
  spare_.push_back(std::move(oldest));
  under_way_.pop_front();
}

Metrics EndedSums::take() {
  if (arrived_.empty()) receive();
  const Metrics oldest = arrived_.front();
  arrived_.pop_front();
  return oldest;
}

void EndedSums::receive_all() {
  while (!under_way_.empty()) receive();
}

}  // namespace millrace::cuda
