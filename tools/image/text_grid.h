#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "tools/image/grid.h"

namespace millrace {

struct TextLayout {
  std::size_t width = 80;   ///< of a line, in characters
  std::size_t columns = 0;  ///< pictures of a row; 0: as many as are still legible
  bool utf8 = false;        ///< shades of blocks; else characters of ASCII, " .:-=+*#%@"
};

/// The same pictures as text for a terminal, brighter pixels denser: lines of at most layout.width
/// characters, each ends in '\n'. A character stands for about twice as many pixels downwards as
/// across, so that pictures keep their proportions; colours become grey (ITU-R BT.601).
std::string text_grid(std::span<const Captioned> pictures, const TextLayout& layout);

}  // namespace millrace
