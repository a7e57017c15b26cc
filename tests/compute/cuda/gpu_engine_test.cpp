// The engine on a real GPU, through the public interface; skipped where there is none.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compute/cuda_engine.h"
#include "compute/memory.h"
#include "tests/compute/engine_data.h"
#include "tests/support/reference_mlp.h"

namespace millrace {
namespace {

using test::Data;
using test::expect_near;
using test::ReferenceMlp;
using test::Shape;

// As many steps as a small epoch has, in chunks of 8, a tail, and again: launches, then graphs.
std::vector<double> losses(Engine& engine, const Data& data, const Chunk& whole,
                           HostMemory& memory) {
  std::vector<double> sums;
  HostBuffer samples(memory, data.bytes.size());
  for (int epoch = 0; epoch < 5; ++epoch) {
    for (std::uint32_t first = 0; first < whole.batches(); first += 8) {
      Chunk chunk = whole.slice(first, 8);
      if (chunk.packed()) {
        std::copy(chunk.samples.begin(), chunk.samples.end(), samples.data());
        chunk.samples = samples.bytes().first(chunk.samples.size());
      }
      engine.train(chunk);
      std::fill_n(samples.data(), samples.size(), std::byte{77});
    }
    sums.push_back(engine.metrics().loss_sum);
  }
  return sums;
}

class GpuEngine : public testing::TestWithParam<Precision> {
 protected:
  void SetUp() override {
    if (const std::string obstacle = cuda_obstacle(); !obstacle.empty()) GTEST_SKIP() << obstacle;
    const EngineInfo info = engine(Data({5, {7}, 3, 4, InputType::kUInt8}))->info();
    if (info.precision != GetParam()) GTEST_SKIP() << info.notice;
  }
  static std::unique_ptr<Engine> engine(const Data& data, Device::Kind kind = Device::Kind::kCuda) {
    TrainSpec train = data.train;
    train.precision = GetParam();
    return make_engine(data.model, train, {.kind = kind, .threads = 2});
  }
  /// A bound for each precision: float32 is exact but for the order of sums, TF32 rounds the
  /// inputs of products to 10 bits of the fraction, bfloat16 all that is stored to 7.
  static double bound(double float32, double tf32, double bfloat16) {
    if (GetParam() == Precision::kFloat32) return float32;
    return GetParam() == Precision::kTf32 ? tf32 : bfloat16;
  }
  /// In steps of 32 samples, over five epochs. The fake device comes to 3e-8, 2.4e-3 and 5.4e-3.
  static void expect_the_cpus_losses(const Data& data) {
    const auto gpu = engine(data);
    const auto cpu = data.engine(Precision::kFloat32, 2);
    Chunk chunk = data.packed();
    chunk.batch = 32;
    const auto found = losses(*gpu, data, chunk, pageable_memory());
    const auto expected = losses(*cpu, data, chunk, pageable_memory());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], bound(1e-4, 5e-3, 3e-2) * expected[i])
          << "epoch " << i << ", " << gpu->info().description;
    }
  }
};

TEST_P(GpuEngine, AgreesWithTheReference) {
  // The fake device comes to 1e-5, 0.025 (bits cut off) and 0.086.
  const double change_bound = bound(1e-4, 5e-2, 0.12);
  const double loss_bound = bound(1e-5, 2e-3, 1e-2);
  constexpr auto kRelu = Activation::kRelu;
  const std::vector<Shape> shapes{
      {1, {}, 2, 1, InputType::kUInt8},
      {5, {7}, 3, 16, InputType::kUInt8},
      {5, {7}, 1, 16, InputType::kFloat32, kRelu, Loss::kSquaredError},
      {63, {33}, 40, 37, InputType::kUInt8, kRelu, Loss::kHuber, true},
      {63, {33}, 40, 37, InputType::kUInt8, kRelu, Loss::kBinaryCrossEntropy},
      {63, {33}, 2, 300, InputType::kFloat32},
      {784, {32}, 10, 128, InputType::kUInt8},
      {784, {100, 48, 31}, 10, 33, InputType::kUInt8},
      {1030, {520}, 600, 17, InputType::kFloat32}};
  for (const Shape& shape : shapes) {
    SCOPED_TRACE(std::to_string(shape.features) + " features");
    const Data data(shape);
    const auto engine = this->engine(data);
    SCOPED_TRACE(engine->info().description);
    const Parameters begin = engine->parameters();
    ReferenceMlp reference(begin, data.model, bound(1e-4, 1e-2, 5e-2));
    const Chunk chunk = data.packed();
    for (std::uint32_t s = 0; s < chunk.batches(); ++s) {
      const Chunk step = chunk.slice(s, 1);
      const std::size_t first = std::size_t{s} * chunk.batch;
      const auto expected = reference.step(data.rows(first, step.count),
                                           data.labels_of(first, step.count), data.train.optimizer);
      engine->train(step);
      const Metrics metrics = engine->metrics();
      const double mean = expected.loss_sum / step.count;
      EXPECT_NEAR(metrics.mean_loss(), mean, loss_bound * (1 + mean)) << "step " << s;
      const double squared = expected.squared_error_sum / step.count;
      EXPECT_NEAR(
          metrics.mean_squared_error(), squared,
          loss_bound * (1 + squared) + expected.squared_error_margin(data.model) / step.count)
          << "step " << s;
      EXPECT_LE(
          std::abs(static_cast<double>(metrics.correct) - static_cast<double>(expected.correct)),
          static_cast<double>(expected.close));
    }
    expect_near(engine->parameters(), reference.parameters(), &begin, change_bound);
    const auto expected = reference.forward(data.reference, data.labels);
    engine->evaluate(chunk);
    EXPECT_NEAR(engine->metrics().loss_sum, expected.loss_sum,
                loss_bound * (chunk.count + expected.loss_sum));
  }
}

