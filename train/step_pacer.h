#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace millrace {

/// Decides how many steps to hand to the engine at once, so that control comes back often enough to
/// look at a stop flag, and seldom enough to cost nothing. Only time depends on it: the steps are
/// the same however they are grouped.
class StepPacer {
 public:
  static constexpr double kTargetSeconds = 0.025;

  /// At least 1, at most `available`; 1 before the first measurement. If not all, a power of two:
  /// an engine that keeps a plan for each number of steps then keeps few.
  std::uint32_t next(std::uint32_t available) const {
    if (available <= 1 || step_s_ < 0.0) return std::min(available, 1U);
    const double steps = kTargetSeconds / std::max(step_s_, 1e-9);
    return steps >= static_cast<double>(available)
               ? available
               : std::bit_floor(std::max(1U, static_cast<std::uint32_t>(steps)));
  }

  /// A slower step counts at once, a faster one by halves: better to come back too early.
  void took(std::uint32_t steps, double seconds) {
    if (steps == 0) return;
    const double measured = std::max(0.0, seconds / steps);
    step_s_ = measured >= step_s_ ? measured : (step_s_ + measured) / 2;
  }

 private:
  double step_s_ = -1.0;  // none yet
};

}  // namespace millrace
