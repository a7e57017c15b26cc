#include "tools/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tools/report/html.h"

namespace millrace {
namespace {

// In the units of the viewBox; on a narrow screen one is a little less than a CSS pixel.
constexpr double kWidth = 440.0;
constexpr double kHeight = 250.0;
constexpr double kLeft = 52.0;
constexpr double kRight = 14.0;
constexpr double kTop = 14.0;
constexpr double kBottom = 30.0;
constexpr std::size_t kMostDots = 40;
constexpr std::size_t kMostGroups = 1000;  // more than there are pixels across
constexpr std::size_t kWidestLabel = 7;    // characters

struct Axis {
  std::vector<double> ticks;
  double begin, end;   // values
  double first, last;  // places
  double at(double value) const {
    return begin == end ? (first + last) / 2
                        : first + (last - first) * (value - begin) / (end - begin);
  }
};

int power_of_ten(double value) { return static_cast<int>(std::floor(std::log10(value) + 1e-9)); }

// "1.5e-7"
std::string with_power(double value, int digits) {
  const std::string text = fmt::format("{:.{}e}", value, digits);
  const std::size_t at = text.find('e');
  return fmt::format("{}e{}", text.substr(0, at), std::stoi(text.substr(at + 1)));
}

// As many digits as tell ticks apart, with powers of ten where there is no room for them.
std::vector<std::string> labels_of(const std::vector<double>& ticks, Chart::Unit unit) {
  const bool percent = unit == Chart::Unit::kPercent;
  const double scale = percent ? 100.0 : 1.0;
  const double largest = scale * std::max(std::abs(ticks.front()), std::abs(ticks.back()));
  const int last_digit = power_of_ten(scale * (ticks[1] - ticks[0]));
  const int digits = std::max(0, power_of_ten(largest) - last_digit);
  std::vector<std::string> plain;
  std::vector<std::string> powers;
  for (const double tick : ticks) {
    plain.push_back(fmt::format("{:.{}f}", scale * tick, std::max(0, -last_digit)));
    powers.push_back(tick == 0.0 ? "0" : with_power(scale * tick, digits));
  }
  const auto width = [](const std::vector<std::string>& labels) {
    return std::ranges::max(labels, {}, &std::string::size).size();
  };
  const bool room = width(plain) <= kWidestLabel || width(plain) <= width(powers);
  std::vector<std::string>& labels = room ? plain : powers;
  for (std::string& label : labels) label += percent ? " %" : "";
  return labels;
}

std::string value_text(double value, Chart::Unit unit) {
  return unit == Chart::Unit::kPercent ? fmt::format("{:.2f} %", 100.0 * value)
                                       : fmt::format("{:.4g}", value);
}

std::string line(const char* style, double x1, double y1, double x2, double y2) {
  return fmt::format(R"(<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)", style,
                     x1, y1, x2, y2);
}

std::string render_axes(const Axis& x, const Axis& y, Chart::Unit unit) {
  std::string svg;
  const auto labels = labels_of(y.ticks, unit);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double at = y.at(y.ticks[i]);
    svg += line("grid", kLeft, at, kWidth - kRight, at);
    svg += fmt::format(R"(<text class="end" x="{:.1f}" y="{:.1f}">{}</text>)", kLeft - 7, at + 4,
                       labels[i]);
  }
  for (const double tick : x.ticks) {
    if (tick > x.end || tick != std::floor(tick)) continue;
    svg += fmt::format(R"(<text class="mid" x="{:.1f}" y="{:.1f}">{:.0f}</text>)", x.at(tick),
                       kHeight - 10, tick);
  }
  return svg;
}

bool is_there(const std::optional<double>& value) { return value && std::isfinite(*value); }

// Which values a line goes through: all, or of very many the least and the largest of each group of
// neighbours, between which a line through all of them runs up and down on the same pixels.
std::vector<std::size_t> places_of(const std::vector<std::optional<double>>& values) {
  const std::size_t group = 1 + values.size() / kMostGroups;
  std::vector<std::size_t> places;
  for (std::size_t begin = 0; begin < values.size(); begin += group) {
    std::size_t least = begin;
    std::size_t largest = begin;
    for (std::size_t i = begin; i < std::min(begin + group, values.size()); ++i) {
      if (!is_there(values[i])) continue;
      if (!is_there(values[least]) || *values[i] < *values[least]) least = i;
      if (!is_there(values[largest]) || *values[i] > *values[largest]) largest = i;
    }
    places.push_back(std::min(least, largest));
    if (least != largest) places.push_back(std::max(least, largest));
  }
  return places;
}

std::string render_series(const Series& series, const Axis& x, const Axis& y, Chart::Unit unit) {
  std::string path;
  std::string dots;
  bool pen_down = false;
  const bool dotted = series.values.size() <= kMostDots;
  for (const std::size_t i : places_of(series.values)) {
    const auto& value = series.values[i];
    if (!is_there(value)) {
      pen_down = false;
      continue;
    }
    const double left = x.at(static_cast<double>(i));
    path += fmt::format("{}{:.1f} {:.1f}", pen_down ? 'L' : 'M', left, y.at(*value));
    pen_down = true;
    if (!dotted) continue;
    dots += fmt::format(
        R"(<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{}, epoch {}: {}</title></circle>)",
        series.style, left, y.at(*value), escape_html(series.name), i, value_text(*value, unit));
  }
  return fmt::format(R"(<path class="{}" d="{}"/>)", series.style, path) + dots;
}

std::string render_legend(const Chart& chart) {
  if (chart.series.size() < 2) return {};
  std::string html = R"(<span class="legend">)";
  for (const Series& series : chart.series) {
    html +=
        fmt::format(R"(<span class="key {}">{}</span>)", series.style, escape_html(series.name));
  }
  return html + "</span>";
}

}  // namespace

