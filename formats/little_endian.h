#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace {

/// Four bytes, the lowest first, at any address.
constexpr std::uint32_t load_little_endian32(const std::byte* at) noexcept {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(at[i]) << (8 * i);
  return value;
}

constexpr void store_little_endian32(std::uint32_t value, std::byte* at) noexcept {
  for (unsigned i = 0; i < 4; ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace millrace
