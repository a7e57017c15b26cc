// Snapshots of an engine whose device does everything as late or as early as it may.

#include "compute/cuda/device_snapshot.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "compute/cuda/device_engine.h"
#include "tests/compute/cuda/fake_runtime.h"
#include "tests/compute/engine_data.h"

namespace millrace::cuda {
namespace {

using millrace::test::Data;
using test::FakeDevice;
using test::FakeRuntime;
using test::Schedule;

struct Case {
  std::string name;
  std::function<void(Data&)> change;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  return {{"momentum", [](Data&) {}},
          {"plain", [](Data& d) { d.train.optimizer.momentum = 0.0F; }},
          {"adam_with_average",
           [](Data& d) {
             d.train.optimizer.kind = OptimizerSpec::Kind::kAdam;
             d.train.optimizer.ema = 0.5F;
             d.model.batch_norm = true;
           }},
          {"dropout", [](Data& d) { d.model.dropout = 0.25F; }}};
}

class DeviceSnapshotTest : public testing::TestWithParam<std::tuple<Case, Schedule>> {
 protected:
  DeviceSnapshotTest() : data_({20, {12, 8}, 5, 8, InputType::kUInt8}) {
    std::get<0>(GetParam()).change(data_);
    device_->schedule = std::get<1>(GetParam());
    engine_ = make_device_engine(std::make_unique<FakeRuntime>(device_), data_.model, data_.train,
                                 {ElementType::kFloat32, false}, 0);
  }
  void TearDown() override {
    engine_.reset();
    EXPECT_EQ(device_->live, 0) << "left behind on the device";
    EXPECT_EQ(device_->violations, std::vector<std::string>{});
  }

  Data data_;
  std::shared_ptr<FakeDevice> device_ = std::make_shared<FakeDevice>();
  std::unique_ptr<Engine> engine_;
};

TEST_P(DeviceSnapshotTest, IsOfItsPlaceAmongTheSteps) {
  // What the engine is like after so many chunks.
  std::vector<std::pair<Parameters, OptimizerState>> expected;
  {
    const auto other = std::make_shared<FakeDevice>();
    const auto engine = make_device_engine(std::make_unique<FakeRuntime>(other), data_.model,
                                           data_.train, {ElementType::kFloat32, false}, 0);
    for (int i = 0; i < 4; ++i) {
      engine->train(data_.packed());
      expected.emplace_back(engine->parameters(), engine->optimizer_state());
    }
  }
  ASSERT_NE(expected[0].first, expected[1].first);
  const auto first = engine_->make_snapshot();
  const auto second = engine_->make_snapshot();
  engine_->train(data_.packed());
  first->take();
  engine_->train(data_.packed());
  second->take();
  engine_->train(data_.packed());
  first->await();
  EXPECT_EQ(first->hand_out(), expected[0]);
  first->take();
  engine_->train(data_.packed());
  second->await();
  EXPECT_EQ(second->hand_out(), expected[1]);
  first->await();
  EXPECT_EQ(first->hand_out(), expected[2]);
  EXPECT_EQ(engine_->parameters(), expected[3].first);
  EXPECT_EQ(engine_->optimizer_state(), expected[3].second);
}

TEST_P(DeviceSnapshotTest, NobodyWaitsForWhatComesAfterIt) {
  const auto snapshot = engine_->make_snapshot();
  engine_->train(data_.packed().slice(0, 1));
  device_->event_waits = device_->stream_waits = 0;
  snapshot->take();
  engine_->train(data_.packed().slice(1, 1));
  EXPECT_EQ(device_->event_waits + device_->stream_waits, 0);
  EXPECT_THROW(snapshot->hand_out(), std::logic_error) << "it has not arrived";
  snapshot->await();
  EXPECT_EQ(device_->event_waits, 1);
  EXPECT_EQ(device_->stream_waits, 0);
  // The device may be gone: what has arrived is the host's.
  device_->dead = true;
  EXPECT_FALSE(snapshot->hand_out().first.empty());
  EXPECT_THROW(snapshot->hand_out(), std::logic_error) << "once";
  device_->dead = false;
}

TEST_P(DeviceSnapshotTest, MayGoWhileItIsUnderWay) {
  auto snapshot = engine_->make_snapshot();
  engine_->train(data_.packed());
  snapshot->take();
  snapshot.reset();
  EXPECT_EQ(engine_->metrics().steps, 3U);
}

TEST_P(DeviceSnapshotTest, HasMomentaThatCameLate) {
  const auto snapshot = engine_->make_snapshot();
  snapshot->take();
  if (std::get<0>(GetParam()).name == "plain") {
    OptimizerState momenta = engine_->parameters();
    for (Tensor& tensor : momenta) tensor.values.assign(tensor.values.size(), 0.5F);
    engine_->set_optimizer_state(momenta);
  }
  engine_->train(data_.packed());
  snapshot->take();
  snapshot->await();
  const auto [parameters, state] = snapshot->hand_out();
  EXPECT_EQ(parameters, engine_->parameters());
  EXPECT_EQ(state, engine_->optimizer_state());
  EXPECT_FALSE(state.empty());
}

INSTANTIATE_TEST_SUITE_P(Optimizers, DeviceSnapshotTest,
                         testing::Combine(testing::ValuesIn(cases()),
                                          testing::Values(Schedule::kAtOnce, Schedule::kCopyFirst,
                                                          Schedule::kComputeFirst,
                                                          Schedule::kSideFirst, Schedule::kLate,
                                                          Schedule::kRandom)),
                         [](const auto& tested) {
                           return std::get<0>(tested.param).name + "_" +
                                  std::to_string(static_cast<int>(std::get<1>(tested.param)));
                         });

}  // namespace
}  // namespace millrace::cuda
