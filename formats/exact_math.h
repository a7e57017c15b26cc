#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

// Elementary functions of which the same bits come out everywhere. The C library's are as exact,
// but it chooses among versions by the processor (with fused multiplication or without), which
// may differ in the last bit, and what a seed decides must not depend on that. These consist of
// the four operations on double in a fixed order, which IEEE 754 rounds alike on all processors.
// Errors: below 2^-51 of the result, or of 1 near the zeros of sine and cosine.

namespace millrace {
namespace exact {

// Multiples of pi / 2 and of the logarithm of 2 are taken off in two steps, the first exact: its
// constant has zeros in its last bits (W. J. Cody and W. Waite, "Software Manual for the Elementary
// Functions", 1980).
inline constexpr double kHalfPiHigh = 0x1.921fb544p+0;
inline constexpr double kHalfPiLow = 0x1.0b4611a626331p-34;
inline constexpr double kLn2High = 0x1.62e42feep-1;
inline constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

// 1 / n! for n below the size.
template <std::size_t kCount>
constexpr std::array<double, kCount> inverse_factorials() {
  std::array<double, kCount> values{};
  double factorial = 1.0;
  for (std::size_t n = 0; n < kCount; ++n) {
    if (n > 0) factorial *= static_cast<double>(n);
    values[n] = 1.0 / factorial;
  }
  return values;
}
inline constexpr auto kInverse = inverse_factorials<19>();

// The Taylor series of sine and cosine up to pi / 4.
inline double small_sine(double x) {
  const double square = x * x;
  double sum = kInverse[17];
  for (std::size_t n = 15; n >= 3; n -= 2) sum = kInverse[n] - square * sum;
  return x - x * square * sum;
}

inline double small_cosine(double x) {
  const double square = x * x;
  double sum = kInverse[18];
  for (std::size_t n = 16; n >= 2; n -= 2) sum = kInverse[n] - square * sum;
  return 1.0 - square * sum;
}

// sine(x) for quarters 0, cosine(x) for 1.
inline double shifted_sine(double x, int quarters) {
  const double turns = std::floor(x / (std::numbers::pi / 2) + 0.5);
  const double rest = (x - turns * kHalfPiHigh) - turns * kHalfPiLow;
  switch ((static_cast<int>(turns) + quarters) & 3) {
    case 0:
      return small_sine(rest);
    case 1:
      return small_cosine(rest);
    case 2:
      return -small_sine(rest);
    default:
      return -small_cosine(rest);
  }
}

}  // namespace exact

/// `x` in radians, of at most 1000 either way.
inline double sine(double x) noexcept { return exact::shifted_sine(x, 0); }

/// As sine().
inline double cosine(double x) noexcept { return exact::shifted_sine(x, 1); }

/// e to the x, for x from -700 to 700.
inline double exponential(double x) noexcept {
  const double doublings = std::floor(x / std::numbers::ln2 + 0.5);
  const double rest = (x - doublings * exact::kLn2High) - doublings * exact::kLn2Low;
  double sum = exact::kInverse[14];
  for (std::size_t n = 14; n-- > 0;) sum = exact::kInverse[n] + rest * sum;
  return std::ldexp(sum, static_cast<int>(doublings));
}

/// By repeated squaring; the error grows with the exponent: 2^-53 for each factor, at most.
inline double power(double base, std::uint64_t exponent) noexcept {
  double result = 1.0;
  for (double square = base; exponent != 0; exponent >>= 1U, square *= square) {
    if ((exponent & 1U) != 0) result *= square;
  }
  return result;
}

}  // namespace millrace
