#include "compute/cpu/aligned_array.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace millrace::cpu {
namespace {

static_assert(!std::is_copy_constructible_v<AlignedArray<float>>);
static_assert(std::is_nothrow_move_constructible_v<AlignedArray<float>>);

TEST(AlignedArray, StartsOnACacheLineAsZeros) {
  for (const std::size_t count : {1U, 15U, 16U, 1000U}) {
    const AlignedArray<float> array(count);
    ASSERT_EQ(array.size(), count);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % 64, 0U);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(array[i], 0.0F);
  }
}

TEST(AlignedArray, HasNothingUntilItIsGivenASize) {
  const AlignedArray<float> array;
  EXPECT_TRUE(array.empty());
  EXPECT_EQ(array.data(), nullptr);
}

TEST(AlignedArray, MovesWhole) {
  AlignedArray<float> from(3);
  from[1] = 7.0F;
  AlignedArray<float> to(std::move(from));
  EXPECT_EQ(to.size(), 3U);
  EXPECT_EQ(to[1], 7.0F);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): what is left behind is the point
  from = std::move(to);
  EXPECT_EQ(from[1], 7.0F);
  EXPECT_TRUE(to.empty());  // NOLINT(bugprone-use-after-move)
}

}  // namespace
}  // namespace millrace::cpu
