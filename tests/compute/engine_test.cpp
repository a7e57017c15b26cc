// Holds the engine against the naive double-precision network, in every precision and over shapes
// that straddle its tiles.

#include "compute/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/reference_mlp.h"

namespace millrace {
namespace {

struct Shape {
  std::uint32_t features;
  std::vector<std::uint32_t> hidden;
  std::uint32_t classes;
  std::uint32_t batch;
  InputType input;
};

// Samples of a shape in both forms: as the engine takes them and as the reference does. Two whole
// batches and half a one.
struct Data {
  explicit Data(const Shape& shape) {
    model.features = shape.features;
    model.hidden = shape.hidden;
    model.classes = shape.classes;
    model.input = shape.input;
    model.input_scale = shape.input == InputType::kUInt8 ? 1.0F / 255.0F : 0.5F;
    train.batch = shape.batch;
    train.sgd = {0.05F, 0.9F, 0.01F};
    train.seed = 3;
    const std::size_t count = 2 * std::size_t{shape.batch} + (shape.batch + 1) / 2;
    std::uint32_t state = 12345;
    const auto draw = [&state] { return (state = state * 1664525U + 1013904223U) >> 8U; };
    for (std::size_t i = 0; i < count * shape.features; ++i) {
      if (shape.input == InputType::kUInt8) {
        bytes.push_back(static_cast<std::byte>(draw() & 255U));
        reference.push_back(double{model.input_scale} * static_cast<double>(bytes.back()));
      } else {
        const float value = static_cast<float>(draw()) / 8388608.0F - 1.0F;
        const auto raw = std::as_bytes(std::span(&value, 1));
        bytes.insert(bytes.end(), raw.begin(), raw.end());
        reference.push_back(double{model.input_scale} * double{value});
      }
    }
    for (std::size_t i = 0; i < count; ++i)
      labels.push_back(static_cast<std::int32_t>(draw() % shape.classes));
    for (std::uint32_t i = 0; i < count; ++i) order.push_back(i);
  }

  Chunk packed() const {
    Chunk chunk;
    chunk.batch = train.batch;
    chunk.count = static_cast<std::uint32_t>(labels.size());
    chunk.samples = bytes;
    chunk.labels = labels;
    return chunk;
  }
  Chunk indexed(std::uint32_t source) const {
    Chunk chunk;
    chunk.batch = train.batch;
    chunk.count = static_cast<std::uint32_t>(labels.size());
    chunk.source = source;
    chunk.indices = order;
    return chunk;
  }
  ResidentSet resident() const { return {bytes, labels, nullptr}; }
  std::span<const double> rows(std::size_t first, std::size_t n) const {
    return std::span(reference).subspan(first * model.features, n * model.features);
  }
  std::unique_ptr<Engine> engine(Precision precision, std::uint32_t threads) const {
    TrainSpec spec = train;
    spec.precision = precision;
    return make_engine(model, spec, {.kind = Device::Kind::kCpu, .threads = threads});
  }

  MlpSpec model;
  TrainSpec train;
  std::vector<std::byte> bytes;
  std::vector<double> reference;
  std::vector<std::int32_t> labels;
  std::vector<std::uint32_t> order;
};

struct Bounds {
  double absolute;
  double relative;
  double loss;    // of a step's mean loss, relative and absolute
  double margin;  // logits nearer than this may be judged either way
};
// float32: eight bits above the rounding of one operation, for sums of up to 1030 products.
constexpr Bounds kFloat32{1e-5, 1e-4, 1e-5, 1e-4};
// bfloat16 keeps 8 bits of each factor; what PyTorch's own rounding does to such weights is in
// golden_test.cpp.
constexpr Bounds kBFloat16{2e-2, 1e-2, 1e-2, 5e-2};

void expect_near(const std::vector<Tensor>& found, const test::ReferenceMlp::Tensors& expected,
                 Bounds bounds) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t t = 0; t < found.size(); ++t) {
    ASSERT_EQ(found[t].values.size(), expected[t].size());
    for (std::size_t i = 0; i < expected[t].size(); ++i) {
      const double bound = bounds.absolute + bounds.relative * std::abs(expected[t][i]);
      ASSERT_LE(std::abs(double{found[t].values[i]} - expected[t][i]), bound)
          << found[t].name << " value " << i;
    }
  }
}

