#pragma once

#include <string>
#include <vector>

namespace millrace {

/// True and predicted values of one target.
struct Scatter {
  struct Point {
    float truth = 0.0F;
    float predicted = 0.0F;
  };
  std::string title;
  std::vector<Point> points;  ///< those that are not finite are left out
};

/// A square chart, truth to the right and predictions upwards, both by one scale, with the line on
/// which they are equal; an SVG element as those of chart.h. Empty without points.
std::string render_scatter(const Scatter& scatter);

}  // namespace millrace
