#pragma once

#include <string>

#include "tools/report/report.h"

namespace millrace {

/// Sections of the report: what the model takes for what, with precision and recall of each class.
std::string render_quality(const Judged& judged);

/// Where the time went, stage by stage.
std::string render_stages(const Report& report);

}  // namespace millrace
