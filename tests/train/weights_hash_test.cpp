#include "train/weights_hash.h"

#include <gtest/gtest.h>

#include <span>
#include <vector>

#include "formats/hash.h"

namespace millrace {
namespace {

TEST(WeightsHash, IsTheHashOfAllBytesInOrder) {
  const std::vector<float> all = {1.0F, 2.0F, -0.0F};
  EXPECT_EQ(weights_hash({{"a", {2}, {1.0F, 2.0F}}, {"b", {1}, {-0.0F}}}),
            hash_hex(std::as_bytes(std::span(all))));
}

TEST(WeightsHash, SeesASingleBit) {
  EXPECT_NE(weights_hash({{"a", {1}, {0.0F}}}), weights_hash({{"a", {1}, {-0.0F}}}));
}

}  // namespace
}  // namespace millrace
