#include "compute/cuda/device_timeline.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "compute/stage.h"
#include "tests/compute/cuda/fake_runtime.h"

namespace millrace::cuda {
namespace {

using test::FakeDevice;
using test::FakeRuntime;
using Queue = DeviceTimeline::Queue;

EngineStats added(const std::vector<Interval>& copies, const std::vector<Interval>& steps,
                  double last_end = -1.0) {
  EngineStats stats;
  add_up(copies, steps, last_end, stats);
  return stats;
}

TEST(DeviceTimes, HiddenIsWhatOverlapsAStep) {
  EXPECT_EQ(added({{0, 2}}, {{2, 5}}).hidden, 0.0);
  EXPECT_EQ(added({{0, 2}}, {{1, 5}}).hidden, 1.0);
  EXPECT_EQ(added({{2, 3}}, {{1, 5}}).hidden, 1.0);
  EXPECT_EQ(added({{0, 9}}, {{1, 2}, {3, 5}, {8, 20}}).hidden, 4.0);
  const auto stats = added({{0, 2}, {3, 4}, {4, 7}}, {{1, 5}, {6, 8}});
  EXPECT_EQ(stats.copying, 6.0);
  EXPECT_EQ(stats.hidden, 1.0 + 1.0 + 1.0 + 1.0);
  EXPECT_EQ(stats.busy, 6.0);
  EXPECT_EQ(stats.idle, 1.0);
}

TEST(DeviceTimes, IdleIsBetweenSteps) {
  EXPECT_EQ(added({}, {{5, 6}}).idle, 0.0);
  EXPECT_EQ(added({}, {{5, 6}}, 3.0).idle, 2.0);
  EXPECT_EQ(added({}, {{5, 6}, {6, 7}, {10, 11}}, 5.0).idle, 3.0);
}

struct Heard final : StageListener {
  void begin(Stage, std::uint64_t) noexcept override {}
  void end(Stage) noexcept override {}
  void on_device(const char* queue, Stage stage, Clock::time_point begin,
                 Clock::time_point end) noexcept override {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(end - begin).count();
    lines.push_back(std::string(queue) + " " + name_of(stage) + " " + std::to_string(us));
    if (end < last) ordered = false;
    last = begin;
  }
  std::vector<std::string> lines;
  Clock::time_point last;
  bool ordered = true;
};

class Timeline : public testing::Test {
 protected:
  void work(Queue queue, int tasks) {
    timeline_.begin(queue);
    for (int i = 0; i < tasks; ++i) {
      runtime_.fill_zero(memory_.data(), 4, queue == Queue::kCopy ? copy_.get() : compute_.get());
    }
    timeline_.end(queue);
  }

  std::shared_ptr<FakeDevice> device_ = std::make_shared<FakeDevice>();
  FakeRuntime runtime_{device_};
  Stream copy_{runtime_, runtime_.create_stream("copy")};
  Stream compute_{runtime_, runtime_.create_stream("compute")};
  DeviceBuffer memory_ = device_buffer(runtime_, 4, "memory");
  DeviceTimeline timeline_{runtime_, copy_.get(), compute_.get()};
};

TEST_F(Timeline, TellsWhatRanAndAddsItUp) {
  Heard heard;
  const StageListening listening(heard);
  timeline_.collect();
  work(Queue::kCopy, 2);
  work(Queue::kCompute, 3);
  runtime_.fill_zero(memory_.data(), 4, compute_.get());  // of nobody: idle
  work(Queue::kCompute, 4);
  runtime_.synchronize(compute_.get());
  timeline_.collect();
  EXPECT_EQ(heard.lines,
            (std::vector<std::string>{"copy copy 2", "compute compute 3", "compute compute 4"}));
  for (int i = 0; i < 5; ++i) runtime_.fill_zero(memory_.data(), 4, compute_.get());
  work(Queue::kCompute, 1);
  runtime_.synchronize(compute_.get());
  timeline_.collect();
  EXPECT_EQ(heard.lines.back(), "compute compute 1");
  EXPECT_TRUE(heard.ordered);
  const EngineStats& stats = timeline_.stats();
  EXPECT_NEAR(stats.busy, 8e-6, 1e-12);
  EXPECT_NEAR(stats.idle, 6e-6, 1e-12);
  EXPECT_NEAR(stats.copying, 2e-6, 1e-12);
  EXPECT_EQ(stats.hidden, 0.0);
}

TEST_F(Timeline, NeedsBoundedEventsAndMissesNoWork) {
  const int live = device_->live;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 2000; ++i) work(Queue::kCompute, 1);
    runtime_.synchronize(compute_.get());
    timeline_.collect();
  }
  EXPECT_EQ(device_->live - live, 2 * static_cast<int>(DeviceTimeline::kMost));
  EXPECT_NEAR(timeline_.stats().busy, 4000e-6, 1e-9);
}

}  // namespace
}  // namespace millrace::cuda
