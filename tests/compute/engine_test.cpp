// Holds the engine against the naive double-precision network, in every precision and over shapes
// that straddle its tiles.

#include "compute/engine.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "compute/cores.h"
#include "tests/compute/engine_data.h"
#include "tests/support/reference_mlp.h"

namespace millrace {
namespace {

using test::Data;
using test::expect_near;
using test::Shape;

struct Bounds {
  double tensor;  // the error's norm against that of all changes
  double loss;    // of a step's mean loss, relative and absolute
  double margin;  // logits nearer than this may be judged either way
};
// float32: weights are rounded at every step, changes are a hundredth of them.
constexpr Bounds kFloat32{1e-4, 1e-5, 1e-4};
// bfloat16 keeps 8 bits of each factor, and an output near zero may fall on the other side of it;
// what PyTorch's own rounding does to such weights is in golden_test.cpp.
constexpr Bounds kBFloat16{0.12, 1e-2, 5e-2};

void expect_metrics(const Metrics& found, const test::ReferenceMlp::Result& expected,
                    const MlpSpec& model, std::size_t rows, Bounds b) {
  EXPECT_EQ(found.samples, rows);
  const double mean = expected.loss_sum / static_cast<double>(rows);
  EXPECT_NEAR(found.mean_loss(), mean, b.loss * (1 + mean));
  const double squared = expected.squared_error_sum / static_cast<double>(rows);
  EXPECT_NEAR(
      found.mean_squared_error(), squared,
      b.loss * (1 + squared) + expected.squared_error_margin(model) / static_cast<double>(rows));
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
         (c.shape.input == InputType::kUInt8 ? "_bytes" : "_floats") +
         (c.shape.activation == Activation::kLeakyRelu
              ? "_leaky"
              : std::string("_") + name_of(c.shape.activation)) +
         (c.shape.loss == Loss::kCrossEntropy ? "" : std::string("_") + name_of(c.shape.loss)) +
         (c.shape.scaled ? "_scaled" : "");
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
  const Parameters begin = engine->parameters();
  test::ReferenceMlp reference(begin, data_.model, bounds().margin);
  OptimizerSpec sgd = data_.train.optimizer;
  const Chunk chunk = data_.packed();
  for (std::uint32_t s = 0; s < chunk.batches(); ++s) {
    const Chunk step = chunk.slice(s, 1);
    const std::size_t first = std::size_t{s} * chunk.batch;
    if (s + 1 == chunk.batches()) {
      sgd.learning_rate = 0.02F;
      engine->set_learning_rate(sgd.learning_rate);
    }
    const auto expected =
        reference.step(data_.rows(first, step.count), data_.labels_of(first, step.count), sgd);
    engine->train(step);
    const Metrics metrics = engine->metrics();
    EXPECT_EQ(metrics.steps, 1U);
    expect_metrics(metrics, expected, data_.model, step.count, bounds());
  }
  expect_near(engine->parameters(), reference.parameters(), &begin, bounds().tensor);
  expect_near(engine->optimizer_state(), reference.momentum(), nullptr, bounds().tensor);
  engine->evaluate(chunk);
  expect_metrics(engine->metrics(), reference.forward(data_.reference, data_.labels), data_.model,
                 chunk.count, bounds());
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
    EXPECT_EQ(metrics.squared_error_sum, expected.squared_error_sum) << threads << " threads";
    EXPECT_TRUE(other->parameters() == whole->parameters()) << threads << " threads";
    EXPECT_TRUE(other->optimizer_state() == whole->optimizer_state()) << threads << " threads";
  }
}

TEST_P(EngineTest, GivesTheSameBitsWhereItChoosesItsThreads) {
  const auto choosing = engine(0);
  const Chunk chunk = data_.packed();
  int chunks = 0;
  // Some trials long; choices that they came to are the clock's.
  for (; choosing->stats().busy < 0.02; ++chunks) choosing->train(chunk);
  const EngineInfo info = choosing->info();
  EXPECT_EQ(info.threads, available_cores());
  EXPECT_EQ(choosing->stats().choices, info.threads == 1 ? 0 : info.threads);
  EXPECT_GE(choosing->stats().chosen, info.threads == 1 ? 0U : 1U);
  EXPECT_LE(choosing->stats().chosen, choosing->stats().choices);

  const auto fixed = engine(1);
  for (int i = 0; i < chunks; ++i) fixed->train(chunk);
  EXPECT_EQ(fixed->stats().choices, 0U);
  const Metrics metrics = choosing->metrics();
  EXPECT_EQ(metrics.loss_sum, fixed->metrics().loss_sum);
  EXPECT_TRUE(std::isfinite(metrics.loss_sum));
  EXPECT_TRUE(choosing->parameters() == fixed->parameters());
}

TEST_P(EngineTest, GivesSumsInTheOrderInWhichTheyWereEnded) {
  const auto at_once = engine(2);
  const auto later = engine(2);
  const auto before = std::chrono::steady_clock::now();
  std::vector<Metrics> expected;
  for (std::uint32_t s = 0; s < 3; ++s) {
    at_once->train(data_.packed().slice(s, 1));
    expected.push_back(at_once->metrics());
    later->train(data_.packed().slice(s, 1));
    later->close_metrics();
  }
  at_once->evaluate(data_.packed());
  later->evaluate(data_.packed());
  expected.push_back(at_once->metrics());
  auto done = before;
  for (const Metrics& of : expected) {
    const Metrics found = later->metrics();
    test::expect_equal_sums(found, of);
    EXPECT_GE(found.done, done);
    done = found.done;
  }
  EXPECT_EQ(later->metrics().samples, 0U);
}

TEST_P(EngineTest, GathersSamplesInTheOrderOfTheIndices) {
  const auto engine = this->engine(2);
  const std::uint32_t source = engine->add_resident(data_.resident());
  Data shuffled = data_;
  const auto count = static_cast<std::uint32_t>(data_.size());
  for (std::uint32_t i = 0; i < count; ++i) shuffled.order[i] = (i * 7 + 3) % count;
  engine->train(shuffled.indexed(source));
  const auto other = this->engine(1);
  other->train(data_.in_order(shuffled.order).packed());
  EXPECT_TRUE(other->parameters() == engine->parameters());
  EXPECT_EQ(other->metrics().loss_sum, engine->metrics().loss_sum);
}

TEST_P(EngineTest, TakesEachStepsOwnLearningRate) {
  const std::vector<float> rates{0.05F, 0.0F, 0.2F};
  const auto one_by_one = engine(1);
  for (std::uint32_t s = 0; s < 3; ++s) {
    one_by_one->set_learning_rate(rates[s]);
    one_by_one->train(data_.packed().slice(s, 1));
  }
  Chunk chunk = data_.packed();
  chunk.learning_rates = rates;
  const auto whole = engine(2);
  whole->train(chunk);
  EXPECT_TRUE(whole->parameters() == one_by_one->parameters());
  const auto sliced = engine(3);
  sliced->train(chunk.slice(0, 1));
  sliced->train(chunk.slice(1, 2));
  EXPECT_TRUE(sliced->parameters() == one_by_one->parameters());
  // The engine's own rate is as it was.
  one_by_one->set_learning_rate(data_.train.optimizer.learning_rate);
  for (Engine* engine : {one_by_one.get(), whole.get()}) engine->train(data_.packed());
  EXPECT_TRUE(whole->parameters() == one_by_one->parameters());
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
  constexpr auto kRelu = Activation::kRelu;
  constexpr auto kSquared = Loss::kSquaredError;
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
                                  {63, {31, 33}, 10, 1, kU8},
                                  {63, {31}, 17, 130, kU8, Activation::kGelu},
                                  {784, {48, 16}, 10, 33, kF32, Activation::kTanh},
                                  {5, {100, 7}, 17, 128, kU8, Activation::kSigmoid},
                                  {63, {130, 33, 31}, 60, 17, kU8, Activation::kLeakyRelu},
                                  {1030, {520}, 10, 16, kU8, Activation::kGelu},
                                  {5, {}, 1, 15, kF32, kRelu, kSquared},
                                  {63, {33}, 3, 130, kU8, kRelu, kSquared, true},
                                  {1030, {7}, 40, 33, kF32, kRelu, kSquared, true},
                                  {63, {31}, 1, 128, kU8, kRelu, Loss::kHuber, true},
                                  {784, {48, 16}, 40, 33, kF32, Activation::kTanh, Loss::kHuber},
                                  {30, {33}, 3, 130, kF32, kRelu, Loss::kAbsoluteError, true},
                                  {20, {7}, 40, 16, kU8, kRelu, Loss::kAbsoluteError},
                                  {63, {33}, 3, 130, kU8, kRelu, Loss::kBinaryCrossEntropy},
                                  {30, {}, 1, 16, kF32, kRelu, Loss::kBinaryCrossEntropy},
                                  {784, {48, 16}, 40, 33, kF32, kRelu, Loss::kBinaryCrossEntropy}};
  std::vector<Case> all;
  for (const auto precision : {Precision::kFloat32, Precision::kBFloat16}) {
    for (const Shape& shape : shapes) all.push_back({precision, shape});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Shapes, EngineTest, testing::ValuesIn(cases()),
                         [](const auto& tested) { return name_of(tested.param); });

}  // namespace
}  // namespace millrace
