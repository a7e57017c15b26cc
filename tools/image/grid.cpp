#include "tools/image/grid.h"

#include <algorithm>

#include "tools/image/caption.h"

namespace millrace {
namespace {

constexpr std::uint8_t kBackground = 40;  // dark, but not as dark as the ground of a digit
constexpr std::uint8_t kText = 225;

struct Cells {
  std::uint64_t columns, rows, width, height;  // width and height of one, with the padding after it
};

Cells cells_of(std::size_t count, std::uint32_t width, std::uint32_t height,
               const GridLayout& layout) {
  const std::uint64_t columns =
      std::clamp<std::uint64_t>(layout.columns, 1, std::max<std::size_t>(1, count));
  return {columns, (count + columns - 1) / columns,
          std::uint64_t{width} * layout.zoom + layout.padding,
          std::uint64_t{height} * layout.zoom + kTextHeight + 1 + layout.padding};
}

void put(Picture& grid, const Picture& picture, std::uint64_t left, std::uint64_t top,
         std::uint32_t zoom) {
  for (std::uint64_t y = 0; y < std::uint64_t{picture.height} * zoom; ++y) {
    for (std::uint64_t x = 0; x < std::uint64_t{picture.width} * zoom; ++x) {
      const auto from = (y / zoom * picture.width + x / zoom) * picture.channels;
      const auto to = ((top + y) * grid.width + left + x) * grid.channels;
      for (std::uint32_t c = 0; c < grid.channels; ++c) {
        grid.pixels[to + c] = picture.pixels[from + (picture.channels == 1 ? 0 : c)];
      }
    }
  }
}

}  // namespace

std::uint64_t grid_pixels(std::size_t count, std::uint32_t width, std::uint32_t height,
                          const GridLayout& layout) {
  const Cells cells = cells_of(count, width, height, layout);
  return (cells.columns * cells.width + layout.padding) *
         (cells.rows * cells.height + layout.padding);
}

Picture draw_grid(std::span<const Captioned> pictures, const GridLayout& layout) {
  if (pictures.empty()) return {};
  const Picture& first = pictures.front().picture;
  const Cells cells = cells_of(pictures.size(), first.width, first.height, layout);
  const bool colour =
      std::ranges::any_of(pictures, [](const Captioned& c) { return c.picture.channels == 3; });
  Picture grid(static_cast<std::uint32_t>(cells.columns * cells.width + layout.padding),
               static_cast<std::uint32_t>(cells.rows * cells.height + layout.padding),
               colour ? 3 : 1);
  std::ranges::fill(grid.pixels, kBackground);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const std::uint64_t left = i % cells.columns * cells.width + layout.padding;
    const std::uint64_t top = i / cells.columns * cells.height + layout.padding;
    const Picture& picture = pictures[i].picture;
    put(grid, picture, left, top, layout.zoom);
    const std::uint32_t width = picture.width * layout.zoom;
    const std::string text = fitted(pictures[i].caption, width);
    draw_text(grid, static_cast<std::uint32_t>(left) + (width - text_width(text)) / 2,
              static_cast<std::uint32_t>(top) + picture.height * layout.zoom + 1, text, kText);
  }
  return grid;
}

}  // namespace millrace
