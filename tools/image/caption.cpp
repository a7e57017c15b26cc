// The one place that compiles stb's font; its functions stay inside.

#include "tools/image/caption.h"

#include <stb/stb_easy_font.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace millrace {
namespace {

// What stb_easy_font_print() writes: four corners make a rectangle, upper left first.
struct Corner {
  float x, y, z;
  std::array<unsigned char, 4> colour;
};
static_assert(sizeof(Corner) == 16);
constexpr std::size_t kCorners = 4;
constexpr std::size_t kRectangles = 20;  // of one character, at most

// One line of what the font has. A multi-byte UTF-8 character is one '?'.
std::string drawable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) == 0x80U) continue;
    out += byte >= 32 && byte < 127 ? c : '?';
  }
  return out;
}

}  // namespace

std::uint32_t text_width(std::string_view text) {
  std::string line = drawable(text);
  return static_cast<std::uint32_t>(std::max(0, stb_easy_font_width(line.data())));
}

std::string fitted(std::string_view text, std::uint32_t width) {
  std::string line = drawable(text);
  if (text_width(line) <= width) return line;
  while (!line.empty()) {
    line.pop_back();
    if (text_width(line + "..") <= width) return line + "..";
  }
  return line;
}

void draw_text(Picture& picture, std::uint32_t x, std::uint32_t y, std::string_view text,
               std::uint8_t level) {
  std::string line = drawable(text);
  std::vector<Corner> corners((line.size() + 1) * kRectangles * kCorners);
  const int rectangles = stb_easy_font_print(0.0F, 0.0F, line.data(), nullptr, corners.data(),
                                             static_cast<int>(corners.size() * sizeof(Corner)));
  for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(0, rectangles)); ++i) {
    const Corner& from = corners[i * kCorners];
    const Corner& to = corners[i * kCorners + 2];
    const std::uint64_t right = std::min<std::uint64_t>(
        picture.width, std::uint64_t{x} + static_cast<std::uint64_t>(std::max(0.0F, to.x)));
    const std::uint64_t bottom = std::min<std::uint64_t>(
        picture.height, std::uint64_t{y} + static_cast<std::uint64_t>(std::max(0.0F, to.y)));
    for (auto row = std::uint64_t{y} + static_cast<std::uint64_t>(std::max(0.0F, from.y));
         row < bottom; ++row) {
      for (auto column = std::uint64_t{x} + static_cast<std::uint64_t>(std::max(0.0F, from.x));
           column < right; ++column) {
        const auto at = (row * picture.width + column) * picture.channels;
        std::fill_n(picture.pixels.begin() + static_cast<std::ptrdiff_t>(at), picture.channels,
                    level);
      }
    }
  }
}

}  // namespace millrace
