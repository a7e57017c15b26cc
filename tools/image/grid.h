#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tools/image/picture.h"

namespace millrace {

/// A picture and what stands below it.
struct Captioned {
  Picture picture;
  std::string caption;
};

struct GridLayout {
  std::uint32_t columns = 8;
  std::uint32_t zoom = 1;     ///< a pixel becomes a square of zoom x zoom
  std::uint32_t padding = 2;  ///< between pictures and around them, as make_grid of torchvision
};

/// Pixels of the grid that draw_grid() makes of `count` pictures of one size.
std::uint64_t grid_pixels(std::size_t count, std::uint32_t width, std::uint32_t height,
                          const GridLayout& layout);

/// Pictures side by side in rows, as torchvision.utils.make_grid has them, a line of text under
/// each. They are grey or RGB and of one size; the grid is RGB if one of them is. An empty span
/// makes an empty picture.
Picture draw_grid(std::span<const Captioned> pictures, const GridLayout& layout);

}  // namespace millrace
