#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "train/target_errors.h"

namespace millrace {

/// A line a target for people, at most 80 columns wide: the errors, in the target's unit, beside
/// how the true ones vary.
std::string render_targets(const TargetErrors& errors);

/// The same for programs, an object a target.
nlohmann::ordered_json targets_json(const TargetErrors& errors);

}  // namespace millrace
