#include "tools/model/image_samples.h"

#include <algorithm>
#include <cmath>
#include <system_error>

#include "formats/error.h"
#include "formats/image.h"
#include "formats/image_folder.h"
#include "formats/regular_file.h"
#include "train/dark_on_light.h"

namespace millrace {
namespace {

void invert_all(std::span<std::byte> pixels) {
  for (std::byte& pixel : pixels) pixel = ~pixel;
}

}  // namespace

ImageLayout image_layout(const TrainedModel& model) {
  if (stored_type(model) != InputType::kUInt8) {
    throw DataError(model.path, std::nullopt, "a model of samples of uint8, as images are",
                    "one of float32");
  }
  SampleShape shape = model.sample_shape();
  if (model.checkpoint.state.options.sample.shape.empty()) {
    const auto side = static_cast<std::uint64_t>(std::lround(std::sqrt(model.spec.features)));
    if (side * side == model.spec.features) shape.dims = {side, side};
  }
  const auto layout = image_layout_of(shape);
  if (!layout) {
    throw DataError(model.path, std::nullopt, "a model of pictures", "samples of " + shape.text());
  }
  return *layout;
}

Invert invert_for(const TrainedModel& model, Invert asked) {
  constexpr double kHardlyAny = 0.02;
  const auto& share = model.checkpoint.state.options.sample.dark_on_light;
  return asked == Invert::kAuto && share.value_or(0.0) > kHardlyAny ? Invert::kOff : asked;
}

void read_image_sample(const std::filesystem::path& path, const ImageLayout& layout, Invert invert,
                       std::span<std::byte> sample) {
  const auto file = read_whole(path);
  ImageOptions options;
  options.resize = ImageSize{layout.width, layout.height};
  options.channels = layout.channels == 1 ? ImageChannels::kGray : ImageChannels::kRgb;
  Image image = decode_image(file.view(), path.string(), options);
  const bool found = invert == Invert::kAuto && layout.channels == 1 &&
                     is_dark_on_light(image.pixels, layout.width, layout.height);
  if (invert == Invert::kOn || found) invert_all(image.pixels);
  if (!layout.planes || layout.channels == 1) {
    std::ranges::copy(image.pixels, sample.begin());
    return;
  }
  const std::size_t plane = std::size_t{layout.width} * layout.height;
  for (std::size_t i = 0; i < plane; ++i) {
    for (std::size_t c = 0; c < 3; ++c) sample[c * plane + i] = image.pixels[3 * i + c];
  }
}

std::vector<std::filesystem::path> images_of(const std::vector<std::string>& paths) {
  std::vector<std::filesystem::path> images;
  for (const std::string& text : paths) {
    const std::filesystem::path path(text);
    std::error_code failed;
    if (!std::filesystem::is_directory(path, failed)) {
      images.push_back(path);
      continue;
    }
    const auto below = images_below(path);
    if (below.empty()) throw DataError(path, std::nullopt, "images", "none");
    images.insert(images.end(), below.begin(), below.end());
  }
  return images;
}

}  // namespace millrace
