#include "train/byte_counts.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(ByteCounts, SaturateWhereTheyOverflow) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(whole_bytes(12.9), 12U);
  EXPECT_EQ(whole_bytes(0x1p64), kMost);
  EXPECT_EQ(whole_bytes(1e300), kMost);
}

TEST(ByteCounts, AreToldInAUnitOfTheirSize) {
  EXPECT_EQ(size_text(850'200'000), "850 MB");
  EXPECT_EQ(size_text(12'340'000'000), "12.3 GB");
}

}  // namespace
}  // namespace millrace
