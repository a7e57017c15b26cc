#include "compute/cpu/binary_loss.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace millrace::cpu {
namespace {

// exp(-size), for 0 <= size; from 87 on that of 87, of which nothing is left beside 1. The compiler
// makes vectors of this: there are no calls and no branches in it.
float exp_of_minus(float size) {
  constexpr float kMost = 87.0F;
  constexpr float kLog2E = 1.44269504F;
  // The logarithm of 2 in two parts, of which the first has zeros in its last bits: a multiple of
  // it is exact (W. J. Cody and W. Waite, "Software Manual for the Elementary Functions", 1980).
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kWhole = 12582912.0F;  // 1.5 * 2^23: a sum with it has no fraction
  const float x = size < kMost ? size : kMost;
  const float shifted = x * kLog2E + kWhole;
  const float halvings = shifted - kWhole;
  const float rest = (halvings * kLn2High - x) + halvings * kLn2Low;  // within ±ln(2)/2
  // The Taylor series: its next term is below 2^-26.
  float sum = 1.0F / 5040.0F;
  sum = sum * rest + 1.0F / 720.0F;
  sum = sum * rest + 1.0F / 120.0F;
  sum = sum * rest + 1.0F / 24.0F;
  sum = sum * rest + 1.0F / 6.0F;
  sum = sum * rest + 0.5F;
  sum = sum * rest + 1.0F;
  sum = sum * rest + 1.0F;
  const std::int32_t bits =
      std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kWhole);
  return sum * std::bit_cast<float>((127 - bits) << 23);
}

// log(1 + u), for 0 <= u <= 1: 2 artanh(u / (2 + u)), whose argument is at most 1/3.
float log_of_one_and(float u) {
  const float s = u / (2.0F + u);
  const float square = s * s;
  float sum = 1.0F / 15.0F;
  sum = sum * square + 1.0F / 13.0F;
  sum = sum * square + 1.0F / 11.0F;
  sum = sum * square + 1.0F / 9.0F;
  sum = sum * square + 1.0F / 7.0F;
  sum = sum * square + 1.0F / 5.0F;
  sum = sum * square + 1.0F / 3.0F;
  return 2.0F * (s + s * square * sum);
}

// Of one panel of a row, or what is left of it.
struct Judged {
  float losses[kActPanel];
  float wrong[kActPanel];
  float slopes[kActPanel];
};

void judge(const float* z, const std::int32_t* words, std::size_t n, Judged& judged) {
  for (std::size_t i = 0; i < n; ++i) {
    const float target = std::bit_cast<float>(words[i]);
    const float u = exp_of_minus(std::abs(z[i]));
    const bool yes = z[i] >= 0.0F;
    const float above = yes ? z[i] : 0.0F;
    judged.losses[i] = (above - z[i] * target) + log_of_one_and(u);
    const float slope = (yes ? 1.0F : u) / (1.0F + u) - target;
    // A NaN stays one.
    judged.slopes[i] = z[i] == z[i] ? slope : z[i];
    const float away = (yes ? 1.0F : 0.0F) - target;
    judged.wrong[i] = away * away;
  }
}

}  // namespace

void binary_loss(const TargetLoss& op) {
  const double share = 1.0 / static_cast<double>(op.targets);
  const float scale = op.gradient_scale / static_cast<float>(op.targets);
  for (std::size_t r = 0; r < op.rows; ++r) {
    const std::int32_t* words = op.source->targets(op.first + r);
    double loss = 0.0;
    double wrong = 0.0;
    for (std::size_t t = 0; t < op.targets; t += kActPanel) {
      float* z = op.z + op.layout.offset(r, t);
      const std::size_t n = std::min(kActPanel, op.targets - t);
      Judged judged;
      judge(z, words + t, n, judged);
      for (std::size_t i = 0; i < n; ++i) {
        loss += double{judged.losses[i]};
        wrong += double{judged.wrong[i]};
      }
      if (!op.gradient) continue;
      for (std::size_t i = 0; i < n; ++i) z[i] = judged.slopes[i] * scale;
      std::fill(z + n, z + round_up(n, kPanel / 2), 0.0F);
    }
    op.losses[r] = static_cast<float>(loss * share);
    op.squared_errors[r] = static_cast<float>(wrong * share);
  }
}

}  // namespace millrace::cpu