void expect_metrics(const Metrics& found, const test::ReferenceMlp::Result& expected,
                    std::size_t rows, Bounds b) {
  EXPECT_EQ(found.samples, rows);
  const double mean = expected.loss_sum / static_cast<double>(rows);
  EXPECT_NEAR(found.mean_loss(), mean, b.loss * (1 + mean));
  EXPECT_LE(std::abs(static_cast<double>(found.correct) - static_cast<double>(expected.correct)),
            static_cast<double>(expected.close));
  EXPECT_EQ(found.first_nonfinite_step, std::nullopt);
}

struct Case {
  Precision precision;
  Shape shape;
};
std::string name_of(const Case& c) {
  std::string name = c.precision == Precision::kFloat32 ? "f32_" : "bf16_";
  name += std::to_string(c.shape.features);
  for (const auto width : c.shape.hidden) name += "_" + std::to_string(width);
  return name + "_" + std::to_string(c.shape.classes) + "_batch_" + std::to_string(c.shape.batch) +
         (c.shape.input == InputType::kUInt8 ? "_bytes" : "_floats");
}
void PrintTo(const Case& c, std::ostream* out) { *out << name_of(c); }

class EngineTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (GetParam().precision == Precision::kFloat32) return;
    const EngineInfo info = engine(1)->info();
    if (info.precision == Precision::kFloat32) GTEST_SKIP() << info.notice;
  }
  std::unique_ptr<Engine> engine(std::uint32_t threads) const {
    return data_.engine(GetParam().precision, threads);
  }
  Bounds bounds() const {
    return GetParam().precision == Precision::kFloat32 ? kFloat32 : kBFloat16;
  }
  Data data_{GetParam().shape};
};

TEST_P(EngineTest, AgreesWithTheReference) {
  const auto engine = this->engine(2);
  test::ReferenceMlp reference(engine->parameters(), bounds().margin);
  const Chunk chunk = data_.packed();
  const std::span labels(data_.labels);
  for (std::uint32_t s = 0; s < chunk.batches(); ++s) {
    const Chunk step = chunk.slice(s, 1);
    const std::size_t first = std::size_t{s} * chunk.batch;
    const auto expected = reference.step(data_.rows(first, step.count),
                                         labels.subspan(first, step.count), data_.train.sgd);
    engine->train(step);
    const Metrics metrics = engine->metrics();
    EXPECT_EQ(metrics.steps, 1U);
    expect_metrics(metrics, expected, step.count, bounds());
  }
  expect_near(engine->parameters(), reference.parameters(), bounds());
  expect_near(engine->optimizer_state(), reference.momentum(), bounds());
  engine->evaluate(chunk);
  expect_metrics(engine->metrics(), reference.forward(data_.reference, data_.labels), chunk.count,
                 bounds());
}

TEST_P(EngineTest, GivesTheSameBitsForAnyThreadsGroupingAndSource) {
  const auto whole = engine(1);
  whole->train(data_.packed());
  const Metrics expected = whole->metrics();
  EXPECT_EQ(expected.loss_sum * 16777216.0, std::floor(expected.loss_sum * 16777216.0));
  for (const std::uint32_t threads : {2U, 3U, 5U}) {
    const auto other = engine(threads);
    const std::uint32_t source = other->add_resident(data_.resident());
    const Chunk chunk = threads == 3 ? data_.packed() : data_.indexed(source);
    const std::uint32_t group = threads == 2 ? 1 : 2;
    for (std::uint32_t s = 0; s < chunk.batches(); s += group) other->train(chunk.slice(s, group));
    const Metrics metrics = other->metrics();
    EXPECT_EQ(metrics.loss_sum, expected.loss_sum) << threads << " threads";
    EXPECT_EQ(metrics.correct, expected.correct) << threads << " threads";
    EXPECT_TRUE(other->parameters() == whole->parameters()) << threads << " threads";
    EXPECT_TRUE(other->optimizer_state() == whole->optimizer_state()) << threads << " threads";
  }
}

TEST_P(EngineTest, ContinuesFromItsStateAsIfItHadNeverStopped) {
  const auto first = engine(2);
  const Chunk chunk = data_.packed();
  first->train(chunk.slice(0, 1));
  const auto second = engine(1);
  const Parameters parameters = first->parameters();
  const OptimizerState state = first->optimizer_state();
  second->set_parameters(parameters);
  second->set_optimizer_state(state);
  EXPECT_TRUE(second->parameters() == parameters);
  EXPECT_TRUE(second->optimizer_state() == state);
  for (Engine* engine : {first.get(), second.get()}) {
    engine->set_learning_rate(0.02F);
    engine->train(chunk.slice(1, 2));
  }
  EXPECT_TRUE(second->parameters() == first->parameters());
  EXPECT_TRUE(second->optimizer_state() == first->optimizer_state());
}

