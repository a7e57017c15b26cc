#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace millrace {

/// Characters of text in UTF-8: columns on a screen, but for wide ones.
inline std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace millrace
