#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace {

/// Two, four or eight bytes, the lowest first, at any address.
constexpr std::uint16_t load_little_endian16(const std::byte* at) noexcept {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(at[0]) |
                                    std::to_integer<unsigned>(at[1]) << 8U);
}

constexpr std::uint32_t load_little_endian32(const std::byte* at) noexcept {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(at[i]) << (8 * i);
  return value;
}

constexpr std::uint64_t load_little_endian64(const std::byte* at) noexcept {
  return load_little_endian32(at) | std::uint64_t{load_little_endian32(at + 4)} << 32U;
}

constexpr void store_little_endian32(std::uint32_t value, std::byte* at) noexcept {
  for (unsigned i = 0; i < 4; ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace millrace
