#include "tools/report/scatter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/report/chart.h"
#include "tools/report/html.h"

namespace millrace {
namespace {

// In the units of the viewBox, as in chart.cpp.
constexpr double kWidth = 440.0;
constexpr double kHeight = 440.0;
constexpr double kLeft = 72.0;
constexpr double kRight = 14.0;
constexpr double kTop = 14.0;
constexpr double kBottom = 46.0;

bool is_finite(const Scatter::Point& point) {
  return std::isfinite(point.truth) && std::isfinite(point.predicted);
}

}  // namespace

std::string render_scatter(const Scatter& scatter) {
  double least = std::numeric_limits<double>::infinity();
  double largest = -least;
  for (const Scatter::Point& point : scatter.points) {
    if (!is_finite(point)) continue;
    least = std::min({least, double{point.truth}, double{point.predicted}});
    largest = std::max({largest, double{point.truth}, double{point.predicted}});
  }
  if (!(least <= largest)) return {};
  const auto ticks = ticks_of(least, largest);
  const double begin = ticks.front();
  const double range = ticks.back() - begin;
  const auto across = [&](double value) {
    return kLeft + (kWidth - kRight - kLeft) * (value - begin) / range;
  };
  const auto up = [&](double value) {
    return kHeight - kBottom - (kHeight - kBottom - kTop) * (value - begin) / range;
  };
  std::string svg = begin_chart(scatter.title, "", kWidth, kHeight);
  for (const double tick : ticks) {
    const double at = std::abs(tick) < 1e-9 * range ? 0.0 : tick;
    svg += fmt::format(R"(<line class="grid" x1="{0:.1f}" y1="{2:.1f}" x2="{1:.1f}" y2="{2:.1f}"/>)"
                       R"(<line class="grid" x1="{3:.1f}" y1="{4:.1f}" x2="{3:.1f}" y2="{5:.1f}"/>)"
                       R"(<text class="end" x="{6:.1f}" y="{7:.1f}">{8:.4g}</text>)"
                       R"(<text class="mid" x="{3:.1f}" y="{9:.1f}">{8:.4g}</text>)",
                       kLeft, kWidth - kRight, up(tick), across(tick), kTop, kHeight - kBottom,
                       kLeft - 7, up(tick) + 4, at, kHeight - kBottom + 18);
  }
  svg += fmt::format(R"(<path class="c2" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>)", across(begin),
                     up(begin), across(ticks.back()), up(ticks.back()));
  for (const Scatter::Point& point : scatter.points) {
    if (!is_finite(point)) continue;
    svg += fmt::format(R"(<circle class="c1 dim" cx="{:.1f}" cy="{:.1f}" r="2.5"/>)",
                       across(point.truth), up(point.predicted));
  }
  svg += fmt::format(R"(<text class="mid" x="{:.1f}" y="{:.1f}">true</text>)",
                     (kLeft + kWidth - kRight) / 2, kHeight - 8);
  svg += fmt::format(
      R"svg(<text class="mid" transform="rotate(-90)" x="{:.1f}" y="12">predicted</text>)svg",
      -(kTop + kHeight - kBottom) / 2);
  return svg + "</svg></figure>\n";
}

}  // namespace millrace
