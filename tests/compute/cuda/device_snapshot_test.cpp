// Snapshots of an engine whose device does everything as late or as early as it may.

#include "compute/cuda/device_snapshot.h"

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/compute/cuda/engine_on_fake.h"
#include "tests/compute/cuda/fake_runtime.h"
#include "tests/compute/engine_data.h"

namespace millrace::cuda {
namespace {

using millrace::test::Data;
using test::EngineOnFake;
using test::FakeDevice;
using test::kSchedules;
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
  static Data data() {
    Data data({20, {12, 8}, 5, 8, InputType::kUInt8});
    std::get<0>(GetParam()).change(data);
    return data;
  }

  Data data_ = data();
  EngineOnFake fake_{data_, {.schedule = std::get<1>(GetParam())}};
  FakeDevice* device_ = fake_.device.get();
  Engine* engine_ = fake_.engine.get();
};

TEST_P(DeviceSnapshotTest, IsOfItsPlaceAmongTheSteps) {
  // What the engine is like after so many chunks.
  std::vector<std::pair<Parameters, OptimizerState>> expected;
  {
    const EngineOnFake other(data_);
    for (int i = 0; i < 4; ++i) {
      other.engine->train(data_.packed());
      expected.emplace_back(other.engine->parameters(), other.engine->optimizer_state());
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
                                          testing::ValuesIn(kSchedules)),
                         [](const auto& tested) {
                           return std::get<0>(tested.param).name + "_" +
                                  std::to_string(static_cast<int>(std::get<1>(tested.param)));
                         });

}  // namespace
}  // namespace millrace::cuda
