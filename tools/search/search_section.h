#pragma once

#include <span>
#include <string>

#include "tools/search/trial.h"

namespace millrace {

/// The section of a report on the search that found its options: for each axis a chart of the
/// scores over its values, an SVG element as those of tools/report/chart.h, and a table of the best
/// trials. `ranked` are ranked; `score` is what their score is called. Empty where all diverged.
std::string render_search(std::span<const Trial> ranked, std::span<const Axis> axes,
                          const std::string& score);

}  // namespace millrace
