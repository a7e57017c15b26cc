#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>

namespace millrace {

/// A score or a loss for people: "0.9626", with four decimals, where that is no long row of digits;
/// else "2.346e+04".
inline std::string figure(double value) {
  constexpr double kLong = 1e4;
  return std::abs(value) < kLong ? fmt::format("{:.4f}", value) : fmt::format("{:.4g}", value);
}

}  // namespace millrace
