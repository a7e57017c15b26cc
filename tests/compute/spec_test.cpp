#include "compute/spec.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace millrace {
namespace {

MlpSpec model(std::uint32_t features, std::vector<std::uint32_t> hidden, std::uint32_t classes) {
  MlpSpec spec;
  spec.features = features;
  spec.hidden = std::move(hidden);
  spec.classes = classes;
  return spec;
}

TEST(MlpSpec, WidthsRunFromInputToOutput) {
  EXPECT_EQ(model(784, {32}, 10).widths(), (std::vector<std::uint32_t>{784, 32, 10}));
  EXPECT_EQ(model(3, {}, 2).widths(), (std::vector<std::uint32_t>{3, 2}));
  EXPECT_EQ(model(3, {5, 7}, 2).widths(), (std::vector<std::uint32_t>{3, 5, 7, 2}));
}

TEST(MlpSpec, CountsWeightsAndBiases) {
  EXPECT_EQ(model(784, {32}, 10).parameter_count(), 784U * 32 + 32 + 32 * 10 + 10);
  EXPECT_EQ(model(3, {}, 2).parameter_count(), 3U * 2 + 2);
}

TEST(MlpSpec, CountsBeyond32Bits) {
  EXPECT_EQ(model(1U << 20U, {1U << 20U}, 1).parameter_count(),
            (std::uint64_t{1} << 40U) + (std::uint64_t{1} << 20U) + (1U << 20U) + 1);
}

TEST(Activation, GoesByItsName) {
  for (const auto activation : {Activation::kRelu, Activation::kGelu, Activation::kTanh,
                                Activation::kSigmoid, Activation::kLeakyRelu}) {
    EXPECT_EQ(activation_called(name_of(activation)), activation);
  }
  EXPECT_EQ(activation_called("swish"), std::nullopt);
}

TEST(MlpSpec, TheFirstLayerHasNoGradientOfItsInput) {
  // A multiply-add is two operations; forward and weight gradient everywhere, input gradient but
  // once.
  EXPECT_EQ(model(784, {32}, 10).train_flops_per_sample(), 2U * (784 * 32 * 2 + 32 * 10 * 3));
  EXPECT_EQ(model(3, {}, 2).train_flops_per_sample(), 2U * (3 * 2 * 2));
}

TEST(Loss, HasANameEach) {
  for (const Loss loss : {Loss::kCrossEntropy, Loss::kSquaredError, Loss::kAbsoluteError,
                          Loss::kHuber, Loss::kBinaryCrossEntropy}) {
    EXPECT_EQ(loss_called(name_of(loss)), loss);
  }
  EXPECT_EQ(loss_called("l2"), std::nullopt);
}

TEST(MlpSpec, LabelsAreAWordForEachTargetOrOne) {
  MlpSpec model;
  model.classes = 10;
  EXPECT_FALSE(model.regression());
  EXPECT_EQ(model.label_words(), 1U);
  model.loss = Loss::kHuber;
  EXPECT_TRUE(model.regression());
  EXPECT_FALSE(model.multilabel());
  EXPECT_EQ(model.label_words(), 10U);
  model.loss = Loss::kBinaryCrossEntropy;
  EXPECT_FALSE(model.regression());
  EXPECT_TRUE(model.multilabel());
  EXPECT_TRUE(model.has_targets());
  EXPECT_EQ(model.label_words(), 10U);
}

}  // namespace
}  // namespace millrace
