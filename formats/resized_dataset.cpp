#include "formats/resized_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "formats/block_dataset.h"
#include "formats/error.h"
#include "formats/idx_pair.h"

namespace millrace {
namespace {

constexpr std::size_t kStoredAtOnce = std::size_t{1} << 20;  // bytes

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

/// A ResizedDataset of what is in blocks.
class ResizedBlocks final : public ForwardingDataset<BlockDataset, ResizedDataset> {
 public:
  ResizedBlocks(std::shared_ptr<const ResizedDataset> resized,
                std::shared_ptr<const BlockDataset> stored)
      : ForwardingDataset(std::move(resized)), stored_(std::move(stored)) {}

  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    of().read(ids, samples, labels);
  }

  std::span<const Block> blocks() const noexcept override { return stored_->blocks(); }
  std::span<const std::int32_t> labels() const noexcept override { return stored_->labels(); }
  void expect_block(std::size_t index) const noexcept override { stored_->expect_block(index); }
  using BlockDataset::decode_block;
  void decode_block(std::size_t index, std::span<std::byte> samples) const override {
    if (index >= blocks().size()) throw std::out_of_range(name() + ": no such block");
    const auto count = blocks()[index].count;
    check_room(count, samples);
    std::vector<std::byte> stored(static_cast<std::size_t>(count * stored_->sample_bytes()));
    stored_->decode_block(index, stored);
    of().make(stored, samples);
  }

  const Dataset& stored() const noexcept { return *stored_; }

 private:
  std::shared_ptr<const BlockDataset> stored_;
};

}  // namespace

const Dataset* stored_of(const Dataset& data) noexcept {
  if (const auto* resized = dynamic_cast<const ResizedDataset*>(&data)) return &resized->stored();
  if (const auto* resized = dynamic_cast<const ResizedBlocks*>(&data)) return &resized->stored();
  return nullptr;
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
  auto blocks = std::dynamic_pointer_cast<const BlockDataset>(data);
  // Not make_shared, which has no access to the constructor.
  auto resized = std::shared_ptr<const ResizedDataset>(
      new ResizedDataset(std::move(data), *layout, options, std::move(shape)));
  if (!blocks) return resized;
  return std::make_shared<const ResizedBlocks>(std::move(resized), std::move(blocks));
}

ResizedDataset::ResizedDataset(std::shared_ptr<const Dataset> data, ImageLayout layout,
                               const ImageOptions& options, SampleShape shape)
    : ForwardingDataset(std::move(data)),
      layout_(layout),
      options_(options),
      shape_(std::move(shape)) {}

std::string ResizedDataset::hash() const {
  const std::scoped_lock lock(hash_mutex_);
  if (hash_.empty()) hash_ = hash_by_reading(*this);
  return hash_;
}

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

void ResizedDataset::read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
                          std::span<std::int32_t> labels) const {
  check_read(*this, ids, samples, labels);
  const auto bytes = static_cast<std::size_t>(sample_bytes());
  const auto stored_bytes = static_cast<std::size_t>(of().sample_bytes());
  const auto at_once = std::clamp<std::size_t>(kStoredAtOnce / stored_bytes, 1,
                                               std::max<std::size_t>(1, ids.size()));
  std::vector<std::byte> stored(at_once * stored_bytes);
  for (std::size_t first = 0; first < ids.size(); first += at_once) {
    const auto count = std::min(at_once, ids.size() - first);
    of().read(ids.subspan(first, count), std::span(stored).first(count * stored_bytes),
              labels.subspan(first, count));
    make(std::span(stored).first(count * stored_bytes),
         samples.subspan(first * bytes, count * bytes));
  }
}

}  // namespace millrace
