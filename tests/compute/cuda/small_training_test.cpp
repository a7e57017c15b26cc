// Small networks in one kernel, on the fake device: its threads' work one after another, blocks in
// either order.

#include "compute/cuda/small_training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/compute/cuda/engine_on_fake.h"
#include "tests/compute/cuda/fake_runtime.h"
#include "tests/compute/engine_data.h"
#include "tests/support/reference_mlp.h"

namespace millrace::cuda {
namespace {

using millrace::test::Data;
using millrace::test::distance;
using millrace::test::ReferenceMlp;
using millrace::test::Shape;
using test::EngineOnFake;
using test::FakeDevice;
using test::Schedule;

constexpr Arithmetic kOneKernel{.one_kernel = true};

bool is_one_kernel(const EngineOnFake& fixture) {
  return fixture.engine->info().description.find("one kernel") != std::string::npos;
}

const std::vector<Shape> kShapes{
    {1, {1}, 2, 1, InputType::kUInt8},       {5, {7}, 3, 16, InputType::kUInt8},
    {63, {33}, 2, 37, InputType::kFloat32},  {100, {64}, 40, 130, InputType::kUInt8},
    {784, {32}, 10, 128, InputType::kUInt8}, {1030, {20}, 17, 9, InputType::kFloat32}};

TEST(SmallTraining, AgreesWithTheReference) {
  for (const Shape& shape : kShapes) {
    for (const float smoothing : {0.0F, 0.1F}) {
      SCOPED_TRACE(std::to_string(shape.features) + " features");
      Data data(shape);
      data.train.label_smoothing = smoothing;
      const EngineOnFake fixture(data, {.schedule = Schedule::kRandom}, kOneKernel);
      ASSERT_TRUE(is_one_kernel(fixture));
      const EngineOnFake plain(data);
      ASSERT_FALSE(is_one_kernel(plain));
      Engine& engine = *fixture.engine;
      const Parameters begin = engine.parameters();
      ReferenceMlp reference(begin);
      const Chunk chunk = data.packed();
      for (std::uint32_t s = 0; s < chunk.batches(); ++s) {
        const Chunk step = chunk.slice(s, 1);
        engine.train(step);
        plain.engine->train(step);
        const Metrics metrics = engine.metrics();
        const Metrics expected = plain.engine->metrics();
        EXPECT_EQ(metrics.steps, 1U);
        EXPECT_EQ(metrics.samples, step.count);
        EXPECT_NEAR(metrics.loss_sum, expected.loss_sum, 1e-5 * (1.0 + expected.loss_sum));
        EXPECT_LE(std::max(metrics.correct, expected.correct) -
                      std::min(metrics.correct, expected.correct),
                  1U);
        if (smoothing != 0.0F) continue;
        const std::size_t first = std::size_t{s} * chunk.batch;
        const auto by_hand =
            reference.step(data.rows(first, step.count),
                           std::span(data.labels).subspan(first, step.count), data.train.optimizer);
        EXPECT_NEAR(metrics.loss_sum, by_hand.loss_sum, 1e-5 * (1.0 + by_hand.loss_sum));
      }
      const Parameters found = engine.parameters();
      const Parameters expected = plain.engine->parameters();
      for (std::size_t t = 0; t < found.size(); ++t) {
        const std::vector<double> from(begin[t].values.begin(), begin[t].values.end());
        const std::vector<double> to(expected[t].values.begin(), expected[t].values.end());
        const double change = distance(expected[t].values, from);
        EXPECT_LE(distance(found[t].values, to), 1e-4 * change + 1e-9) << found[t].name;
        if (smoothing != 0.0F) continue;
        EXPECT_LE(distance(found[t].values, reference.parameters()[t]), 1e-4 * change + 1e-9)
            << found[t].name;
      }
    }
  }
}

TEST(SmallTraining, ServesEveryOptimizer) {
  using Kind = OptimizerSpec::Kind;
  for (const Kind kind : {Kind::kSgd, Kind::kNesterov, Kind::kAdam, Kind::kAdamW}) {
    for (const float ema : {0.0F, 0.9F}) {
      Data data({30, {20}, 7, 16, InputType::kUInt8});
      data.train.optimizer.kind = kind;
      if (data.train.optimizer.adaptive()) data.train.optimizer.momentum = 0.0F;
      data.train.optimizer.ema = ema;
      const EngineOnFake fixture(data, {.schedule = Schedule::kRandom}, kOneKernel);
      const EngineOnFake plain(data);
      ASSERT_TRUE(is_one_kernel(fixture));
      double losses[2] = {};
      for (int i = 0; i < 2; ++i) {
        Engine& engine = *(i == 0 ? fixture : plain).engine;
        for (int epoch = 0; epoch < 3; ++epoch) engine.train(data.packed());
        engine.metrics();
        engine.evaluate(data.packed());
        losses[i] = engine.metrics().loss_sum;
      }
      EXPECT_NEAR(losses[0], losses[1], 1e-4 * losses[1]) << name_of(kind) << " " << ema;
    }
  }
}

// Whatever order blocks and streams take, wherever samples come from, however steps are grouped.
TEST(SmallTraining, GivesTheSameBits) {
  const Data data({784, {32}, 10, 64, InputType::kUInt8});
  Chunk whole = data.packed();
  whole.batch = 24;
  whole.count = 159;
  whole.samples = whole.samples.first(159 * std::size_t{784});
  whole.labels = whole.labels.first(159);
  const auto train = [&](bool resident, std::uint32_t group, Schedule schedule) {
    const EngineOnFake fixture(data, {.schedule = schedule}, kOneKernel);
    Chunk chunk = whole;
    if (resident) {
      chunk = data.indexed(fixture.engine->add_resident(data.resident()));
      chunk.batch = whole.batch;
      chunk.count = whole.count;
      chunk.indices = chunk.indices.first(whole.count);
    }
    for (int epoch = 0; epoch < 2; ++epoch) {
      for (std::uint32_t first = 0; first < chunk.batches(); first += group) {
        fixture.engine->train(chunk.slice(first, group));
      }
    }
    const double loss = fixture.engine->metrics().loss_sum;
    EXPECT_EQ(fixture.device->captures, 0);
    EXPECT_EQ(fixture.device->products, 0);
    OptimizerState all = fixture.engine->optimizer_state();
    const Parameters parameters = fixture.engine->parameters();
    all.insert(all.end(), parameters.begin(), parameters.end());
    return std::pair(all, loss);
  };
  const auto expected = train(false, 7, Schedule::kAtOnce);
  EXPECT_TRUE(train(false, 1, Schedule::kRandom) == expected);
  EXPECT_TRUE(train(true, 3, Schedule::kLate) == expected);
  EXPECT_TRUE(train(true, 7, Schedule::kCopyFirst) == expected);
}

TEST(SmallTraining, IsInFloat32WhereTf32WouldDo) {
  const Data data({784, {32}, 10, 64, InputType::kUInt8});
  const EngineOnFake expected(data, {}, kOneKernel);
  const EngineOnFake found(data, {}, {.tf32 = true, .one_kernel = true});
  EXPECT_TRUE(is_one_kernel(found));
  EXPECT_EQ(found.engine->info().precision, Precision::kTf32);
  for (const EngineOnFake* each : {&expected, &found}) each->engine->train(data.packed());
  EXPECT_EQ(found.engine->parameters(), expected.engine->parameters());
}

// Which would be captured behind the first epochs' steps, for each length.
TEST(SmallTraining, NeedsNoGraphs) {
  const Data data({784, {32}, 10, 64, InputType::kUInt8});
  const EngineOnFake fixture(data, {}, kOneKernel);
  const EngineOnFake plain(data);
  for (Engine* engine : {fixture.engine.get(), plain.engine.get()}) {
    engine->train(data.packed());
    engine->metrics();
    engine->evaluate(data.packed());
  }
  EXPECT_NEAR(fixture.engine->metrics().loss_sum, plain.engine->metrics().loss_sum, 1e-3);
  EXPECT_EQ(fixture.device->captures, 0);
  EXPECT_EQ(fixture.device->graph_launches, 0);
}

TEST(SmallTraining, ANanShowsAtItsStep) {
  for (const std::size_t tensor : {0U, 1U, 2U, 3U}) {
    const Data data({5, {7}, 3, 4, InputType::kFloat32});
    const EngineOnFake fixture(data, {.schedule = Schedule::kRandom}, kOneKernel);
    Parameters parameters = fixture.engine->parameters();
    parameters[tensor].values[0] = std::nanf("");
    fixture.engine->set_parameters(parameters);
    fixture.engine->train(data.packed());
    EXPECT_EQ(fixture.engine->metrics().first_nonfinite_step, std::optional<std::uint64_t>(0));
  }
}

TEST(SmallTraining, IsForPlainSmallNetworksOnDevicesThatHoldThem) {
  const Data small({784, {32}, 10, 128, InputType::kUInt8});
  const auto one_kernel = [](const Data& data, FakeDevice device = {}) {
    return is_one_kernel(EngineOnFake(data, std::move(device), kOneKernel));
  };
  EXPECT_TRUE(one_kernel(small));
  EXPECT_TRUE(one_kernel(small, {.blocks = 51}));
  EXPECT_FALSE(one_kernel(small, {.blocks = 50}));
  EXPECT_FALSE(one_kernel(Data({784, {}, 10, 128, InputType::kUInt8})));
  EXPECT_FALSE(one_kernel(Data({784, {32, 16}, 10, 128, InputType::kUInt8})));
  EXPECT_FALSE(one_kernel(Data({784, {65}, 10, 8, InputType::kUInt8})));
  EXPECT_FALSE(one_kernel(Data({784, {8}, 65, 8, InputType::kUInt8})));
  EXPECT_FALSE(one_kernel(Data({1200, {8}, 10, 8, InputType::kUInt8})));
  EXPECT_FALSE(one_kernel(Data({784, {32}, 10, 1000, InputType::kUInt8})));
  const auto with = [&](const auto& change) {
    Data data = small;
    change(data);
    return one_kernel(data);
  };
  EXPECT_FALSE(with([](Data& data) { data.model.activation = Activation::kTanh; }));
  EXPECT_FALSE(with([](Data& data) { data.model.dropout = 0.5F; }));
  EXPECT_FALSE(with([](Data& data) { data.model.batch_norm = true; }));
  EXPECT_FALSE(with([](Data& data) { data.train.optimizer.clip_norm = 1.0F; }));
  EXPECT_FALSE(with([](Data& data) { data.train.micro_batch = 64; }));
  EXPECT_FALSE(one_kernel(
      Data({784, {32}, 10, 128, InputType::kUInt8, Activation::kRelu, Loss::kSquaredError})));
}

}  // namespace
}  // namespace millrace::cuda
