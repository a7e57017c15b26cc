#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace {

/// Handwritten-like digits that are drawn, not stored: what stands in for MNIST where there is no
/// data set.
///
/// A digit is one of several ways to write it (an open or a closed 4, a crossed 7), as pen strokes
/// bent by an affine map and by a smooth random displacement field (the elastic distortion of
/// Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to
/// visual document analysis", ICDAR 2003), drawn with a pen of random width and pressure. As in
/// MNIST the image is light on dark, the digit at most 20 pixels high and wide, and its centre of
/// mass near the centre.
///
/// Image `index` is a pure function of (seed, index), the same bytes on every processor.
/// Thread-safe.
struct SyntheticDigits {
  static constexpr std::size_t kSide = 28;
  static constexpr std::size_t kPixels = kSide * kSide;
  static constexpr std::uint32_t kClasses = 10;

  std::uint64_t seed = 0;

  /// Draws image `index` to `pixels` ([kSide, kSide], row-major) and returns its label.
  /// Precondition: pixels.size() == kPixels.
  std::int32_t draw(std::uint64_t index, std::span<std::uint8_t> pixels) const noexcept;

  /// The label alone. The ten images of every run [10 k, 10 k + 10) have the ten labels, in random
  /// order.
  std::int32_t label(std::uint64_t index) const noexcept;
};

}  // namespace millrace
