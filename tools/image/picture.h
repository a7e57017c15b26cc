#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/dataset.h"

namespace millrace {

/// Pixels, row by row, the channels of one together.
struct Picture {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t channels = 1;  ///< 1: grey; 3: red, green, blue; 4: and opacity
  std::vector<std::uint8_t> pixels;

  Picture() = default;
  /// All zero: black, or transparent.
  Picture(std::uint32_t width, std::uint32_t height, std::uint32_t channels);
};

/// A sample as a picture: [h, w] and [1, h, w] grey, [3, h, w] and [h, w, 3] in colour. Bytes are
/// taken as they are, other types stretched from their least value to their largest. nullopt for
/// samples of other shapes.
std::optional<Picture> picture_of(const SampleShape& shape, DType type,
                                  std::span<const std::byte> sample);

/// Weights of an input that is a picture, [h, w]: red above zero, blue below, the more opaque the
/// larger; `largest` is opaque.
Picture picture_of_weights(std::span<const float> weights, std::uint32_t width,
                           std::uint32_t height, float largest);

/// Pictures of one size and kind side by side in rows of `columns`, `gap` pixels apart.
Picture mosaic(std::span<const Picture> pictures, std::uint32_t columns, std::uint32_t gap);

/// As a PNG file (https://www.w3.org/TR/png-3/), 8 bits a channel.
std::string encode_png(const Picture& picture);

}  // namespace millrace
