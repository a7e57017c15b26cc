#pragma once

#include <cstddef>
#include <span>

#include "formats/dtype.h"

namespace millrace {

/// Converts the elements of `in`, stored as `type` in host byte order, to float32, rounding to
/// nearest even. `in` holds out.size() elements and need not be aligned.
void to_float32(DType type, std::span<const std::byte> in, std::span<float> out) noexcept;

}  // namespace millrace
