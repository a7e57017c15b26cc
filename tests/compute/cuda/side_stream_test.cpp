// Weights' gradients, updates and the next samples beside the backward pass: the same bits as one
// after the other, whichever the device does first.

#include "compute/cuda/side_stream.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "tests/compute/cuda/engine_on_fake.h"
#include "tests/compute/cuda/fake_runtime.h"
#include "tests/compute/engine_data.h"

namespace millrace::cuda {
namespace {

using millrace::test::Data;
using test::EngineOnFake;
using test::FakeDevice;
using test::FakeRuntime;
using test::kSchedules;
using test::Schedule;

struct Case {
  std::string name;
  std::vector<std::uint32_t> hidden;
  std::function<void(Data&)> change;
  ElementType storage = ElementType::kFloat32;
  std::set<Epilogue> refused{};
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  using enum Epilogue;
  const auto nothing = [](Data&) {};
  return {
      {"one_hidden_layer", {20}, nothing},
      {"three", {20, 33, 7}, nothing},
      {"bf16", {20, 33, 7}, nothing, ElementType::kBFloat16},
      {"without_epilogues",
       {20, 33, 7},
       nothing,
       ElementType::kFloat32,
       {kBias, kBiasRelu, kBiasReluMask, kReluGradient, kReluGradientBiasGradient,
        kBiasGradientOfB}},
      {"adam_averaged_normed_dropped",
       {20, 33},
       [](Data& data) {
         data.train.optimizer.kind = OptimizerSpec::Kind::kAdam;
         data.train.optimizer.ema = 0.9F;
         data.model.batch_norm = true;
         data.model.dropout = 0.25F;
       }},
      {"gelu", {20, 33}, [](Data& data) { data.model.activation = Activation::kGelu; }},
      {"clipped", {20, 33}, [](Data& data) { data.train.optimizer.clip_norm = 0.01F; }},
      {"accumulated", {20, 33}, [](Data& data) { data.train.micro_batch = 5; }},
  };
}

struct Trained {
  std::vector<double> losses;
  Parameters parameters;
  OptimizerState state;
  bool operator==(const Trained&) const = default;
};

Trained train(const Case& of, bool side_stream, Schedule schedule) {
  Data data({30, of.hidden, 5, 12, InputType::kUInt8});
  of.change(data);
  EngineOnFake fixture(data, {.schedule = schedule, .refused = of.refused},
                       {.storage = of.storage, .side_stream = side_stream});
  Engine& engine = *fixture.engine;
  Trained result;
  const Chunk chunks[] = {data.packed(), data.indexed(engine.add_resident(data.resident()))};
  for (int epoch = 0; epoch < 3; ++epoch) {  // step by step, captured, and from the graph
    for (const Chunk& chunk : chunks) engine.train(chunk);
    result.losses.push_back(engine.metrics().loss_sum);
    engine.evaluate(chunks[1]);
    result.losses.push_back(engine.metrics().loss_sum);
  }
  result.parameters = engine.parameters();
  result.state = engine.optimizer_state();
  EXPECT_EQ(fixture.device->done["beside compute"] > 0, side_stream);
  return result;
}

class SideStreamTest : public testing::TestWithParam<std::tuple<Case, Schedule>> {};

TEST_P(SideStreamTest, GivesTheBitsOfOneStream) {
  const auto& [of, schedule] = GetParam();
  const Trained one = train(of, false, Schedule::kAtOnce);
  EXPECT_TRUE(one.losses.front() > one.losses.back());  // NaN is not
  EXPECT_TRUE(train(of, true, schedule) == one);
}

INSTANTIATE_TEST_SUITE_P(Networks, SideStreamTest,
                         testing::Combine(testing::ValuesIn(cases()),
                                          testing::ValuesIn(kSchedules)),
                         [](const auto& tested) {
                           return std::get<0>(tested.param).name + "_" +
                                  std::to_string(static_cast<int>(std::get<1>(tested.param)));
                         });

class Streams : public testing::Test {
 protected:
  std::shared_ptr<FakeDevice> device_ = std::make_shared<FakeDevice>();
  FakeRuntime runtime_{device_};
  Stream main_{runtime_, runtime_.create_stream("compute")};
  DeviceBuffer memory_ = device_buffer(runtime_, 64, "memory");

  void work(StreamHandle stream) { runtime_.fill_zero(memory_.data(), 64, stream); }
};

TEST_F(Streams, ACaptureEndsJoined) {
  SideStream side(runtime_, main_.get(), true);
  runtime_.begin_capture(main_.get());
  side.fork();
  work(side.get());
  EXPECT_THROW(runtime_.end_capture(main_.get()), std::logic_error);
  side.join();
  work(side.get());
  EXPECT_THROW(runtime_.end_capture(main_.get()), std::logic_error);
  side.fork();
  side.join();
  const Graph graph(runtime_, runtime_.end_capture(main_.get()));
  runtime_.launch(graph.get(), main_.get());
  runtime_.synchronize(main_.get());
  EXPECT_EQ(device_->done["beside compute"], 2);
}

TEST_F(Streams, ACaptureThatWasAbandonedLeavesNothingToJoin) {
  SideStream side(runtime_, main_.get(), true);
  runtime_.begin_capture(main_.get());
  side.fork();
  runtime_.abandon_capture(main_.get());
  side.forget();
  side.join();
  work(main_.get());
  runtime_.synchronize(main_.get());
  EXPECT_EQ(device_->done["compute"], 1);
}

TEST_F(Streams, WithoutASecondOneAllIsOnTheMainOne) {
  SideStream side(runtime_, main_.get(), false);
  side.fork();
  EXPECT_FALSE(side.forked());
  EXPECT_EQ(side.get().value, main_.get().value);
  side.join();
  work(side.get());
  EXPECT_EQ(device_->done["compute"], 1);
}

}  // namespace
}  // namespace millrace::cuda
