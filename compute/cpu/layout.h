#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace millrace::cpu {

// Constant strides let the compiler address a dozen rows from one register.

/// Columns of a weight panel, one register tile wide on AVX-512.
inline constexpr std::size_t kPanel = 32;
/// Columns that lie together in an activation buffer, and the stride between its rows: not a
/// multiple of 512 floats, or all rows of a tile would fall into the same few cache sets.
inline constexpr std::size_t kActChunk = 512;
inline constexpr std::size_t kActStride = kActChunk + 16;

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}
constexpr std::size_t div_up(std::size_t n, std::size_t by) { return (n + by - 1) / by; }

/// A [depth, width] matrix cut into panels of 32 columns, each stored contiguously as [depth, 32];
/// the last one is [depth, 16] where that is enough. Columns beyond `width` are zero.
struct PanelLayout {
  std::size_t depth = 0;
  std::size_t width = 0;

  std::size_t panels() const { return div_up(width, kPanel); }
  std::size_t size() const { return depth * round_up(width, kPanel / 2); }
  std::size_t panel_offset(std::size_t panel) const { return panel * kPanel * depth; }
  std::size_t panel_width(std::size_t panel) const {
    return std::min(kPanel, round_up(width - panel * kPanel, kPanel / 2));
  }
  std::size_t offset(std::size_t row, std::size_t column) const {
    const std::size_t panel = column / kPanel;
    return panel_offset(panel) + row * panel_width(panel) + column % kPanel;
  }
};

/// The first layer's input columns cut into ranges of nearly equal length, whose products are
/// summed apart and then in the order of the ranges: by the network alone, so that the sums do not
/// depend on who works out which.
struct InputRanges {
  std::size_t width = 0;

  static constexpr std::size_t kLongest = 200;
  std::size_t count() const { return div_up(width, kLongest); }
  std::size_t longest() const { return round_up(div_up(width, count()), 4); }
  std::size_t begin(std::size_t range) const { return std::min(width, range * longest()); }
  std::size_t end(std::size_t range) const { return begin(range + 1); }
};
/// Stride between the rows of one range of converted samples.
inline constexpr std::size_t kRangeStride = InputRanges::kLongest + 8;

/// Activations of `rows` samples: [ceil(width / 512), rows, 528], of which 512 columns count.
struct ActLayout {
  std::size_t rows = 0;
  std::size_t width = 0;

  std::size_t chunks() const { return div_up(width, kActChunk); }
  std::size_t chunk_stride() const { return rows * kActStride; }
  std::size_t size() const { return chunks() * chunk_stride(); }
  std::size_t offset(std::size_t row, std::size_t column) const {
    return column / kActChunk * chunk_stride() + row * kActStride + column % kActChunk;
  }
};

}  // namespace millrace::cpu
