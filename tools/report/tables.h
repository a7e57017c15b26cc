#pragma once

#include <string>

#include "tools/report/report.h"

namespace millrace {

/// Sections of the report: what the model takes for what, with precision and recall of each class.
std::string render_quality(const Judged& judged);

/// With three digits, or all of whole seconds or microseconds: "0.0412 s", "12345 s", "3 µs".
std::string seconds_text(double seconds);

/// Where the time went, stage by stage.
std::string render_stages(const Report& report);

}  // namespace millrace
