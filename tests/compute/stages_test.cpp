#include "compute/cpu/stages.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::cpu {
namespace {

std::string text(std::size_t layers, bool batch_norm, bool buffered = false) {
  constexpr const char* kNames[] = {"input",  "lanes",    "norm",  "forward",   "top",
                                    "unnorm", "backward", "tiles", "gradients", "update"};
  std::string all;
  for (const Stage& stage : stages_of(layers, batch_norm, buffered)) {
    all += std::string(kNames[static_cast<std::size_t>(stage.kind)]) + std::to_string(stage.layer) +
           ' ';
  }
  return all;
}

TEST(Stages, AreThreeWithoutNormalisation) {
  for (const std::size_t layers : {1U, 2U, 5U}) {
    EXPECT_EQ(text(layers, false), "input0 lanes0 tiles0 ");
  }
  EXPECT_EQ(text(1, true), "input0 lanes0 tiles0 ");
}

TEST(Stages, KeepGradientsForAnUpdateApart) {
  EXPECT_EQ(text(2, false, true), "input0 lanes0 gradients0 update0 ");
  EXPECT_EQ(text(2, true, true), "input0 norm0 top1 unnorm0 gradients0 update0 ");
}

TEST(Stages, GoUpAndDownThroughNormalisedLayers) {
  EXPECT_EQ(text(2, true), "input0 norm0 top1 unnorm0 tiles0 ");
  EXPECT_EQ(text(4, true),
            "input0 norm0 forward1 norm1 forward2 norm2 top3 "
            "unnorm2 backward2 unnorm1 backward1 unnorm0 tiles0 ");
}

}  // namespace
}  // namespace millrace::cpu