std::vector<Case> cases() {
  constexpr auto kU8 = InputType::kUInt8;
  constexpr auto kF32 = InputType::kFloat32;
  const std::vector<Shape> shapes{{1, {}, 2, 1, kU8},
                                  {5, {}, 3, 15, kF32},
                                  {63, {}, 10, 128, kU8},
                                  {1030, {}, 17, 33, kF32},
                                  {1, {1}, 2, 2, kF32},
                                  {5, {7}, 3, 16, kU8},
                                  {63, {16}, 10, 17, kF32},
                                  {63, {31}, 17, 130, kU8},
                                  {784, {32}, 10, 128, kU8},
                                  {63, {33}, 2, 300, kF32},
                                  {784, {48, 16}, 10, 33, kF32},
                                  {5, {100, 7}, 17, 128, kU8},
                                  {63, {130, 33}, 600, 17, kU8},
                                  {1030, {520}, 10, 16, kU8},
                                  {63, {520, 130}, 600, 15, kF32},
                                  {784, {100, 48, 31}, 10, 33, kU8},
                                  {5, {1, 7, 16}, 3, 15, kF32},
                                  {63, {32, 32, 32}, 10, 300, kU8},
                                  {1030, {7}, 600, 2, kF32},
                                  {63, {31, 33}, 10, 1, kU8}};
  std::vector<Case> all;
  for (const auto precision : {Precision::kFloat32, Precision::kBFloat16}) {
    for (const Shape& shape : shapes) all.push_back({precision, shape});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Shapes, EngineTest, testing::ValuesIn(cases()),
                         [](const auto& tested) { return name_of(tested.param); });

// --- what is refused, and what is not finite ---

const Shape kSmall{5, {7, 6}, 3, 4, InputType::kFloat32};

TEST(EngineErrors, ALabelOutsideStopsTheChunkBeforeAnyStep) {
  for (const std::int32_t label : {-1, 3}) {
    Data data(kSmall);
    data.labels.back() = label;
    const auto engine = data.engine(Precision::kFloat32, 2);
    const Parameters before = engine->parameters();
    EXPECT_THROW(engine->train(data.packed()), std::out_of_range);
    EXPECT_THROW(engine->evaluate(data.packed()), std::out_of_range);
    EXPECT_THROW(engine->add_resident(data.resident()), std::out_of_range);
    EXPECT_TRUE(engine->parameters() == before);
    EXPECT_EQ(engine->metrics().samples, 0U);
  }
}

TEST(EngineErrors, ChunksThatDoNotFitAreRefused) {
  Data data(kSmall);
  const auto engine = data.engine(Precision::kFloat32, 2);
  const Parameters before = engine->parameters();
  EXPECT_THROW(engine->train(data.indexed(0)), std::invalid_argument);  // no such set
  const std::uint32_t source = engine->add_resident(data.resident());
  data.order.back() = static_cast<std::uint32_t>(data.labels.size());
  EXPECT_THROW(engine->train(data.indexed(source)), std::out_of_range);
  Chunk chunk = data.packed();
  chunk.batch = 5;
  EXPECT_THROW(engine->train(chunk), std::invalid_argument);
  chunk.batch = 0;
  EXPECT_THROW(engine->train(chunk), std::invalid_argument);
  chunk = data.packed();
  ++chunk.count;
  EXPECT_THROW(engine->train(chunk), std::invalid_argument);
  ResidentSet set = data.resident();
  set.samples = set.samples.first(set.samples.size() - 1);
  EXPECT_THROW(engine->add_resident(set), std::invalid_argument);
  EXPECT_TRUE(engine->parameters() == before);
}

TEST(EngineErrors, ImpossibleSpecsAreRefused) {
  const auto refused = [](const std::function<void(Data&)>& spoil) {
    Data data(kSmall);
    spoil(data);
    EXPECT_THROW(data.engine(Precision::kFloat32, 1), std::invalid_argument);
  };
  refused([](Data& d) { d.model.features = 0; });
  refused([](Data& d) { d.model.classes = 0; });
  refused([](Data& d) { d.model.hidden = {3, 0}; });
  refused([](Data& d) { d.model.input_scale = std::numeric_limits<float>::infinity(); });
  refused([](Data& d) { d.train.batch = 0; });
  for (const float bad : {-1.0F, std::numeric_limits<float>::quiet_NaN()}) {
    refused([bad](Data& d) { d.train.sgd.learning_rate = bad; });
    refused([bad](Data& d) { d.train.sgd.momentum = bad; });
    refused([bad](Data& d) { d.train.sgd.weight_decay = bad; });
  }
}

TEST(EngineErrors, TensorsThatDoNotFitAreNamed) {
  const Data data(kSmall);
  const auto engine = data.engine(Precision::kFloat32, 1);
  const Parameters good = engine->parameters();
  Parameters bad = good;
  bad[2].shape = {7, 6};
  for (const bool optimizer : {false, true}) {
    try {
      optimizer ? engine->set_optimizer_state(bad) : engine->set_parameters(bad);
      ADD_FAILURE() << "accepted";
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(std::string(error.what()).find("2.weight: expected [6, 7], found [7, 6]"), 0U)
          << error.what();
    }
  }
  EXPECT_TRUE(engine->parameters() == good);
}

TEST(EngineDevices, AutoWorksAndCudaIsThereOrExplained) {
  const Data data(kSmall);
  EXPECT_NE(make_engine(data.model, data.train, {})->info().device, "");
  try {
    EXPECT_EQ(make_engine(data.model, data.train, {.kind = Device::Kind::kCuda})
                  ->info()
                  .device.find("cuda"),
              0U);
  } catch (const DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("cuda"), std::string::npos) << error.what();
  }
}

