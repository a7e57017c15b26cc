#include "compute/cpu_info.h"

#include <fstream>

#include "compute/cpu/bf16_kernels.h"
#include "compute/cpu/f32_kernels.h"

namespace millrace {

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const auto colon = line.find(':');
    const auto begin =
        line.find_first_not_of(" \t", colon == std::string::npos ? line.size() : colon + 1);
    if (begin != std::string::npos) return line.substr(begin);
  }
#if defined(__x86_64__)
  return "x86-64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "unknown processor";
#endif
}

std::string cpu_instruction_sets() {
  return std::string("float32: ") + cpu::f32::target_name() +
         ", bfloat16: " + cpu::bf16::unit_name(cpu::bf16::available_unit());
}

}  // namespace millrace
