#include "tools/image/text_grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace millrace {
namespace {

Captioned ramp(std::uint32_t width, std::uint32_t height, std::string caption) {
  Captioned one{Picture(width, height, 1), std::move(caption)};
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      one.picture.pixels[y * width + x] = static_cast<std::uint8_t>(x * 255 / (width - 1));
    }
  }
  return one;
}

std::size_t characters(const std::string& line) {
  std::size_t count = 0;
  for (const char c : line) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return count;
}

TEST(TextGrid, IsDenserWhereThePictureIsBrighter) {
  const std::vector<Captioned> one{ramp(10, 4, "7")};
  EXPECT_EQ(text_grid(one, {}), " .:-=+*#%@\n .:-=+*#%@\n7\n");
  EXPECT_EQ(text_grid(one, {.width = 80, .columns = 0, .utf8 = true}),
            "  ░░▒▒▓▓██\n  ░░▒▒▓▓██\n7\n");
}

TEST(TextGrid, FitsEveryWidth) {
  const std::vector<Captioned> pictures(7, ramp(28, 28, "a long name of a class, longer than it"));
  for (const std::size_t width : {1U, 3U, 20U, 40U, 80U, 200U}) {
    for (const std::size_t columns : {0U, 1U, 5U, 7U, 1000U}) {
      for (const bool utf8 : {false, true}) {
        std::istringstream text(text_grid(pictures, {width, columns, utf8}));
        for (std::string line; std::getline(text, line);) {
          EXPECT_LE(characters(line), width) << columns;
        }
      }
    }
  }
}

TEST(TextGrid, KeepsProportionsAndStandsSideBySide) {
  const std::vector<Captioned> pictures(5, ramp(28, 28, "x"));
  const std::string text = text_grid(pictures, {.width = 80, .columns = 0, .utf8 = false});
  // Three of 25 columns and 13 lines, a caption, an empty line; then two more.
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 13 + 1 + 1 + 13 + 1);
  EXPECT_NE(text.find("x                          x                          x\n"),
            std::string::npos)
      << text;
}

TEST(TextGrid, ShowsColoursByTheirLightness) {
  Captioned red{Picture(2, 2, 3), "red"};
  for (std::size_t i = 0; i < 12; i += 3) red.picture.pixels[i] = 255;
  EXPECT_EQ(text_grid(std::vector{red}, {}), "::\nre\n");
}

TEST(TextGrid, LeavesNoControlCharacters) {
  const std::vector<Captioned> one{ramp(10, 2, "a\x1b[2Jb\n\xc3\xa4")};
  EXPECT_EQ(text_grid(one, {}), " .:-=+*#%@\na?[2Jb???\n");
  EXPECT_EQ(text_grid(one, {.width = 80, .columns = 0, .utf8 = true}),
            "  ░░▒▒▓▓██\na?[2Jb?\xc3\xa4\n");
  EXPECT_EQ(text_grid({}, {}), "");
}

}  // namespace
}  // namespace millrace
