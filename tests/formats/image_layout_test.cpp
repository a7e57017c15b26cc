#include "formats/image_layout.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace millrace {
namespace {

using Dims = std::vector<std::uint64_t>;

/// {height, width, channels, planes}; empty: no image.
std::vector<std::uint32_t> found_in(const Dims& dims) {
  const auto layout = image_layout_of({dims});
  if (!layout) return {};
  return {layout->height, layout->width, layout->channels, layout->planes ? 1U : 0U};
}

using Found = std::vector<std::uint32_t>;

TEST(ImageLayout, IsFoundInTheShape) {
  EXPECT_EQ(found_in({28, 20}), (Found{28, 20, 1, 0}));
  EXPECT_EQ(found_in({28, 20, 1}), (Found{28, 20, 1, 0}));
  EXPECT_EQ(found_in({28, 20, 3}), (Found{28, 20, 3, 0}));
  EXPECT_EQ(found_in({1, 28, 20}), (Found{28, 20, 1, 1}));
  EXPECT_EQ(found_in({3, 28, 20}), (Found{28, 20, 3, 1}));
  EXPECT_EQ(found_in({3, 8, 3}), (Found{8, 3, 3, 1})) << "channels in front";
}

TEST(ImageLayout, IsNoneOfOtherShapes) {
  for (const Dims& dims : {Dims{}, Dims{784}, Dims{28, 20, 2}, Dims{4, 28, 20}, Dims{1, 3, 8, 8},
                           Dims{0, 5}, Dims{5, 0, 3}}) {
    EXPECT_EQ(found_in(dims), Found{}) << dims.size();
  }
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 33U;
  EXPECT_EQ(found_in({kHuge, 1}), Found{}) << "no 32 bits hold it";
  EXPECT_EQ(found_in({1, kHuge, kHuge}), Found{}) << "the product is 0 in 64 bits";
}

}  // namespace
}  // namespace millrace
