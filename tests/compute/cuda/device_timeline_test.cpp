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
using test::Schedule;
using Queue = DeviceTimeline::Queue;

Interval step(double begin, double end) { return {begin, end, true}; }
Interval evaluation(double begin, double end) { return {begin, end, false}; }

EngineStats added(const std::vector<Interval>& copies, const std::vector<Interval>& steps) {
  DeviceTimes times;
  times.add(copies, steps);
  return times.stats();
}

TEST(DeviceTimes, HiddenIsWhatOverlapsAStep) {
  EXPECT_EQ(added({{0, 2}}, {step(2, 5)}).hidden, 0.0);
  EXPECT_EQ(added({{0, 2}}, {step(1, 5)}).hidden, 1.0);
  EXPECT_EQ(added({{2, 3}}, {step(1, 5)}).hidden, 1.0);
  EXPECT_EQ(added({{0, 9}}, {step(1, 2), step(3, 5), step(8, 20)}).hidden, 4.0);
  const auto stats = added({{0, 2}, {3, 4}, {4, 7}}, {step(1, 5), step(6, 8)});
  EXPECT_EQ(stats.copying, 6.0);
  EXPECT_EQ(stats.hidden, 1.0 + 1.0 + 1.0 + 1.0);
  EXPECT_EQ(stats.busy, 6.0);
  EXPECT_EQ(stats.idle, 1.0);
}

TEST(DeviceTimes, ACopyIsHiddenBehindWhatWasAddedBeforeIt) {
  DeviceTimes times;
  const std::vector<Interval> first{{0, 1}};
  const std::vector<Interval> second{{3, 6}};
  const std::vector<Interval> steps{step(1, 4), evaluation(5, 9)};
  times.add(first, steps);
  times.add(second, std::vector{step(9, 11)});
  EXPECT_EQ(times.stats().copying, 4.0);
  EXPECT_EQ(times.stats().hidden, 1.0 + 1.0);
}

TEST(DeviceTimes, IdleIsBetweenSteps) {
  EXPECT_EQ(added({}, {step(5, 6)}).idle, 0.0);
  EXPECT_EQ(added({}, {step(5, 6), step(6, 7), step(10, 11)}).idle, 3.0);
  DeviceTimes times;
  times.add({}, std::vector{step(1, 3)});
  times.add({}, std::vector{step(5, 6)});
  EXPECT_EQ(times.stats().idle, 2.0);
}

TEST(DeviceTimes, NothingCountsBeforeTheFirstTrainingStepNorAfterTheLast) {
  DeviceTimes times;
  const std::vector<Interval> copy{{2, 3}};
  times.add(copy, std::vector{evaluation(3, 4)});
  EXPECT_EQ(times.stats().busy + times.stats().idle + times.stats().copying, 0.0);
  times.add({}, std::vector{evaluation(5, 6), step(8, 10), evaluation(11, 12)});
  EXPECT_EQ(times.stats().busy, 2.0);
  EXPECT_EQ(times.stats().idle, 0.0);
  times.add(std::vector<Interval>{{12, 13}}, std::vector{evaluation(14, 15)});
  EXPECT_EQ(times.stats().busy + times.stats().idle + times.stats().copying, 2.0);
  // It was not the last.
  times.add({}, std::vector{step(16, 18)});
  EXPECT_EQ(times.stats().busy, 2.0 + 1.0 + 1.0 + 2.0);
  EXPECT_EQ(times.stats().idle, 1.0 + 2.0 + 1.0);
  EXPECT_EQ(times.stats().copying, 1.0);
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
    timeline_.begin(queue, true);
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
  timeline_.collect(timeline_.mark());
  work(Queue::kCopy, 2);
  work(Queue::kCompute, 3);
  runtime_.fill_zero(memory_.data(), 4, compute_.get());  // of nobody: idle
  work(Queue::kCompute, 4);
  runtime_.synchronize(compute_.get());
  timeline_.collect(timeline_.mark());
  EXPECT_EQ(heard.lines,
            (std::vector<std::string>{"copy copy 2", "compute compute 3", "compute compute 4"}));
  for (int i = 0; i < 5; ++i) runtime_.fill_zero(memory_.data(), 4, compute_.get());
  work(Queue::kCompute, 1);
  runtime_.synchronize(compute_.get());
  timeline_.collect(timeline_.mark());
  EXPECT_EQ(heard.lines.back(), "compute compute 1");
  EXPECT_TRUE(heard.ordered);
  const EngineStats& stats = timeline_.stats();
  EXPECT_NEAR(stats.busy, 8e-6, 1e-12);
  EXPECT_NEAR(stats.idle, 6e-6, 1e-12);
  EXPECT_NEAR(stats.copying, 2e-6, 1e-12);
  EXPECT_EQ(stats.hidden, 0.0);
}