const Shape kEpoch{784, {32}, 10, 256, InputType::kUInt8};  // 640 samples: 20 batches of 32

TEST_P(GpuEngine, GivesTheSameBitsAgainAndFromAnySource) {
  const Data data(kEpoch);
  Chunk packed = data.packed();
  packed.batch = 32;
  packed.count = 630;
  packed.samples = packed.samples.first(packed.count * std::size_t{784});
  packed.labels = packed.labels.first(packed.count);
  const auto first = engine(data);
  const auto expected = losses(*first, data, packed, pageable_memory());
  const Parameters parameters = first->parameters();
  EXPECT_LT(expected.back(), expected.front());

  const auto again = engine(data);
  EXPECT_EQ(losses(*again, data, packed, pageable_memory()), expected);
  EXPECT_TRUE(again->parameters() == parameters);
  const auto pinned = engine(data);
  EXPECT_EQ(losses(*pinned, data, packed, pinned->host_memory()), expected);
  EXPECT_TRUE(pinned->parameters() == parameters);
  const auto resident = engine(data);
  Chunk indexed = data.indexed(resident->add_resident(data.resident()));
  indexed.batch = 32;
  indexed.count = 630;
  indexed.indices = indexed.indices.first(630);
  EXPECT_EQ(losses(*resident, data, indexed, pageable_memory()), expected);
  EXPECT_TRUE(resident->parameters() == parameters);
}

// Every kernel at once, small enough for compute-sanitizer: steps of 16 in parts of 7, 7 and 2,
// one by one and in graphs, and an evaluation between them.
TEST_P(GpuEngine, GivesTheSameBitsWithEverythingOnAndAfterAResumption) {
  for (const auto activation : {Activation::kRelu, Activation::kGelu}) {
    SCOPED_TRACE(name_of(activation));
    Data data({63, {40, 21}, 10, 64, InputType::kUInt8, activation});
    data.model.batch_norm = true;
    data.model.dropout = 0.2F;
    data.train.batch = 16;
    data.train.micro_batch = 7;
    data.train.label_smoothing = 0.1F;
    data.train.optimizer = {0.01F, 0.0F, 0.01F, OptimizerSpec::Kind::kAdamW};
    data.train.optimizer.clip_norm = 0.5F;
    data.train.optimizer.ema = 0.9F;
    const Chunk chunk = data.packed();
    const auto whole = engine(data);
    for (int epoch = 0; epoch < 5; ++epoch) whole->train(chunk);
    whole->metrics();
    whole->evaluate(chunk);
    const double expected = whole->metrics().loss_sum;
    const auto first = engine(data);
    const auto second = engine(data);
    for (int epoch = 0; epoch < 2; ++epoch) first->train(chunk);
    first->train(chunk.slice(0, 3));
    first->evaluate(chunk);  // which changes nothing
    second->set_parameters(first->parameters());
    second->set_optimizer_state(first->optimizer_state());
    for (Engine* engine : {first.get(), second.get()}) {
      engine->train(chunk.slice(3, chunk.batches()));
      for (int epoch = 0; epoch < 2; ++epoch) engine->train(chunk);
      EXPECT_TRUE(engine->parameters() == whole->parameters());
      EXPECT_TRUE(engine->optimizer_state() == whole->optimizer_state());
      engine->metrics();
      engine->evaluate(chunk);
      EXPECT_EQ(engine->metrics().loss_sum, expected);
    }
  }
}

TEST_P(GpuEngine, FollowsTheCpuForAHundredSteps) { expect_the_cpus_losses(Data(kEpoch)); }

