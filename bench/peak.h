#pragma once

#include <cstdint>

#include "compute/spec.h"

namespace millrace::bench {

/// Peak rate of `threads` cores at once, in 10^9 floating-point operations a second, measured now:
/// float32 fused multiply-adds of the widest vectors, or the processor's bfloat16 dot products (0
/// if it has none).
double peak_gflops(Precision precision, std::uint32_t threads);

/// The same for bfloat16 matrix tiles (AMX); 0 if the processor has none.
double peak_tile_gflops(std::uint32_t threads);

}  // namespace millrace::bench
