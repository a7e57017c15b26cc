#pragma once

#include <string>

#include "compute/engine.h"

namespace millrace {

/// XXH3-128 (formats/hash.h) of the bytes of all values, tensor after tensor in the order given, as
/// 32 hex digits. Equal for equal bits, and so for -0.0 and 0.0 different.
std::string weights_hash(const Parameters& parameters);

}  // namespace millrace