std::vector<double> ticks_of(double least, double largest) {
  double range = largest - least;
  if (!(range > 0.0) || range < 1e-12 * std::max(std::abs(least), std::abs(largest))) {
    range = std::abs(largest) > 1e-9 ? std::abs(largest) * 0.1 : 1.0;
    least -= range / 2;
    largest += range / 2;
    range = largest - least;
  }
  const double power = std::pow(10.0, std::floor(std::log10(range / 4)));
  double step = power;
  for (const double factor : {2.0, 5.0, 10.0}) {
    if (range / step > 5.0 + 1e-9) step = power * factor;
  }
  std::vector<double> ticks;
  const double first = std::floor(least / step + 1e-9);
  const double last = std::ceil(largest / step - 1e-9);
  for (double i = first; i <= last; i += 1.0) ticks.push_back(i * step);
  return ticks;
}

std::string render_chart(const Chart& chart) {
  double least = std::numeric_limits<double>::infinity();
  double largest = -least;
  std::size_t longest = 0;
  for (const Series& series : chart.series) {
    longest = std::max(longest, series.values.size());
    for (const auto& value : series.values) {
      if (!is_there(value)) continue;
      least = std::min(least, *value);
      largest = std::max(largest, *value);
    }
  }
  if (!(least <= largest)) return {};
  if (chart.from_zero) least = std::min(least, 0.0);
  Axis y{ticks_of(least, largest), 0, 0, kHeight - kBottom, kTop};
  if (chart.unit == Chart::Unit::kPercent) {  // of which there are 0 to 100
    std::erase_if(y.ticks, [](double tick) { return tick < 0.0 || tick > 1.0 + 1e-9; });
  }
  y.begin = y.ticks.front();
  y.end = y.ticks.back();
  const auto last = static_cast<double>(longest - 1);
  const Axis x{ticks_of(0.0, std::max(1.0, last)), 0, last, kLeft + 6, kWidth - kRight - 4};
  std::string svg = begin_chart(chart.title, render_legend(chart), kWidth, kHeight);
  svg += render_axes(x, y, chart.unit);
  for (const Series& series : chart.series) svg += render_series(series, x, y, chart.unit);
  return svg + "</svg></figure>\n";
}

}  // namespace millrace
