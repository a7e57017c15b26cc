#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "train/target_errors.h"

namespace millrace {

/// Five digits, or all those before the point: "0.041711", "16262", "182567"; with a power of ten
/// where it is very large or small.
std::string number_text(double value);

/// A line a target for people, at most 80 columns wide: the errors, in the target's unit, beside
/// how the true ones vary.
std::string render_targets(const TargetErrors& errors);

/// The same for programs, an object a target.
nlohmann::ordered_json targets_json(const TargetErrors& errors);

}  // namespace millrace
