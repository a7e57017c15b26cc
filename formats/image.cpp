#include "formats/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "formats/error.h"
#include "formats/image_codecs.h"
#include "formats/text.h"

namespace millrace {
namespace {

// No format here packs pixels tighter: deflate gives at most 1032 bytes for one, each of eight
// pixels, and LZW's longest string is 4096 pixels for twelve bits.
constexpr std::uint64_t kMostPixelsPerByte = 16'384;

enum class Codec : std::uint8_t { kJpeg, kPnm, kStb };

Codec codec_of(std::span<const std::byte> file) noexcept {
  constexpr std::array kJpegStart{std::byte{0xff}, std::byte{0xd8}, std::byte{0xff}};
  if (file.size() >= kJpegStart.size() &&
      std::ranges::equal(file.first(kJpegStart.size()), kJpegStart)) {
    return Codec::kJpeg;
  }
  return is_pnm(file) ? Codec::kPnm : Codec::kStb;
}

ImageInfo read_info(Codec codec, std::span<const std::byte> file, const std::string& name) {
  if (file.empty()) throw DataError(name, std::nullopt, "an image", "an empty file");
  const ImageInfo info = codec == Codec::kJpeg  ? read_jpeg_info(file, name)
                         : codec == Codec::kPnm ? read_pnm_info(file, name)
                                                : read_stb_info(file, name);
  const auto [width, height] = info.size;
  if (width == 0 || height == 0) {
    throw DataError(name, std::nullopt, "an image of at least one pixel",
                    fmt::format("{}x{}", width, height));
  }
  const std::uint64_t pixels = std::uint64_t{width} * height;
  if (pixels > kMostPixels) {
    throw DataError(name, std::nullopt, fmt::format("an image of at most {} pixels", kMostPixels),
                    fmt::format("{}x{}", width, height));
  }
  if (pixels / kMostPixelsPerByte > file.size()) {
    throw DataError(name, std::nullopt, fmt::format("an image that {} bytes can hold", file.size()),
                    fmt::format("{}x{}", width, height));
  }
  return info;
}

std::byte luma_of(const std::byte* rgb) noexcept {
  const auto value = [rgb](int i) { return std::to_integer<std::uint32_t>(rgb[i]); };
  return static_cast<std::byte>(luma(value(0), value(1), value(2)));
}

Image with_channels(Image image, ImageChannels channels) {
  const std::uint32_t wanted = channels == ImageChannels::kGray  ? 1
                               : channels == ImageChannels::kRgb ? 3
                                                                 : image.channels;
  if (wanted == image.channels) return image;
  const auto count = std::size_t{image.width} * image.height;
  std::vector<std::byte> pixels(count * wanted);
  for (std::size_t i = 0; i < count; ++i) {
    if (wanted == 1) {
      pixels[i] = luma_of(&image.pixels[3 * i]);
    } else {
      std::fill_n(&pixels[3 * i], 3, image.pixels[i]);
    }
  }
  image.channels = wanted;
  image.pixels = std::move(pixels);
  return image;
}

}  // namespace

Image decode_image(std::span<const std::byte> file, const std::string& name,
                   const ImageOptions& options) {
  if (options.resize) check_image_size(*options.resize);
  const Codec codec = codec_of(file);
  (void)read_info(codec, file, name);
  Image image;
  switch (codec) {
    case Codec::kJpeg:
      image = decode_jpeg(file, name, options);
      break;
    case Codec::kPnm:
      image = decode_pnm(file, name);
      break;
    case Codec::kStb:
      if (is_png(file)) check_png(file, name);
      image = decode_stb(file, name);
      break;
  }
  return image_as_asked(std::move(image), options);
}

Image image_as_asked(Image image, const ImageOptions& options) {
  // The fewer pixels, the less to convert; and resizing three channels costs three times one.
  const bool fewer_channels = options.channels == ImageChannels::kGray;
  if (fewer_channels) image = with_channels(std::move(image), options.channels);
  if (options.resize && *options.resize != ImageSize{image.width, image.height}) {
    image = resize_image(image, *options.resize);
  }
  if (!fewer_channels) image = with_channels(std::move(image), options.channels);
  return image;
}

void check_image_size(ImageSize size) {
  const auto [width, height] = size;
  if (width == 0 || height == 0 || std::uint64_t{width} * height > kMostPixels) {
    throw std::invalid_argument(fmt::format("images cannot be resized to {}x{}", width, height));
  }
}

ImageInfo read_image_info(std::span<const std::byte> file, const std::string& name) {
  return read_info(codec_of(file), file, name);
}

bool has_image_name(const std::string& file_name) {
  constexpr std::array<std::string_view, 9> kEndings{".png", ".jpg", ".jpeg", ".bmp", ".gif",
                                                     ".tga", ".pnm", ".pgm",  ".ppm"};
  const auto dot = file_name.rfind('.');
  if (dot == std::string::npos || dot == 0) return false;
  std::string ending = file_name.substr(dot);
  std::ranges::transform(ending, ending.begin(), lower);
  return std::ranges::find(kEndings, ending) != kEndings.end();
}

}  // namespace millrace
