#include "tools/console/progress_bar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tools/console/terminal.h"

namespace millrace {
namespace {

constexpr std::size_t kNarrowest = 10;
constexpr std::size_t kWidest = 40;
// For the "^C" that a terminal writes behind the bar, and the last column, after which some
// terminals go to the next line.
constexpr std::size_t kFree = 3;
// To the end of the screen: a terminal that became narrower has broken the line in two.
constexpr const char* kClear = "\r\x1b[J";

std::string repeated(const char* text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

// `width` characters of which `share` are drawn.
std::string drawn(double share, std::size_t width, bool utf8) {
  const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
  if (!utf8) {
    const std::size_t head = full < width ? 1 : 0;
    return repeated("=", full) + repeated(">", head) + repeated(" ", width - full - head);
  }
  // Eighths of a cell: U+258F (one eighth) to U+2589 (seven), U+2588 (full).
  constexpr std::array<const char*, 8> kEighths{" ",      "\u258f", "\u258e", "\u258d",
                                                "\u258c", "\u258b", "\u258a", "\u2589"};
  std::string cells = repeated("\u2588", full);
  if (full == width) return cells;
  const auto eighth = static_cast<std::size_t>(
      8.0 * (share * static_cast<double>(width) - std::floor(share * static_cast<double>(width))));
  return cells + kEighths[std::min<std::size_t>(eighth, 7)] + repeated(" ", width - full - 1);
}

}  // namespace

std::string render_bar(const Bar& bar, std::size_t columns, bool utf8) {
  const std::size_t room = columns > kFree ? columns - kFree : 0;
  const double share = std::isfinite(bar.share) ? std::clamp(bar.share, 0.0, 1.0) : 0.0;
  const std::string percent = fmt::format("{:3.0f} %", std::floor(100.0 * share));

  std::string tail = percent;
  const std::size_t fixed = bar.label.size() + sizeof(" || ") - 1;
  for (const std::string& detail : bar.details) {
    if (fixed + kNarrowest + tail.size() + 2 + detail.size() > room) break;
    tail += "  " + detail;
  }
  if (fixed + kNarrowest + tail.size() <= room) {
    const std::size_t width = std::min(kWidest, room - fixed - tail.size());
    return fmt::format("{} |{}| {}", bar.label, drawn(share, width, utf8), tail);
  }
  return (bar.label + ' ' + percent).substr(0, room);
}

std::string render_duration(double seconds) {
  constexpr double kLongest = 1e9;
  if (!std::isfinite(seconds)) seconds = kLongest;
  const auto whole = static_cast<long>(std::ceil(std::clamp(seconds, 0.0, kLongest)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02} min", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02} h", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string render_count(double count) {
  constexpr std::array<const char*, 5> kUnits{"", "k", "M", "G", "T"};
  if (!std::isfinite(count) || count < 0.0) return "?";
  std::size_t unit = 0;
  // 999.5 would be shown as 1000.
  while (count >= 999.5 && unit + 1 < kUnits.size()) {
    count /= 1000.0;
    ++unit;
  }
  if (unit == 0 || count >= 99.95) return fmt::format("{:.0f}{}", count, kUnits[unit]);
  return count >= 9.995 ? fmt::format("{:.1f}{}", count, kUnits[unit])
                        : fmt::format("{:.2f}{}", count, kUnits[unit]);
}

ProgressBar::ProgressBar(Output& output, bool live) noexcept : output_(output), live_(live) {}

void ProgressBar::draw(const Bar& bar) {
  if (!live_) return;
  const std::string line = render_bar(bar, terminal_columns(output_.fd()), terminal_takes_utf8());
  // In one write: half of a line is never to be seen. The cursor stays in front, which is where the
  // line still begins when a terminal that became narrower has broken it.
  output_.write('\r' + line + "\x1b[J\r");
  shown_ = true;
}

void ProgressBar::clear() {
  if (!shown_) return;
  output_.write(kClear);
  shown_ = false;
}

}  // namespace millrace
