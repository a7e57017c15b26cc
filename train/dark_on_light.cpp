#include "train/dark_on_light.h"

#include <algorithm>
#include <array>
#include <vector>

#include "formats/error.h"
#include "formats/image_layout.h"

namespace millrace {

bool is_dark_on_light(std::span<const std::byte> pixels, std::uint32_t width,
                      std::uint32_t height) {
  constexpr std::uint32_t kMiddle = 128;
  std::uint64_t sum = 0;
  std::uint64_t border = 0;
  std::uint64_t light_border = 0;
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      const auto value = std::to_integer<std::uint32_t>(pixels[std::size_t{y} * width + x]);
      sum += value;
      if (x != 0 && y != 0 && x + 1 != width && y + 1 != height) continue;
      ++border;
      if (value >= kMiddle) ++light_border;
    }
  }
  return sum >= kMiddle * std::uint64_t{width} * height && 4 * light_border >= 3 * border;
}

std::optional<double> dark_on_light_share(const Dataset& data) {
  constexpr std::uint64_t kMost = 100;
  const auto layout = image_layout_of(data.shape());
  if (!layout || layout->channels != 1 || data.dtype() != DType::kUInt8) return std::nullopt;
  std::vector<std::byte> sample(data.sample_bytes());
  const std::uint64_t asked = std::min(kMost, data.size());
  std::uint64_t seen = 0;
  std::uint64_t dark_on_light = 0;
  for (std::uint64_t i = 0; i < asked; ++i) {
    const std::array<std::uint64_t, 1> id{i * (data.size() / asked)};
    std::vector<std::int32_t> label(data.label_words());
    try {
      data.read(id, sample, label);
    } catch (const DataError&) {
      continue;  // told, or left out, where it is trained on
    }
    ++seen;
    if (is_dark_on_light(sample, layout->width, layout->height)) ++dark_on_light;
  }
  if (seen == 0) return std::nullopt;
  return static_cast<double>(dark_on_light) / static_cast<double>(seen);
}

}  // namespace millrace