TEST_P(GpuEngine, FollowsTheCpuWithWeightsOfClasses) {
  for (const std::vector<std::uint32_t>& hidden : {std::vector{32U}, std::vector{100U, 48U}}) {
    Data data({784, hidden, 10, 64, InputType::kUInt8});
    data.train.class_weights = {1.0F, 0.5F, 2.0F, 1.0F, 0.0F, 3.0F, 1.0F, 0.25F, 1.0F, 1.5F};
    expect_the_cpus_losses(data);
  }
}

TEST_P(GpuEngine, FollowsTheCpuOnNumbersAndPredictsThemInTheirUnits) {
  for (const Loss loss : {Loss::kSquaredError, Loss::kAbsoluteError, Loss::kHuber}) {
    SCOPED_TRACE(name_of(loss));
    const Data data({784, {100, 48}, 5, 64, InputType::kUInt8, Activation::kGelu, loss, true});
    expect_the_cpus_losses(data);
    const auto gpu = engine(data);
    const auto cpu = data.engine(Precision::kFloat32, 2);
    std::vector<float> found(data.labels.size());
    std::vector<float> expected(data.labels.size());
    gpu->predict(data.packed(), found);
    cpu->predict(data.packed(), expected);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const TargetScale& scale = data.model.target_scales[i % 5];
      EXPECT_NEAR(found[i], expected[i], bound(1e-5, 1e-2, 5e-2) * double{scale.deviation} + 1e-5)
          << i;
    }
  }
}

TEST_P(GpuEngine, FollowsTheCpuOnLabels) {
  expect_the_cpus_losses(Data(
      {784, {100, 48}, 5, 64, InputType::kUInt8, Activation::kGelu, Loss::kBinaryCrossEntropy}));
}

TEST_P(GpuEngine, FollowsTheCpuWithEveryOptimizerAndDropout) {
  using Kind = OptimizerSpec::Kind;
  for (const Kind kind : {Kind::kSgd, Kind::kNesterov, Kind::kAdam, Kind::kAdamW}) {
    SCOPED_TRACE(name_of(kind));
    Data data({784, {100, 48}, 10, 64, InputType::kUInt8});
    data.train.optimizer.kind = kind;
    if (data.train.optimizer.adaptive()) data.train.optimizer.momentum = 0.0F;
    data.train.optimizer.learning_rate = 0.002F;
    data.train.label_smoothing = 0.1F;
    data.model.dropout = 0.25F;
    expect_the_cpus_losses(data);
  }
}

TEST_P(GpuEngine, FollowsTheCpuWithEveryActivation) {
  for (const auto activation :
       {Activation::kGelu, Activation::kTanh, Activation::kSigmoid, Activation::kLeakyRelu}) {
    for (const float dropout : {0.0F, 0.25F}) {
      SCOPED_TRACE(std::string(name_of(activation)) + ", dropout " + std::to_string(dropout));
      Data data({784, {100, 43}, 10, 64, InputType::kUInt8, activation});
      data.model.dropout = dropout;
      expect_the_cpus_losses(data);
    }
  }
}

// Each of what looks at more than a row or a step, alone and all of it at once.
TEST_P(GpuEngine, FollowsTheCpuWithNormalisationClippingPartsAndAverages) {
  for (int what = 0; what < 6; ++what) {
    SCOPED_TRACE(what);
    const bool all = what >= 4;
    Data data({784, {100, 43}, 10, 64, InputType::kUInt8});
    data.train.batch = 32;
    data.train.optimizer.learning_rate = 0.01F;
    if (what == 0 || all) data.model.batch_norm = true;
    if (what == 1 || all) data.train.optimizer.clip_norm = 0.5F;
    if (what == 2 || all) data.train.micro_batch = 12;  // 12, 12 and 8
    if (what == 3 || all) data.train.optimizer.ema = 0.9F;
    if (all) data.model.dropout = 0.2F;
    if (what == 5) data.model.activation = Activation::kGelu;
    const auto gpu = engine(data);
    expect_the_cpus_losses(data);
    const auto cpu = data.engine(Precision::kFloat32, 2);
    for (Engine* engine : {gpu.get(), cpu.get()}) {
      engine->train(data.packed());
      engine->metrics();
      engine->evaluate(data.packed());
    }
    const double loss = cpu->metrics().loss_sum;
    EXPECT_NEAR(gpu->metrics().loss_sum, loss, bound(1e-4, 5e-3, 3e-2) * loss);
  }
}

