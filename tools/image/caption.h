#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/image/picture.h"

namespace millrace {

/// Height in pixels of a line of text.
inline constexpr std::uint32_t kTextHeight = 9;

/// Width in pixels of a line of text, in a small bitmap font. It has ASCII alone: a character
/// outside of it is a '?'.
std::uint32_t text_width(std::string_view text);

/// `text`, cut so that it is at most `width` pixels wide; what is cut ends in "..".
std::string fitted(std::string_view text, std::uint32_t width);

/// Draws `text` in grey of `level`, its upper left corner at (x, y). What lies outside is left out.
void draw_text(Picture& picture, std::uint32_t x, std::uint32_t y, std::string_view text,
               std::uint8_t level);

}  // namespace millrace
