#pragma once

#include <string>

namespace millrace {

/// The processor's name as it gives it: "Intel(R) Xeon(R) Processor", or the architecture's where
/// it has none.
std::string cpu_model();

/// The instruction sets that the CPU engine's kernels use on this machine for each precision:
/// "float32: AVX3; bfloat16: AMX-BF16".
std::string cpu_instruction_sets();

}  // namespace millrace
