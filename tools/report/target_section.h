#pragma once

#include <string>

#include "tools/report/judged.h"

namespace millrace {

/// The section on how far predicted targets are from the true ones: a line a target, pictures of
/// the first few, and the samples that are farthest off. Precondition: judged.errors.
std::string render_targets(const Judged& judged);

}  // namespace millrace
