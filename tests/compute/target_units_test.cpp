#include "compute/target_units.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace {
namespace {

TEST(TargetUnits, ComeBackFromWhatTheNetworkSees) {
  MlpSpec model;
  model.classes = 2;
  model.loss = Loss::kSquaredError;
  model.target_scales = {{100.0F, 8.0F}, {-1.0F, 0.5F}};
  const std::vector<float> targets{116.0F, 0.25F, 98.0F, -1.0F, 100.0F, -3.0F};
  std::vector<float> outputs;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    outputs.push_back(scaled(model.target_scales[i % 2], targets[i]));
  }
  EXPECT_EQ(outputs, (std::vector<float>{2.0F, 2.5F, -0.25F, 0.0F, 0.0F, -4.0F}));
  to_target_units(model, outputs);
  EXPECT_EQ(outputs, targets);
}

TEST(TargetUnits, AreThoseOfTheNetworkWithoutScales) {
  MlpSpec model;
  model.classes = 3;
  std::vector<float> outputs{1.0F, -2.0F, 3.0F};
  to_target_units(model, outputs);
  EXPECT_EQ(outputs, (std::vector<float>{1.0F, -2.0F, 3.0F}));
}

}  // namespace
}  // namespace millrace
