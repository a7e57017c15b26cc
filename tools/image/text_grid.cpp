#include "tools/image/text_grid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

#include "tools/console/characters.h"

namespace millrace {
namespace {

constexpr std::size_t kGap = 2;       // characters between pictures
constexpr std::size_t kLegible = 24;  // characters of a picture's width
constexpr std::array<std::string_view, 10> kAscii{" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"};
constexpr std::array<std::string_view, 5> kBlocks{" ", "░", "▒", "▓", "█"};

double grey_at(const Picture& picture, std::size_t x, std::size_t y) {
  const std::uint8_t* pixel = picture.pixels.data() + (y * picture.width + x) * picture.channels;
  if (picture.channels < 3) return pixel[0];
  return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

// The mean of the pixels that [from, to) of `count` parts of each side cover.
double mean(const Picture& picture, std::size_t column, std::size_t columns, std::size_t row,
            std::size_t rows) {
  const auto range = [](std::size_t part, std::size_t parts, std::size_t pixels) {
    const std::size_t begin = part * pixels / parts;
    return std::pair{begin, std::max(begin + 1, (part + 1) * pixels / parts)};
  };
  const auto [left, right] = range(column, columns, picture.width);
  const auto [top, bottom] = range(row, rows, picture.height);
  double sum = 0.0;
  for (std::size_t y = top; y < bottom; ++y) {
    for (std::size_t x = left; x < right; ++x) sum += grey_at(picture, x, y);
  }
  return sum / static_cast<double>((right - left) * (bottom - top));
}

std::string_view shade(double grey, bool utf8) {
  const std::span<const std::string_view> ramp =
      utf8 ? std::span<const std::string_view>(kBlocks) : kAscii;
  const auto level = static_cast<std::size_t>(grey / 256.0 * static_cast<double>(ramp.size()));
  return ramp[std::min(level, ramp.size() - 1)];
}

// Bytes of `text` that are its first `most` characters.
std::string_view first_characters(std::string_view text, std::size_t most) {
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (begins && seen++ == most) break;
  }
  return text.substr(0, at);
}

// A line without the blanks that end it.
void put_line(std::string& out, std::string line) {
  line.resize(line.find_last_not_of(' ') + 1);
  out += line;
  out += '\n';
}

// A name with a control character would act on the terminal.
std::string printable(std::string_view caption, bool utf8) {
  std::string text;
  for (const char c : caption) {
    const auto byte = static_cast<unsigned char>(c);
    const bool other = byte < 32 || byte == 127 || (byte >= 128 && !utf8);
    text += other ? '?' : c;
  }
  return text;
}

}  // namespace

std::string text_grid(std::span<const Captioned> pictures, const TextLayout& layout) {
  if (pictures.empty()) return {};
  const Picture& first = pictures.front().picture;
  const std::size_t legible = std::min<std::size_t>(kLegible, first.width);
  std::size_t columns = layout.columns;
  if (columns == 0) columns = (layout.width + kGap) / (legible + kGap);
  const std::size_t most = std::max<std::size_t>(1, (layout.width + kGap) / (1 + kGap));
  columns = std::clamp<std::size_t>(columns, 1, std::min(most, pictures.size()));
  const std::size_t room = std::max<std::size_t>(1, (layout.width + kGap) / columns);
  // Not more characters than pixels.
  const std::size_t width = std::clamp<std::size_t>(room > kGap ? room - kGap : 1, 1, first.width);
  const auto height = std::max<std::size_t>(
      1, static_cast<std::size_t>(std::lround(static_cast<double>(width) * first.height /
                                              (2.0 * static_cast<double>(first.width)))));
  std::string text;
  for (std::size_t from = 0; from < pictures.size(); from += columns) {
    const auto row = pictures.subspan(from, std::min(columns, pictures.size() - from));
    for (std::size_t y = 0; y < height; ++y) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (i > 0) line.append(kGap, ' ');
        for (std::size_t x = 0; x < width; ++x) {
          line += shade(mean(row[i].picture, x, width, y, height), layout.utf8);
        }
      }
      put_line(text, std::move(line));
    }
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line.append(kGap, ' ');
      const std::string caption = printable(row[i].caption, layout.utf8);
      line += first_characters(caption, width);
      line.append(width - std::min(width, characters(caption)), ' ');
    }
    put_line(text, std::move(line));
    if (from + columns < pictures.size()) text += '\n';
  }
  return text;
}

}  // namespace millrace
