#include "tools/image/grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tools/image/caption.h"

namespace millrace {
namespace {

Captioned uniform(std::uint8_t level, std::uint32_t channels = 1) {
  Captioned one{Picture(4, 3, channels), ""};
  std::fill(one.picture.pixels.begin(), one.picture.pixels.end(), level);
  return one;
}

TEST(Grid, PutsPicturesInRowsWithPaddingAround) {
  const std::vector<Captioned> pictures{uniform(100), uniform(110), uniform(120)};
  const GridLayout layout{.columns = 2, .zoom = 2, .padding = 3};
  const Picture grid = draw_grid(pictures, layout);
  const std::uint32_t row = 3 * 2 + kTextHeight + 1 + 3;
  EXPECT_EQ(grid.width, 2U * (8 + 3) + 3);
  EXPECT_EQ(grid.height, 2 * row + 3);
  EXPECT_EQ(grid.channels, 1U);
  EXPECT_EQ(grid_pixels(3, 4, 3, layout), grid.pixels.size());
  for (std::uint32_t y = 0; y < grid.height; ++y) {
    for (std::uint32_t x = 0; x < grid.width; ++x) {
      const bool across = (x >= 3 && x < 11) || (x >= 14 && x < 22);
      const std::uint32_t left = x >= 14 ? 1 : 0;
      int expected = 40;
      if (across && y >= 3 && y < 9) expected = left == 0 ? 100 : 110;
      if (across && left == 0 && y >= 3 + row && y < 9 + row) expected = 120;
      ASSERT_EQ(grid.pixels[y * grid.width + x], expected) << x << ',' << y;
    }
  }
}

TEST(Grid, WritesCaptionsBelow) {
  std::vector<Captioned> pictures{uniform(0)};
  pictures[0].picture = Picture(30, 5, 1);
  const Picture without = draw_grid(pictures, {});
  pictures[0].caption = "cat";
  const Picture with = draw_grid(pictures, {});
  ASSERT_EQ(with.pixels.size(), without.pixels.size());
  for (std::size_t i = 0; i < with.pixels.size(); ++i) {
    const auto y = i / with.width;
    if (y < 2 + 5) {
      EXPECT_EQ(with.pixels[i], without.pixels[i]);
    }
  }
  EXPECT_NE(with.pixels, without.pixels);
}

TEST(Grid, IsInColourWhereAPictureIs) {
  std::vector<Captioned> pictures{uniform(9), uniform(7, 3)};
  pictures[1].picture.pixels[1] = 200;
  const Picture grid = draw_grid(pictures, {.columns = 9, .zoom = 1, .padding = 0});
  EXPECT_EQ(grid.channels, 3U);
  EXPECT_EQ(grid.width, 8U);
  EXPECT_EQ(grid.pixels[0], 9);
  EXPECT_EQ(grid.pixels[2], 9);
  EXPECT_EQ(grid.pixels[12], 7);
  EXPECT_EQ(grid.pixels[13], 200);
}

TEST(Grid, OfNothingIsEmpty) { EXPECT_TRUE(draw_grid({}, {}).pixels.empty()); }

}  // namespace
}  // namespace millrace
