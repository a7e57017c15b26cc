#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "formats/dataset.h"

namespace millrace {

/// How a sample lies in memory as a picture.
struct ImageLayout {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t channels = 1;  ///< 1: grey, 3: RGB
  bool planes = false;         ///< channel after channel, as in [3, h, w]
};

/// Of [h, w], [1, h, w], [h, w, 1], [3, h, w] and [h, w, 3]; what may be either has its channels in
/// front. nullopt for all others, and for more than kMostPixels.
std::optional<ImageLayout> image_layout_of(const SampleShape& shape) noexcept;

/// For messages that find samples which are no images: how flat ones become some. Empty for others.
std::string_view flat_hint(const SampleShape& shape) noexcept;

}  // namespace millrace
