#include "tools/image/caption.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace millrace {
namespace {

std::size_t drawn(const Picture& picture) {
  return static_cast<std::size_t>(std::ranges::count(picture.pixels, 200));
}

TEST(Caption, DrawsWithinItsSize) {
  for (const std::string text : {"0", "Wgjy", "frog 17", "|"}) {
    const std::uint32_t width = text_width(text);
    Picture whole(width + 40, kTextHeight + 40, 1);
    draw_text(whole, 20, 20, text, 200);
    EXPECT_GT(drawn(whole), 3U) << text;
    for (std::uint32_t y = 0; y < whole.height; ++y) {
      for (std::uint32_t x = 0; x < whole.width; ++x) {
        const bool inside = x >= 20 && x < 20 + width && y >= 20 && y < 20 + kTextHeight;
        if (!inside) {
          EXPECT_EQ(whole.pixels[y * whole.width + x], 0) << text << ' ' << x << ',' << y;
        }
      }
    }
  }
}

TEST(Caption, DrawsDifferentCharactersDifferently) {
  const auto pixels = [](const char* text) {
    Picture picture(12, 12, 1);
    draw_text(picture, 0, 0, text, 200);
    return picture.pixels;
  };
  EXPECT_NE(pixels("3"), pixels("8"));
  EXPECT_EQ(pixels("\xc3\xa4"), pixels("?"));
}

TEST(Caption, IsCutAtTheEdgeOfThePicture) {
  Picture small(3, 3, 3);
  draw_text(small, 1, 1, "WWWW", 200);
  draw_text(small, 900, 900, "W", 200);
  EXPECT_EQ(small.pixels[0], 0);
}

TEST(Caption, IsFittedToAWidth) {
  EXPECT_EQ(fitted("cat", 100), "cat");
  const std::string cut = fitted("a very long name of a class", 60);
  EXPECT_LE(text_width(cut), 60U);
  EXPECT_TRUE(cut.starts_with("a ver")) << cut;
  EXPECT_TRUE(cut.ends_with("..")) << cut;
  EXPECT_EQ(fitted("name", 0), "");
  EXPECT_EQ(fitted("\xc3\xa4\n", 100), "??");
}

}  // namespace
}  // namespace millrace
