#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <string>

namespace millrace {

/// Bytes that were added up in doubles, as a whole number; 2^64-1 where it is more than that.
inline std::uint64_t whole_bytes(double bytes) {
  constexpr double kMost = 0x1p64;
  return bytes < kMost ? static_cast<std::uint64_t>(bytes)
                       : std::numeric_limits<std::uint64_t>::max();
}

/// "12.3 GB", "850 MB".
inline std::string size_text(std::uint64_t bytes) {
  constexpr double kMegabyte = 1e6;
  constexpr double kGigabyte = 1e9;
  const auto count = static_cast<double>(bytes);
  return count < kGigabyte ? fmt::format("{:.0f} MB", count / kMegabyte)
                           : fmt::format("{:.1f} GB", count / kGigabyte);
}

}  // namespace millrace
