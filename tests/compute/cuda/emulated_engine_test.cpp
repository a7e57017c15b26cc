// Whole networks with every kernel run by all of a device's threads, in orders that differ from one
// launch to the next.

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "tests/compute/cuda/engine_on_fake.h"
#include "tests/compute/cuda/fake_runtime.h"
#include "tests/compute/engine_data.h"

namespace millrace::cuda {
namespace {

using millrace::test::Data;
using millrace::test::Shape;
using test::EngineOnFake;

struct Trained {
  double loss = 0.0;       // of an epoch
  double evaluated = 0.0;  // the loss after it
  double squared_error = 0.0;
  Parameters parameters;
  OptimizerState optimizer;

  bool operator==(const Trained&) const = default;
};

Trained train(const Data& data, const Arithmetic& arithmetic, bool threads) {
  const EngineOnFake fixture(data, {.schedule = test::Schedule::kRandom, .threads = threads},
                             arithmetic);
  Engine& engine = *fixture.engine;
  engine.train(data.packed());
  Trained result;
  result.loss = engine.metrics().loss_sum;
  engine.evaluate(data.packed());
  const Metrics metrics = engine.metrics();
  result.evaluated = metrics.loss_sum;
  result.squared_error = metrics.squared_error_sum;
  result.parameters = engine.parameters();
  result.optimizer = engine.optimizer_state();
  return result;
}

struct Case {
  std::string name;
  Shape shape;
  ElementType storage = ElementType::kFloat32;
  std::function<void(Data&)> change;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class EmulatedEngine : public testing::TestWithParam<Case> {};

TEST_P(EmulatedEngine, TrainsAsOneThreadDoesInWhateverOrder) {
  Data data(GetParam().shape);
  GetParam().change(data);
  const Arithmetic arithmetic{.storage = GetParam().storage, .one_kernel = true};
  const Trained expected = train(data, arithmetic, false);
  const Trained found = train(data, arithmetic, true);
  EXPECT_TRUE(train(data, arithmetic, true) == found) << "another order, other bits";
  const double bound = GetParam().storage == ElementType::kFloat32 ? 1e-4 : 2e-2;
  EXPECT_NEAR(found.loss, expected.loss, bound * expected.loss);
  EXPECT_NEAR(found.evaluated, expected.evaluated, bound * expected.evaluated);
  EXPECT_NEAR(found.squared_error, expected.squared_error, bound * expected.squared_error);
  ASSERT_EQ(found.parameters.size(), expected.parameters.size());
  for (std::size_t t = 0; t < found.parameters.size(); ++t) {
    const std::vector<float>& values = found.parameters[t].values;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double value = expected.parameters[t].values[i];
      ASSERT_NEAR(values[i], value, 10.0 * bound * (0.1 + std::abs(value)))
          << found.parameters[t].name << "[" << i << "]";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, EmulatedEngine,
    testing::Values(
        Case{"one_kernel",
             {30, {20}, 7, 16, InputType::kUInt8},
             ElementType::kFloat32,
             [](Data&) {}},
        Case{"relu",
             {30, {20, 9}, 7, 16, InputType::kUInt8},
             ElementType::kFloat32,
             [](Data& d) { d.model.dropout = 0.25F; }},
        Case{"relu_bf16",
             {30, {20, 9}, 40, 16, InputType::kFloat32},
             ElementType::kBFloat16,
             [](Data& d) { d.train.label_smoothing = 0.1F; }},
        Case{"numbers",
             {30, {20}, 40, 16, InputType::kUInt8, Activation::kRelu, Loss::kSquaredError, true},
             ElementType::kFloat32,
             [](Data& d) { d.train.micro_batch = 5; }},
        Case{"numbers_bf16",
             {30, {20, 9}, 3, 16, InputType::kFloat32, Activation::kTanh, Loss::kHuber},
             ElementType::kBFloat16,
             [](Data&) {}},
        Case{"gelu_clipped_in_parts",
             {30, {20, 9}, 7, 16, InputType::kUInt8},
             ElementType::kFloat32,
             [](Data& d) {
               d.model.activation = Activation::kGelu;
               d.train.optimizer.clip_norm = 0.5F;
               d.train.micro_batch = 5;
             }},
        Case{"batch_norm_averaged",
             {30, {20, 9}, 7, 16, InputType::kUInt8},
             ElementType::kFloat32,
             [](Data& d) {
               d.model.batch_norm = true;
               d.train.optimizer.ema = 0.9F;
             }}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace millrace::cuda
