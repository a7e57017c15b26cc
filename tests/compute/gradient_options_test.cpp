// Clipping, accumulation and averages, on each device in each precision: against what they mean,
// and to the bit where that can be said.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>

#include "compute/cuda_engine.h"
#include "compute/engine.h"
#include "compute/tensors.h"
#include "tests/compute/engine_data.h"

namespace millrace {
namespace {

using test::Data;

struct Where {
  Precision precision;
  Device::Kind device;
};
void PrintTo(const Where& where, std::ostream* out) {
  *out << name_of(where.precision)
       << (where.device == Device::Kind::kCpu ? " on a CPU" : " on a GPU");
}

class GradientOptions : public testing::TestWithParam<Where> {
 protected:
  void SetUp() override {
    if (GetParam().device == Device::Kind::kCuda) {
      if (const std::string obstacle = cuda_obstacle(); !obstacle.empty()) GTEST_SKIP() << obstacle;
    }
    const EngineInfo info = make(data())->info();
    if (info.precision != GetParam().precision) GTEST_SKIP() << info.notice;
  }
  // Two batches of 40 and one of 20.
  static Data data(Loss loss = Loss::kCrossEntropy) {
    Data data({63, {33, 17}, 10, 40, InputType::kUInt8, Activation::kRelu, loss});
    data.train.optimizer = {0.05F, 0.9F, 0.01F};
    return data;
  }
  std::unique_ptr<Engine> make(const Data& data, std::uint32_t threads = 2) const {
    return data.engine(GetParam().precision, threads, GetParam().device);
  }
};

double distance(const Parameters& a, const Parameters& b) {
  double sum = 0.0;
  for (std::size_t t = 0; t < a.size(); ++t) {
    for (std::size_t i = 0; i < a[t].values.size(); ++i) {
      sum += std::pow(double{a[t].values[i]} - double{b[t].values[i]}, 2.0);
    }
  }
  return std::sqrt(sum);
}

TEST_P(GradientOptions, ANormThatNoGradientReachesChangesNoBit) {
  for (const auto kind : {OptimizerSpec::Kind::kSgd, OptimizerSpec::Kind::kNesterov,
                          OptimizerSpec::Kind::kAdam, OptimizerSpec::Kind::kAdamW}) {
    Data plain = data();
    plain.train.optimizer.kind = kind;
    if (plain.train.optimizer.adaptive()) plain.train.optimizer.momentum = 0.0F;
    Data clipped = plain;
    clipped.train.optimizer.clip_norm = 1e30F;
    const auto expected = make(plain);
    const auto found = make(clipped, 3);
    for (Engine* engine : {expected.get(), found.get()}) engine->train(plain.packed());
    EXPECT_TRUE(found->parameters() == expected->parameters()) << name_of(kind);
    EXPECT_TRUE(found->optimizer_state() == expected->optimizer_state()) << name_of(kind);
  }
}

TEST_P(GradientOptions, AStepIsNoLongerThanTheNorm) {
  for (const bool normed : {false, true}) {
    Data free = data();
    free.model.batch_norm = normed;
    free.train.optimizer = {1.0F, 0.0F, 0.0F};
    const Chunk step = free.packed().slice(0, 1);
    const auto moved = [&](float clip_norm) {
      Data clipped = free;
      clipped.train.optimizer.clip_norm = clip_norm;
      const auto engine = make(clipped);
      const Parameters before = engine->parameters();
      engine->train(step);
      Parameters after = engine->parameters();
      // Running statistics move without a gradient.
      for (std::size_t t = 0; t < after.size(); ++t) {
        if (!is_trained(after[t])) after[t] = before[t];
      }
      return distance(after, before);
    };
    const double whole = moved(0.0F);
    EXPECT_NEAR(moved(static_cast<float>(whole * 0.25)), whole * 0.25, whole * 1e-4);
    EXPECT_NEAR(moved(static_cast<float>(whole * 2.0)), whole, whole * 1e-4);
  }
}

TEST_P(GradientOptions, PartsOfABatchMakeTheStepOfTheWhole) {
  for (const std::uint32_t rows : {16U, 20U, 39U, 1U}) {
    for (const Loss loss : {Loss::kCrossEntropy, Loss::kSquaredError}) {
      Data whole = data(loss);
      whole.model.dropout = 0.25F;
      Data parts = whole;
      parts.train.micro_batch = rows;
      const auto expected = make(whole);
      const auto found = make(parts);
      const Parameters begin = expected->parameters();
      for (Engine* engine : {expected.get(), found.get()}) engine->train(whole.packed());
      const double moved = distance(expected->parameters(), begin);
      // Another order of summation; in bfloat16 each part rounds its own gradients.
      EXPECT_LT(distance(found->parameters(), expected->parameters()),
                moved * (GetParam().precision == Precision::kFloat32 ? 1e-5 : 2e-2))
          << rows;
      const Metrics a = expected->metrics();
      const Metrics b = found->metrics();
      EXPECT_EQ(b.steps, a.steps);
      EXPECT_EQ(b.samples, a.samples);
      EXPECT_NEAR(b.loss_sum, a.loss_sum, a.loss_sum * 1e-2);
      EXPECT_NEAR(b.squared_error_sum, a.squared_error_sum, a.squared_error_sum * 1e-2);
    }
  }
}

TEST_P(GradientOptions, AClassOfWeightTwoIsOneWithTwiceTheSamples) {
  Data weighted = data();
  weighted.train.optimizer = {0.05F, 0.0F, 0.0F};
  weighted.train.label_smoothing = 0.1F;
  const std::uint32_t count = weighted.train.batch;
  const std::size_t width = weighted.model.features;
  Data repeated = weighted;
  repeated.bytes.clear();
  repeated.labels.clear();
  for (std::uint32_t c = 0; c < weighted.model.classes; ++c) {
    weighted.train.class_weights.push_back(static_cast<float>(c % 3));
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    for (std::int32_t copy = 0; copy < weighted.labels[i] % 3; ++copy) {
      const auto sample = std::span(weighted.bytes).subspan(i * width, width);
      repeated.bytes.insert(repeated.bytes.end(), sample.begin(), sample.end());
      repeated.labels.push_back(weighted.labels[i]);
    }
  }
  // A step's gradient is divided by its samples, whatever they weigh.
  repeated.train.batch = static_cast<std::uint32_t>(repeated.labels.size());
  repeated.train.optimizer.learning_rate *=
      static_cast<float>(repeated.train.batch) / static_cast<float>(count);
  ASSERT_NE(repeated.train.batch, count);
  const auto expected = make(repeated);
  const auto found = make(weighted);
  const Parameters begin = expected->parameters();
  expected->train(repeated.packed());
  found->train(weighted.packed().slice(0, 1));
  const bool exact = GetParam().precision == Precision::kFloat32;
  EXPECT_LT(distance(found->parameters(), expected->parameters()),
            distance(expected->parameters(), begin) * (exact ? 1e-5 : 2e-2));
  const double loss = expected->metrics().loss_sum;
  EXPECT_NEAR(found->metrics().loss_sum, loss, loss * (exact ? 1e-5 : 1e-2));
  // Evaluation knows nothing of them.
  found->set_parameters(begin);
  expected->set_parameters(begin);
  for (Engine* engine : {found.get(), expected.get()}) engine->evaluate(data().packed());
  EXPECT_EQ(found->metrics().loss_sum, expected->metrics().loss_sum);
}

TEST_P(GradientOptions, WeightsOfOneChangeNoBit) {
  const Data plain = data();
  Data ones = plain;
  ones.train.class_weights.assign(ones.model.classes, 1.0F);
  const auto expected = make(plain);
  const auto found = make(ones);
  for (Engine* engine : {expected.get(), found.get()}) engine->train(plain.packed());
  EXPECT_TRUE(found->parameters() == expected->parameters());
  EXPECT_EQ(found->metrics().loss_sum, expected->metrics().loss_sum);
}

// Everything at once, of numbers.
Data rich_in_numbers() {
  Data data({63, {33, 17}, 35, 40, InputType::kUInt8, Activation::kRelu, Loss::kHuber, true});
  data.model.batch_norm = true;
  data.model.dropout = 0.2F;
  data.train.micro_batch = 16;
  data.train.optimizer = {0.01F, 0.0F, 0.01F, OptimizerSpec::Kind::kAdamW};
  data.train.optimizer.clip_norm = 0.5F;
  data.train.optimizer.ema = 0.9F;
  return data;
}

// Everything at once.
Data rich(Activation activation) {
  Data data({63, {33, 17}, 10, 40, InputType::kUInt8, activation});
  data.model.batch_norm = true;
  data.model.dropout = 0.2F;
  data.train.label_smoothing = 0.1F;
  data.train.micro_batch = 16;
  data.train.class_weights = {1.0F, 0.5F, 2.0F, 1.0F, 0.0F, 3.0F, 1.0F, 0.25F, 1.0F, 1.5F};
  data.train.optimizer = {0.01F, 0.0F, 0.01F, OptimizerSpec::Kind::kAdamW};
  data.train.optimizer.clip_norm = 0.5F;
  data.train.optimizer.ema = 0.9F;
  return data;
}

TEST_P(GradientOptions, AnyThreadsGroupingAndResumptionGiveTheSameBits) {
  for (const Data& data : {rich(Activation::kRelu), rich(Activation::kGelu), rich_in_numbers()}) {
    const Chunk chunk = data.packed();
    const auto whole = make(data, 1);
    for (int epoch = 0; epoch < 3; ++epoch) whole->train(chunk);
    const Metrics expected = whole->metrics();
    whole->evaluate(chunk);
    const Metrics evaluated = whole->metrics();
    for (const std::uint32_t threads : {2U, 3U}) {
      const auto first = make(data, threads);
      const auto second = make(data, 5 - threads);
      first->train(chunk);
      first->train(chunk.slice(0, 1));
      first->evaluate(chunk);  // which changes nothing
      const Parameters parameters = first->parameters();
      const OptimizerState state = first->optimizer_state();
      second->set_parameters(parameters);
      second->set_optimizer_state(state);
      EXPECT_TRUE(second->parameters() == parameters);
      EXPECT_TRUE(second->optimizer_state() == state);
      for (Engine* engine : {first.get(), second.get()}) {
        engine->metrics();
        engine->train(chunk.slice(1, 1));
        engine->train(chunk.slice(2, 1));
        engine->train(chunk);
        EXPECT_TRUE(engine->parameters() == whole->parameters()) << threads;
        EXPECT_TRUE(engine->optimizer_state() == whole->optimizer_state()) << threads;
        engine->metrics();
        engine->evaluate(chunk);
        const Metrics metrics = engine->metrics();
        EXPECT_EQ(metrics.loss_sum, evaluated.loss_sum) << threads;
        EXPECT_EQ(metrics.squared_error_sum, evaluated.squared_error_sum) << threads;
      }
    }
    EXPECT_EQ(expected.steps, 9U);
  }
}

TEST_P(GradientOptions, TheAverageFollowsTheWeightsAndIsWhatIsEvaluated) {
  for (const bool normed : {false, true}) {
    Data data({63, {33}, 10, 40, InputType::kUInt8});
    data.model.batch_norm = normed;
    data.train.optimizer = {0.05F, 0.9F, 0.0F};
    data.train.optimizer.ema = 0.6F;
    const auto engine = make(data);
    Parameters average = engine->parameters();
    for (std::uint32_t step = 1; step <= 9; ++step) {
      engine->train(data.packed().slice((step - 1) % 3, 1));
      const double decay =
          std::min(0.6, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
      const OptimizerState state = engine->optimizer_state();
      for (Tensor& tensor : average) {
        const auto raw = std::ranges::find(state, tensor.name + kRawSuffix, &Tensor::name);
        ASSERT_NE(raw, state.end()) << tensor.name;
        for (std::size_t i = 0; i < tensor.values.size(); ++i) {
          tensor.values[i] = static_cast<float>(decay * double{tensor.values[i]} +
                                                (1.0 - decay) * double{raw->values[i]});
        }
      }
    }
    const Parameters found = engine->parameters();
    for (std::size_t t = 0; t < found.size(); ++t) {
      for (std::size_t i = 0; i < found[t].values.size(); ++i) {
        ASSERT_NEAR(found[t].values[i], average[t].values[i], 1e-6) << found[t].name;
      }
    }
    // Training itself is what it is without.
    Data without = data;
    without.train.optimizer.ema = 0.0F;
    const auto plain = make(without);
    for (int epoch = 0; epoch < 3; ++epoch) plain->train(data.packed());
    const OptimizerState state = engine->optimizer_state();
    for (const Tensor& tensor : plain->parameters()) {
      const auto raw = std::ranges::find(state, tensor.name + kRawSuffix, &Tensor::name);
      EXPECT_TRUE(raw->values == tensor.values) << tensor.name;
    }
    plain->metrics();
    engine->metrics();
    plain->evaluate(data.packed());
    engine->evaluate(data.packed());
    const double of_raw = plain->metrics().loss_sum;
    const double of_average = engine->metrics().loss_sum;
    EXPECT_NE(of_average, of_raw);
    plain->set_parameters(found);
    plain->evaluate(data.packed());
    EXPECT_EQ(plain->metrics().loss_sum, of_average);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, GradientOptions,
                         testing::Values(Where{Precision::kFloat32, Device::Kind::kCpu},
                                         Where{Precision::kBFloat16, Device::Kind::kCpu},
                                         Where{Precision::kFloat32, Device::Kind::kCuda},
                                         Where{Precision::kBFloat16, Device::Kind::kCuda}),
                         [](const auto& tested) {
                           const bool cpu = tested.param.device == Device::Kind::kCpu;
                           return std::string(name_of(tested.param.precision)) +
                                  (cpu ? "_cpu" : "_cuda");
                         });

}  // namespace
}  // namespace millrace
