#pragma once

#include <optional>
#include <string>
#include <vector>

namespace millrace {

/// One line of a chart.
struct Series {
  std::string name;
  std::string style;                          ///< class of the page's style sheet: "c1"
  std::vector<std::optional<double>> values;  ///< at x = 0, 1, …; none: a gap
};

/// A line chart over epochs.
struct Chart {
  std::string title;
  std::vector<Series> series;
  enum class Unit { kPlain, kPercent } unit = Unit::kPlain;  ///< kPercent: values are 0 to 1
  bool from_zero = false;  ///< the axis of values begins at 0, so that lengths can be compared
};

/// Round numbers, 3 to 7 of them, that cover [least, largest]: multiples of 1, 2 or 5 times a power
/// of ten.
std::vector<double> ticks_of(double least, double largest);

/// As an SVG element (https://www.w3.org/TR/SVG11/) that fills the width it is given. Colours come
/// from the page. Empty without values.
std::string render_chart(const Chart& chart);

}  // namespace millrace