class NonFinite : public testing::TestWithParam<Precision> {};

TEST_P(NonFinite, ANanWeightOfAnyLayerShowsInTheFirstStep) {
  const Data data(kSmall);
  for (const std::size_t tensor : {0U, 1U, 2U, 3U, 4U, 5U}) {
    const auto engine = data.engine(GetParam(), 2);
    Parameters parameters = engine->parameters();
    parameters[tensor].values[0] = std::numeric_limits<float>::quiet_NaN();
    engine->set_parameters(parameters);
    engine->train(data.packed());
    EXPECT_EQ(engine->metrics().first_nonfinite_step, std::optional<std::uint64_t>(0))
        << "tensor " << tensor;
  }
}

TEST_P(NonFinite, ANanSampleShowsInItsStepAndMetricsCountAnew) {
  Data data(kSmall);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto raw = std::as_bytes(std::span(&nan, 1));
  std::copy(raw.begin(), raw.end(),
            data.bytes.begin() + 2 * 4 * 5 * 4);  // the third step's first sample
  const auto whole = data.engine(GetParam(), 2);
  whole->train(data.packed());
  EXPECT_EQ(whole->metrics().first_nonfinite_step, std::optional<std::uint64_t>(2));
  const auto parts = data.engine(GetParam(), 2);
  parts->train(data.packed().slice(0, 1));
  EXPECT_EQ(parts->metrics().first_nonfinite_step, std::nullopt);
  parts->train(data.packed().slice(1, 2));
  EXPECT_EQ(parts->metrics().first_nonfinite_step, std::optional<std::uint64_t>(1));
  const Metrics empty = parts->metrics();
  EXPECT_EQ(empty.samples + empty.steps, 0U);
  EXPECT_EQ(empty.loss_sum, 0.0);
}

TEST_P(NonFinite, AHugeLearningRateShowsInTheSecondStep) {
  Data data({5, {}, 3, 4, InputType::kFloat32});
  data.train.sgd = {3e38F, 0.0F, 0.0F};
  data.model.input_scale = 1e3F;
  const auto engine = data.engine(GetParam(), 2);
  engine->train(data.packed());
  EXPECT_EQ(engine->metrics().first_nonfinite_step, std::optional<std::uint64_t>(1));
}

INSTANTIATE_TEST_SUITE_P(Precisions, NonFinite,
                         testing::Values(Precision::kFloat32, Precision::kBFloat16),
                         [](const auto& tested) {
                           return std::string(tested.param == Precision::kFloat32 ? "f32" : "bf16");
                         });

}  // namespace
}  // namespace millrace
