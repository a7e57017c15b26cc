#include "tools/image/picture.h"

#include <algorithm>
#include <cmath>

#include "formats/convert.h"
#include "formats/image_layout.h"

namespace millrace {
namespace {

std::vector<std::uint8_t> bytes_of(DType type, std::span<const std::byte> sample,
                                   std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  if (type == DType::kUInt8) {
    std::ranges::transform(sample.first(count), bytes.begin(),
                           [](std::byte b) { return static_cast<std::uint8_t>(b); });
    return bytes;
  }
  std::vector<float> values(count);
  to_float32(type, sample.first(count * size_of(type)), values);
  const auto [least, largest] = std::ranges::minmax(values);
  const float range = largest - least;
  if (!(range > 0.0F) || !std::isfinite(range)) return bytes;
  std::ranges::transform(values, bytes.begin(), [low = least, range](float v) {
    return static_cast<std::uint8_t>(std::lround(255.0F * ((v - low) / range)));
  });
  return bytes;
}

}  // namespace

Picture::Picture(std::uint32_t width_, std::uint32_t height_, std::uint32_t channels_)
    : width(width_),
      height(height_),
      channels(channels_),
      pixels(std::size_t{width_} * height_ * channels_) {}

std::optional<Picture> picture_of(const SampleShape& shape, DType type,
                                  std::span<const std::byte> sample) {
  constexpr std::uint32_t kWidest = 4096;
  const auto layout = image_layout_of(shape);
  if (!layout || layout->width > kWidest || layout->height > kWidest) return std::nullopt;
  Picture picture(layout->width, layout->height, layout->channels);
  const auto bytes = bytes_of(type, sample, picture.pixels.size());
  if (!layout->planes || layout->channels == 1) {
    picture.pixels = bytes;
    return picture;
  }
  const std::size_t plane = std::size_t{picture.width} * picture.height;
  for (std::size_t i = 0; i < plane; ++i) {
    for (std::size_t c = 0; c < 3; ++c) picture.pixels[3 * i + c] = bytes[c * plane + i];
  }
  return picture;
}

Picture picture_of_weights(std::span<const float> weights, std::uint32_t width,
                           std::uint32_t height, float largest) {
  // Of equal lightness, on white and on black; told apart by those who see no red from green.
  constexpr std::uint8_t kAbove[3] = {214, 69, 65};
  constexpr std::uint8_t kBelow[3] = {62, 124, 201};
  Picture picture(width, height, 4);
  for (std::size_t i = 0; i < std::size_t{width} * height; ++i) {
    const float share = largest > 0.0F ? std::min(1.0F, std::abs(weights[i]) / largest) : 0.0F;
    std::copy_n(weights[i] > 0.0F ? kAbove : kBelow, 3, picture.pixels.data() + 4 * i);
    picture.pixels[4 * i + 3] = static_cast<std::uint8_t>(std::lround(255.0F * share));
  }
  return picture;
}

Picture mosaic(std::span<const Picture> pictures, std::uint32_t columns, std::uint32_t gap) {
  if (pictures.empty() || columns == 0) return {};
  const Picture& first = pictures.front();
  const auto count = static_cast<std::uint32_t>(pictures.size());
  columns = std::min(columns, count);
  const std::uint32_t rows = (count + columns - 1) / columns;
  Picture all(columns * (first.width + gap) - gap, rows * (first.height + gap) - gap,
              first.channels);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t left = std::size_t{i % columns} * (first.width + gap);
    const std::size_t top = std::size_t{i / columns} * (first.height + gap);
    const std::size_t row_bytes = std::size_t{first.width} * first.channels;
    for (std::uint32_t y = 0; y < first.height; ++y) {
      std::copy_n(pictures[i].pixels.data() + y * row_bytes, row_bytes,
                  all.pixels.data() + ((top + y) * all.width + left) * first.channels);
    }
  }
  return all;
}

}  // namespace millrace
