#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace millrace::cpu {

// Constant strides let the compiler address a dozen rows from one register.

/// Columns of a weight panel, one register tile wide on AVX-512.
inline constexpr std::size_t kPanel = 32;
/// Columns that lie together in an activation buffer, which is also the stride between its rows:
/// rows that follow each other without gaps are what the hardware prefetches best when they come
/// from another core.
inline constexpr std::size_t kActPanel = 32;

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

/// The first layer's input columns cut into ranges of nearly equal length, and these into parts of
/// one or two that are summed in one go; the parts' sums are then added in order. All by the
/// network alone, so that the sums do not depend on who works out which. A range's weights for 32
/// outputs fit a first-level cache; a part is what one core does before others see its sums.
struct InputRanges {
  std::size_t width = 0;

  static constexpr std::size_t kLongest = 200;
  std::size_t parts() const { return div_up(width, 2 * kLongest); }
  std::size_t per_part() const { return width > kLongest ? 2 : 1; }
  std::size_t count() const { return parts() * per_part(); }
  std::size_t longest() const { return round_up(div_up(width, count()), 4); }
  std::size_t begin(std::size_t range) const { return std::min(width, range * longest()); }
  std::size_t end(std::size_t range) const { return begin(range + 1); }
};
/// Bytes between the parts of what members work on apart from each other and write in each step. A
/// processor that reads runs of it in order asks for more than there is, tens of kilobytes ahead
/// where they lie a row apart; a line of another core that it gets so, nobody reads, and its owner
/// has to win it back.
inline constexpr std::size_t kApart = std::size_t{64} << 10U;
/// Stride between the rows of one range of converted samples.
inline constexpr std::size_t kRangeStride = InputRanges::kLongest + 8;

/// Activations of `rows` samples: [ceil(width / 32), rows, 32].
struct ActLayout {
  std::size_t rows = 0;
  std::size_t width = 0;

  std::size_t panels() const { return div_up(width, kActPanel); }
  std::size_t panel_stride() const { return rows * kActPanel; }
  std::size_t size() const { return panels() * panel_stride(); }
  std::size_t offset(std::size_t row, std::size_t column) const {
    return column / kActPanel * panel_stride() + row * kActPanel + column % kActPanel;
  }
};

/// The first `rows` rows and `columns` columns of activations, to `out`, [rows, columns],
/// row-major.
inline void copy_rows(const float* activations, ActLayout layout, std::size_t rows,
                      std::size_t columns, float* out) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; c += kActPanel) {
      out = std::copy_n(activations + layout.offset(r, c), std::min(kActPanel, columns - c), out);
    }
  }
}

}  // namespace millrace::cpu
