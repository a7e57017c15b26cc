#include "formats/image_layout.h"

#include "formats/image.h"

namespace millrace {
namespace {

std::optional<ImageLayout> layout(std::uint64_t height, std::uint64_t width, std::uint64_t channels,
                                  bool planes) noexcept {
  if (height == 0 || width == 0 || height > kMostPixels / width) return std::nullopt;
  return ImageLayout{static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height),
                     static_cast<std::uint32_t>(channels), planes};
}

bool is_channels(std::uint64_t dim) noexcept { return dim == 1 || dim == 3; }

}  // namespace

std::optional<ImageLayout> image_layout_of(const SampleShape& shape) noexcept {
  const auto& dims = shape.dims;
  if (dims.size() == 2) return layout(dims[0], dims[1], 1, false);
  if (dims.size() != 3) return std::nullopt;
  if (is_channels(dims[0])) return layout(dims[1], dims[2], dims[0], true);
  if (is_channels(dims[2])) return layout(dims[0], dims[1], dims[2], false);
  return std::nullopt;
}

std::string_view flat_hint(const SampleShape& shape) noexcept {
  return shape.dims.size() == 1 ? " (--image-size WxH makes images of them)" : "";
}

}  // namespace millrace
