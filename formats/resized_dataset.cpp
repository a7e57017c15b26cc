#include "formats/resized_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "formats/error.h"

namespace millrace {
namespace {

std::uint32_t channels_of(const ImageLayout& layout, ImageChannels asked) noexcept {
  return asked == ImageChannels::kGray ? 1 : asked == ImageChannels::kRgb ? 3 : layout.channels;
}

SampleShape shape_as_asked(const SampleShape& stored, const ImageLayout& layout,
                           const ImageOptions& options) {
  const auto size = options.resize.value_or(ImageSize{layout.width, layout.height});
  const auto channels = channels_of(layout, options.channels);
  if (channels != layout.channels) {
    SampleShape shape{{size.height, size.width}};
    if (channels != 1) shape.dims.push_back(channels);
    return shape;
  }
  auto shape = stored;
  const std::size_t at = layout.planes ? 1 : 0;
  shape.dims[at] = size.height;
  shape.dims[at + 1] = size.width;
  return shape;
}

/// [channels, pixels] to [pixels, channels].
void interleave(std::span<const std::byte> planes, std::size_t channels, std::byte* pixels) {
  const auto count = planes.size() / channels;
  for (std::size_t p = 0; p < count; ++p) {
    for (std::size_t c = 0; c < channels; ++c) pixels[p * channels + c] = planes[c * count + p];
  }
}

/// The way back.
void separate(std::span<const std::byte> pixels, std::size_t channels, std::byte* planes) {
  const auto count = pixels.size() / channels;
  for (std::size_t p = 0; p < count; ++p) {
    for (std::size_t c = 0; c < channels; ++c) planes[c * count + p] = pixels[p * channels + c];
  }
}

}  // namespace

const Dataset* stored_of(const Dataset& data) noexcept {
  const auto* resized = dynamic_cast<const ResizedDataset*>(as_made(data));
  return resized == nullptr ? nullptr : &resized->stored();
}

std::shared_ptr<const Dataset> ResizedDataset::as_asked(std::shared_ptr<const Dataset> data,
                                                        const ImageOptions& options) {
  if (!options.resize && options.channels == ImageChannels::kAsStored) return data;
  if (options.resize) check_image_size(*options.resize);
  const auto layout = image_layout_of(data->shape());
  if (data->dtype() != DType::kUInt8 || !layout) {
    throw DataError(
        data->name(), std::nullopt,
        "uint8 images, of height and width, to resize (--resize) or make grey or RGB "
        "(--gray, --rgb)",
        fmt::format("samples of {}{}", describe_samples(*data), flat_hint(data->shape())));
  }
  auto shape = shape_as_asked(data->shape(), *layout, options);
  if (shape == data->shape()) return data;
  // Not make_shared, which has no access to the constructor.
  return in_stored_blocks(std::shared_ptr<const ResizedDataset>(
      new ResizedDataset(std::move(data), *layout, options, std::move(shape))));
}

ResizedDataset::ResizedDataset(std::shared_ptr<const Dataset> data, ImageLayout layout,
                               const ImageOptions& options, SampleShape shape)
    : MadeDataset(std::move(data)), layout_(layout), options_(options), shape_(std::move(shape)) {}

void ResizedDataset::make_one(std::span<const std::byte> stored,
                              std::span<std::byte> sample) const {
  Image image{.width = layout_.width,
              .height = layout_.height,
              .channels = layout_.channels,
              .pixels = std::vector<std::byte>(stored.size())};
  const bool planes = layout_.planes && layout_.channels > 1;
  if (planes) {
    interleave(stored, layout_.channels, image.pixels.data());
  } else {
    std::ranges::copy(stored, image.pixels.begin());
  }
  image = image_as_asked(std::move(image), options_);
  if (planes && image.channels == layout_.channels) {
    separate(image.pixels, image.channels, sample.data());
  } else {
    std::memcpy(sample.data(), image.pixels.data(), sample.size());
  }
}

void ResizedDataset::make(std::span<const std::byte> stored, std::span<std::byte> samples) const {
  const auto bytes = static_cast<std::size_t>(sample_bytes());
  const auto stored_bytes = static_cast<std::size_t>(of().sample_bytes());
  for (std::size_t i = 0; i * bytes < samples.size(); ++i) {
    make_one(stored.subspan(i * stored_bytes, stored_bytes), samples.subspan(i * bytes, bytes));
  }
}

}  // namespace millrace
