#pragma once

#include <string>

#include "tools/report/judged.h"

namespace millrace {

/// The section on which labels the model gives samples, and which they have: a line a label.
/// Precondition: judged.labels.
std::string render_labels(const Judged& judged);

}  // namespace millrace