TEST_P(GpuEngine, ANanWeightOfAnyLayerShows) {
  const Data data({5, {7, 6}, 3, 4, InputType::kFloat32});
  for (const std::size_t tensor : {0U, 1U, 2U, 3U, 4U, 5U}) {
    const auto engine = this->engine(data);
    Parameters parameters = engine->parameters();
    parameters[tensor].values[0] = std::nanf("");
    engine->set_parameters(parameters);
    engine->train(data.packed());
    const auto step = engine->metrics().first_nonfinite_step;
    // A product that ends in a ReLU may take a NaN for 0, as the library has it: such a layer's own
    // NaN then stays where it is, for whoever looks at the parameters.
    if (tensor < 4 && step == std::nullopt) {
      EXPECT_TRUE(std::isnan(engine->parameters()[tensor].values[0])) << "tensor " << tensor;
      continue;
    }
    EXPECT_EQ(step, std::optional<std::uint64_t>(0))
        << "tensor " << tensor << ", " << engine->info().description;
  }
}

TEST_P(GpuEngine, ContinuesFromItsStateAsIfItHadNeverStopped) {
  const Data data({63, {31}, 17, 130, InputType::kUInt8});
  const Chunk chunk = data.packed();
  const auto first = engine(data);
  first->train(chunk.slice(0, 1));
  const auto second = engine(data);
  second->set_parameters(first->parameters());
  second->set_optimizer_state(first->optimizer_state());
  for (Engine* engine : {first.get(), second.get()}) {
    engine->set_learning_rate(0.02F);
    engine->train(chunk.slice(1, 2));
  }
  EXPECT_TRUE(second->parameters() == first->parameters());
  EXPECT_TRUE(second->optimizer_state() == first->optimizer_state());
}

TEST_P(GpuEngine, GivesSumsOfAnEpochWhileTheNextIsTrained) {
  const Data data(kEpoch);
  Chunk chunk = data.packed();
  chunk.batch = 32;
  const auto at_once = engine(data);
  const auto later = engine(data);
  auto done = std::chrono::steady_clock::now();
  std::vector<Metrics> expected;
  for (int epoch = 0; epoch < 4; ++epoch) {
    at_once->train(chunk);
    expected.push_back(at_once->metrics());
    at_once->evaluate(data.packed());
    expected.push_back(at_once->metrics());
    later->train(chunk);
    later->close_metrics();
    later->evaluate(data.packed());
    later->close_metrics();
  }
  later->train(chunk);
  for (const Metrics& of : expected) {
    const Metrics found = later->metrics();
    test::expect_equal_sums(found, of);
    EXPECT_GT(found.done, done);
    done = found.done;
  }
}

TEST_P(GpuEngine, TakesSnapshotsBetweenStepsThatNobodyWaitedFor) {
  Data data(kEpoch);
  data.train.optimizer.ema = 0.9F;
  const auto at_once = engine(data);
  const auto later = engine(data);
  std::vector<std::unique_ptr<Snapshot>> snapshots;
  for (int epoch = 0; epoch < 4; ++epoch) {
    later->train(data.packed());
    snapshots.push_back(later->make_snapshot());
    snapshots.back()->take();
  }
  for (const auto& snapshot : snapshots) {
    at_once->train(data.packed());
    snapshot->await();
    const auto [parameters, state] = snapshot->hand_out();
    EXPECT_EQ(parameters, at_once->parameters());
    EXPECT_EQ(state, at_once->optimizer_state());
  }
}

TEST_P(GpuEngine, PredictsWhatItEvaluates) {
  const Data data({784, {32}, 10, 128, InputType::kUInt8});
  const auto engine = this->engine(data);
  const Chunk chunk = data.packed();
  engine->evaluate(chunk);
  const Metrics evaluated = engine->metrics();
  std::vector<float> logits(std::size_t{chunk.count} * 10);
  engine->predict(chunk, logits);
  EXPECT_EQ(engine->metrics().loss_sum, evaluated.loss_sum);
  std::uint64_t correct = 0;
  for (std::size_t r = 0; r < chunk.count; ++r) {
    const auto row = std::span(logits).subspan(r * 10, 10);
    const auto guess = std::max_element(row.begin(), row.end()) - row.begin();
    correct += guess == data.labels[r] ? 1 : 0;
  }
  EXPECT_EQ(correct, evaluated.correct);
}

TEST_P(GpuEngine, AModelThatDoesNotFitNamesTheBytes) {
  Data data({5, {}, 3, 4, InputType::kUInt8});
  data.model.hidden = {1U << 20U, 1U << 20U};  // 4 TiB of parameters, the first thing to be had
  try {
    engine(data);
    ADD_FAILURE() << "accepted";
  } catch (const DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("asked for"), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, GpuEngine,
                         testing::Values(Precision::kFloat32, Precision::kTf32,
                                         Precision::kBFloat16),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

}  // namespace
}  // namespace millrace
