#pragma once

#include <cstdint>
#include <string_view>

namespace millrace {

/// CRC-32C, the cyclic redundancy check with Castagnoli's polynomial (RFC 3720, 12.1 and B.4).
std::uint32_t crc32c(std::string_view bytes) noexcept;

}  // namespace millrace
