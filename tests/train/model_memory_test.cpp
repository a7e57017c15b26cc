#include "train/model_memory.h"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>

namespace millrace {
namespace {

MlpSpec model_of(std::vector<std::uint32_t> hidden) {
  MlpSpec model;
  model.features = 784;
  model.hidden = std::move(hidden);
  model.classes = 10;
  return model;
}

std::string refusal(const MlpSpec& model, const TrainSpec& train, std::uint64_t bytes) {
  try {
    check_memory(model, train, 2, bytes);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "taken";
}

// How often the model's weights are there, nearly all of which are the second layer's.
double forms(const TrainSpec& train) {
  const MlpSpec model = model_of({65'536, 65'536});
  return static_cast<double>(least_memory(model, train, 1)) /
         static_cast<double>(state_bytes(model, {}));
}

TEST(ModelMemory, IsOfAllFormsOfTheWeights) {
  constexpr double kNear = 1.04;
  const auto expect = [](double found, double forms) {
    EXPECT_GE(found, forms);
    EXPECT_LE(found, forms * kNear);
  };
  TrainSpec train;
  train.batch = 1;
  expect(forms(train), 3.0);  // in the engine, transposed there, and a copy to save
  train.optimizer.clip_norm = 1.0F;
  expect(forms(train), 4.0);  // gradients
  train.optimizer = {.momentum = 0.9F};
  expect(forms(train), 5.0);
  train.optimizer = {.kind = OptimizerSpec::Kind::kAdam, .ema = 0.9F};
  expect(forms(train), 9.0);
  train.precision = Precision::kBFloat16;
  expect(forms(train), 9.5);  // both ways in bfloat16, and the average
}

TEST(ModelMemory, IsOfABatchInAllLayers) {
  TrainSpec train;
  const auto batch = [&](const MlpSpec& model) {
    train.batch = 100'001;
    const auto more = least_memory(model, train, 1);
    train.batch = 1;
    return static_cast<double>(more - least_memory(model, train, 1)) / 100'000.0;
  };
  auto model = model_of({64});
  // The input, two sums of the first layer, its outputs and gradients, and the logits.
  const double plain = 4.0 * (800 + 2 * 64 + 2 * 64 + 32);
  EXPECT_NEAR(batch(model), 1.02 * plain, 1.0);
  model.activation = Activation::kGelu;
  model.batch_norm = true;
  EXPECT_NEAR(batch(model), 1.02 * (plain + 8 * 64), 1.0);
  train.micro_batch = 10;
  EXPECT_LT(batch(model), 3.0);
}

TEST(ModelMemory, OfAGpuIsWhatIsSaved) {
  EXPECT_EQ(least_memory(model_of({32}), {}, 0), 25'450U * 4);
}

TEST(ModelMemory, SaturatesWhereItOverflows) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  constexpr std::uint32_t kWide = std::numeric_limits<std::uint32_t>::max();
  TrainSpec train;
  train.batch = kWide;
  EXPECT_EQ(least_memory(model_of({kWide, kWide, kWide}), train, 2), kMost);
  EXPECT_EQ(least_memory(model_of({kWide, 1}), train, 2), kMost);
}

TEST(ModelMemory, RefusalsNameTheOption) {
  TrainSpec train;
  EXPECT_EQ(refusal(model_of({1'000'000, 1'000'000}), train, 16'000'000'000),
            "--hidden: expected a model that fits in the 16.0 GB of memory at hand, found one that "
            "needs 12252.0 GB");
  train.batch = 4'000'000;
  EXPECT_EQ(refusal(model_of({1000}), train, 15'900'000'000),
            "--batch: expected a batch that fits in the 15.9 GB of memory at hand, found one that "
            "needs 80.4 GB");
  EXPECT_EQ(refusal(model_of({1000}), train, 80'500'000'000), "taken");
}

}  // namespace
}  // namespace millrace
