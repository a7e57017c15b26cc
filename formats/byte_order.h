#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace {

std::uint16_t load_big_endian16(const std::byte* at) noexcept;
std::uint32_t load_big_endian32(const std::byte* at) noexcept;
void store_big_endian32(std::uint32_t value, std::byte* at) noexcept;

/// Copies elements of `element_bytes` (1, 2, 4 or 8) bytes between big-endian and host order, in
/// either direction. Both spans have one length, a multiple of element_bytes; they are the same
/// memory or apart.
void convert_big_endian(std::span<const std::byte> from, std::span<std::byte> to,
                        std::size_t element_bytes) noexcept;

}  // namespace millrace
