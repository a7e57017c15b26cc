#include "tests/support/reference_mlp.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "compute/tensors.h"

namespace millrace::test {
namespace {

TEST(ReferenceMlp, GradientsAreTheSlopesOfTheMeanLoss) {
  const std::vector<std::vector<std::uint32_t>> nets{{}, {4}, {5, 3}, {3, 4, 5}};
  for (const auto activation : {Activation::kRelu, Activation::kGelu, Activation::kTanh,
                                Activation::kSigmoid, Activation::kLeakyRelu}) {
    for (const auto& hidden : nets) {
      MlpSpec model;
      model.features = 3;
      model.hidden = hidden;
      model.classes = 4;
      ReferenceMlp net(initial_parameters(model, 5), 0.0, activation);
      std::vector<double> samples;
      for (int i = 0; i < 15; ++i) samples.push_back(std::sin(1.7 * i + 0.3));
      const std::vector<std::int32_t> labels{0, 3, 1, 2, 3};
      net.backward(samples, labels);
      const auto gradients = net.gradients();
      constexpr double kStep = 1e-5;
      for (std::size_t t = 0; t < gradients.size(); ++t) {
        for (std::size_t i = 0; i < gradients[t].size(); ++i) {
          double& value = net.parameters()[t][i];
          const double old = value;
          value = old + kStep;
          const double above = net.forward(samples, labels).loss_sum;
          value = old - kStep;
          const double below = net.forward(samples, labels).loss_sum;
          value = old;
          EXPECT_NEAR(gradients[t][i], (above - below) / (2 * kStep * 5), 1e-8)
              << name_of(activation) << ", " << hidden.size() << " hidden, tensor " << t
              << ", value " << i;
        }
      }
    }
  }
}

TEST(ReferenceMlp, GradientsAreTheSlopesOfTheMeanLossOfNumbers) {
  for (const auto loss :
       {Loss::kSquaredError, Loss::kAbsoluteError, Loss::kHuber, Loss::kBinaryCrossEntropy}) {
    for (const bool scaled : {false, true}) {
      MlpSpec model;
      model.features = 3;
      model.hidden = {4};
      model.classes = 2;
      model.activation = Activation::kTanh;
      model.loss = loss;
      if (scaled && loss == Loss::kBinaryCrossEntropy) continue;
      if (scaled) model.target_scales = {{0.5F, 0.25F}, {-1.0F, 4.0F}};
      ReferenceMlp net(initial_parameters(model, 5), model);
      std::vector<double> samples;
      std::vector<std::int32_t> words;
      for (int i = 0; i < 15; ++i) samples.push_back(std::sin(1.7 * i + 0.3));
      for (int i = 0; i < 10; ++i) {
        words.push_back(std::bit_cast<std::int32_t>(2.0F * std::sin(static_cast<float>(i))));
      }
      net.backward(samples, words);
      const auto gradients = net.gradients();
      constexpr double kStep = 1e-5;
      for (std::size_t t = 0; t < gradients.size(); ++t) {
        for (std::size_t i = 0; i < gradients[t].size(); ++i) {
          double& value = net.parameters()[t][i];
          const double old = value;
          value = old + kStep;
          const double above = net.forward(samples, words).loss_sum;
          value = old - kStep;
          const double below = net.forward(samples, words).loss_sum;
          value = old;
          EXPECT_NEAR(gradients[t][i], (above - below) / (2 * kStep * 5), 1e-8)
              << name_of(loss) << ", tensor " << t << ", value " << i;
        }
      }
    }
  }
}

TEST(ReferenceMlp, LossesOfNumbersAreWhatOneWorksOutByHand) {
  // The outputs are 1 and 5, the scaled targets 1.5 and 2.
  const Parameters parameters{{"0.weight", {2, 1}, {1, 2}}, {"0.bias", {2}, {-1, 1}}};
  const std::vector<double> sample{2.0};
  const std::vector<std::int32_t> words{std::bit_cast<std::int32_t>(4.0F),
                                        std::bit_cast<std::int32_t>(2.0F)};
  MlpSpec model;
  model.features = 1;
  model.classes = 2;
  model.target_scales = {{1.0F, 2.0F}, {0.0F, 1.0F}};
  const auto loss_of = [&](Loss loss) {
    model.loss = loss;
    const auto result = ReferenceMlp(parameters, model).forward(sample, words);
    EXPECT_DOUBLE_EQ(result.squared_error_sum, (0.25 + 9.0) / 2.0);
    EXPECT_EQ(result.correct, 0U);
    return result.loss_sum;
  };
  EXPECT_DOUBLE_EQ(loss_of(Loss::kSquaredError), (0.25 + 9.0) / 2.0);
  EXPECT_DOUBLE_EQ(loss_of(Loss::kAbsoluteError), (0.5 + 3.0) / 2.0);
  EXPECT_DOUBLE_EQ(loss_of(Loss::kHuber), (0.125 + 2.5) / 2.0);
}

TEST(ReferenceMlp, TheLossOfLabelsIsWhatOneWorksOutByHand) {
  // The logits are 0 and ln 3: 1 of 2, and 3 of 4, say yes; neither label is there.
  const Parameters parameters{{"0.weight", {2, 1}, {0, 0}},
                              {"0.bias", {2}, {0, static_cast<float>(std::log(3.0))}}};
  const std::vector<std::int32_t> words{0, 0};
  MlpSpec model;
  model.features = 1;
  model.classes = 2;
  model.loss = Loss::kBinaryCrossEntropy;
  const auto result = ReferenceMlp(parameters, model).forward(std::vector<double>{1.0}, words);
  EXPECT_NEAR(result.loss_sum, (std::log(2.0) + std::log(4.0)) / 2.0, 1e-7);
  EXPECT_DOUBLE_EQ(result.squared_error_sum, 2.0);
}

TEST(ReferenceMlp, AStepIsWhatOneWorksOutByHand) {
  // One feature, two classes, equal logits: loss ln 2, gradient ±1/2.
  const Parameters zero{{"0.weight", {2, 1}, {0, 0}}, {"0.bias", {2}, {1, 1}}};
  ReferenceMlp net(zero);
  const std::vector<double> sample{2.0};
  const std::vector<std::int32_t> label{0};
  const auto result = net.step(sample, label, {0.5F, 0.5F, 0.25F});
  EXPECT_DOUBLE_EQ(result.loss_sum, std::log(2.0));
  EXPECT_EQ(net.momentum()[0], (std::vector<double>{-1.0, 1.0}));
  EXPECT_EQ(net.parameters()[0], (std::vector<double>{0.5, -0.5}));
  EXPECT_EQ(net.momentum()[1], (std::vector<double>{-0.25, 0.75}));
  EXPECT_EQ(net.parameters()[1], (std::vector<double>{1.125, 0.625}));
}

}  // namespace
}  // namespace millrace::test