TEST_F(Timeline, CollectsUpToAMarkWhileMoreIsUnderWay) {
  device_->schedule = Schedule::kLate;
  Event reached = timeline_.timing_event();
  work(Queue::kCopy, 1);
  work(Queue::kCompute, 2);
  runtime_.record(reached.get(), compute_.get());
  const auto mark = timeline_.mark();
  work(Queue::kCopy, 5);
  work(Queue::kCompute, 3);
  const auto everything = timeline_.mark();
  runtime_.synchronize(copy_.get());
  runtime_.synchronize(reached.get());
  timeline_.collect(mark);  // throws where it looks at what was not reached
  EXPECT_NEAR(timeline_.stats().busy, 2e-6, 1e-12);
  EXPECT_NEAR(timeline_.stats().copying, 1e-6, 1e-12);
  runtime_.synchronize(compute_.get());
  timeline_.collect(mark);
  EXPECT_NEAR(timeline_.stats().busy, 2e-6, 1e-12);
  timeline_.collect(everything);
  EXPECT_NEAR(timeline_.stats().busy, 5e-6, 1e-12);
  EXPECT_NEAR(timeline_.stats().copying, 6e-6, 1e-12);
}

TEST_F(Timeline, WhatIsBeyondTheMostNeverReachesBackOverAMark) {
  device_->schedule = Schedule::kLate;
  const auto most = static_cast<int>(DeviceTimeline::kMost);
  for (int i = 0; i < most; ++i) work(Queue::kCompute, 1);
  Event reached = timeline_.timing_event();
  runtime_.record(reached.get(), compute_.get());
  const auto mark = timeline_.mark();
  for (int i = 0; i < 2 * most; ++i) work(Queue::kCompute, 1);
  runtime_.synchronize(reached.get());
  timeline_.collect(mark);
  EXPECT_NEAR(timeline_.stats().busy, most * 1e-6, 1e-9);
  runtime_.synchronize(compute_.get());
  timeline_.collect(timeline_.mark());
  EXPECT_NEAR(timeline_.stats().busy, 3 * most * 1e-6, 1e-9);
}

TEST_F(Timeline, TellsTheHostsTimeOfAnEvent) {
  Event first = timeline_.timing_event();
  Event second = timeline_.timing_event();
  runtime_.record(first.get(), compute_.get());
  for (int i = 0; i < 7; ++i) runtime_.fill_zero(memory_.data(), 4, compute_.get());
  runtime_.record(second.get(), compute_.get());
  runtime_.synchronize(compute_.get());
  const auto us = [](auto d) { return std::chrono::duration<double, std::micro>(d).count(); };
  EXPECT_NEAR(us(timeline_.time_of(second) - timeline_.time_of(first)), 7.0, 1e-2);
  const auto now = StageListener::Clock::now();
  timeline_.set_clock(second, now);
  EXPECT_NEAR(us(timeline_.time_of(second) - now), 0.0, 1e-2);
}

TEST_F(Timeline, NeedsBoundedEventsAndMissesNoWork) {
  const int live = device_->live;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 2000; ++i) work(Queue::kCompute, 1);
    runtime_.synchronize(compute_.get());
    timeline_.collect(timeline_.mark());
  }
  EXPECT_EQ(device_->live - live, 2 * static_cast<int>(DeviceTimeline::kMost));
  EXPECT_NEAR(timeline_.stats().busy, 4000e-6, 1e-9);
}

}  // namespace
}  // namespace millrace::cuda
