#include "compute/cuda/ended_sums.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "compute/cuda/sums.h"
#include "tests/compute/cuda/fake_runtime.h"

namespace millrace::cuda {
namespace {

using test::FakeDevice;
using test::FakeRuntime;
using test::Schedule;

class EndedSumsTest : public testing::TestWithParam<Schedule> {
 protected:
  EndedSumsTest() {
    device_->schedule = GetParam();
    runtime_.fill_zero(sums_.data(), sizeof(DeviceMetrics), compute_.get());
  }

  // A row of loss `loss`, which is right; and as large is its squared error.
  void add(float loss) {
    losses_.push_back(std::make_unique<float>(loss));
    timeline_.begin(DeviceTimeline::Queue::kCompute, true);
    runtime_.copy_to_device(row_.data(), losses_.back().get(), sizeof(float), compute_.get());
    runtime_.copy_to_device(right_.data(), &one_, 1, compute_.get());
    runtime_.launch(MetricsSums{row_.as<const float>(), right_.as<const std::uint8_t>(), 1, 1,
                                sums_.as<DeviceMetrics>(), row_.as<const float>()},
                    compute_.get());
    timeline_.end(DeviceTimeline::Queue::kCompute);
  }

  std::shared_ptr<FakeDevice> device_ = std::make_shared<FakeDevice>();
  FakeRuntime runtime_{device_};
  Stream copy_{runtime_, runtime_.create_stream("copy")};
  Stream compute_{runtime_, runtime_.create_stream("compute")};
  std::vector<std::unique_ptr<float>> losses_;
  std::uint8_t one_ = 1;
  DeviceBuffer row_ = device_buffer(runtime_, sizeof(float), "a loss");
  DeviceBuffer right_ = device_buffer(runtime_, 1, "a judgement");
  DeviceBuffer sums_ = device_buffer(runtime_, sizeof(DeviceMetrics), "sums");
  DeviceTimeline timeline_{runtime_, copy_.get(), compute_.get()};
  EndedSums ended_{runtime_, timeline_};
};

TEST_P(EndedSumsTest, ComeInTheOrderInWhichTheyWereEnded) {
  EXPECT_TRUE(ended_.empty());
  for (int i = 0; i < 4; ++i) {
    for (int n = 0; n <= i; ++n) add(static_cast<float>(1 << i));
    ended_.end(sums_, compute_.get());
  }
  add(100.0F);
  Metrics last;
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(ended_.empty());
    const Metrics metrics = ended_.take();
    EXPECT_EQ(metrics.loss_sum, (1 << i) * (i + 1));
    EXPECT_EQ(metrics.steps, static_cast<std::uint64_t>(i + 1));
    EXPECT_EQ(metrics.correct, metrics.samples);
    EXPECT_EQ(metrics.squared_error_sum, metrics.loss_sum);
    EXPECT_EQ(metrics.first_nonfinite_step, std::nullopt);
    EXPECT_TRUE(i == 0 || metrics.done > last.done);
    last = metrics;
  }
  EXPECT_TRUE(ended_.empty());
  ended_.end(sums_, compute_.get());
  EXPECT_EQ(ended_.take().loss_sum, 100.0);
}

TEST_P(EndedSumsTest, WaitForNothingThatCameAfterThem) {
  add(1.0F);
  ended_.end(sums_, compute_.get());
  add(2.0F);
  device_->event_waits = device_->stream_waits = 0;
  EXPECT_EQ(ended_.take().loss_sum, 1.0);
  EXPECT_EQ(device_->event_waits, 1);
  EXPECT_EQ(device_->stream_waits, 0);
  // What came after them is still to be done where the device does all as late as it may.
  const auto* sums = sums_.as<const DeviceMetrics>();
  EXPECT_EQ(sums->steps, GetParam() == Schedule::kAtOnce ? 1U : 0U);
  EXPECT_NEAR(timeline_.stats().busy, 3e-6, 1e-9);
}

TEST_P(EndedSumsTest, AreHandedOverByOneKernelAndNoCopy) {
  runtime_.synchronize(compute_.get());
  device_->kernels = device_->done["compute"] = 0;
  ended_.end(sums_, compute_.get());
  runtime_.synchronize(compute_.get());
  EXPECT_EQ(device_->kernels, 1);
  EXPECT_EQ(device_->done["compute"], 1);
}

TEST_P(EndedSumsTest, AreReceivedTogetherWhereTheDeviceIsDone) {
  add(1.0F);
  ended_.end(sums_, compute_.get());
  add(2.0F);
  ended_.end(sums_, compute_.get());
  runtime_.synchronize(compute_.get());
  ended_.receive_all();
  timeline_.collect(timeline_.mark());
  device_->dead = true;
  EXPECT_EQ(ended_.take().loss_sum, 1.0);
  EXPECT_EQ(ended_.take().loss_sum, 2.0);
  device_->dead = false;
}

INSTANTIATE_TEST_SUITE_P(Schedules, EndedSumsTest,
                         testing::Values(Schedule::kAtOnce, Schedule::kLate));

}  // namespace
}  // namespace millrace::cuda
