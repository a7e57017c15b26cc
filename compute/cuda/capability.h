#pragma once

#include <string>

namespace millrace::cuda {

/// A GPU's compute capability, as NVIDIA numbers them: {7, 5} is Turing, {9, 0} Hopper.
struct Capability {
  int major = 0;
  int minor = 0;
  friend constexpr bool operator<(const Capability& a, const Capability& b) {
    return a.major != b.major ? a.major < b.major : a.minor < b.minor;
  }

  /// "7.5".
  std::string text() const { return std::to_string(major) + "." + std::to_string(minor); }
};

/// The least that there is machine code for.
inline constexpr Capability kLeastCapability{.major = 7, .minor = 5};
/// The least that multiplies in TF32 and bfloat16.
inline constexpr Capability kLeastOfShortFloats{.major = 8, .minor = 0};
/// Whether the epilogues of a backward pass pay. From Hopper on cuBLASLt (13.1) multiplies by
/// kernels that have those of a forward pass, but makes these by kernels of their own behind them,
/// which take longer than the engine's (docs/performance.md).
constexpr bool fuses_backward(const Capability& capability) {
  return capability < Capability{.major = 9, .minor = 0};
}

}  // namespace millrace::cuda
