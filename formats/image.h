#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace millrace {

/// More pixels than this are refused, before memory is taken for them.
inline constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 28;

struct ImageSize {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  bool operator==(const ImageSize&) const = default;
};

/// kAsStored: grey stays grey, everything else becomes RGB.
enum class ImageChannels : std::uint8_t { kAsStored, kGray, kRgb };

struct ImageOptions {
  /// Samples that are stored flat, as values of a table's line are, are images of this size, grey
  /// or (three times as many values) RGB; none: they stay flat. What data_folder() does.
  std::optional<ImageSize> flat = {};
  /// Stretched to exactly this; none: as stored.
  std::optional<ImageSize> resize = {};
  ImageChannels channels = ImageChannels::kAsStored;
  bool operator==(const ImageOptions&) const = default;
};

struct Image {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t channels = 0;     ///< 1: grey, 3: RGB
  std::vector<std::byte> pixels;  ///< [height, width, channels] uint8
};

/// What the header of an image file says.
struct ImageInfo {
  ImageSize size;
  std::uint32_t channels = 0;  ///< of what decode_image makes of it as stored: 1 or 3
};

/// Decodes a PNG, JPEG, BMP, GIF (its first frame), TGA or binary PNM (P5, P6) image; its content
/// says which, `name` is for messages.
///
/// 16-bit samples become 8-bit, rounded to nearest. What is transparent is laid over white, or over
/// black where what can be seen of the image, weighted by its opacity, is lighter than half on
/// average (luma). A TGA image that is transparent everywhere counts as opaque: many programs leave
/// its alpha at 0. CMYK becomes RGB as r = (1 - c)(1 - k), without colour profile. Colour becomes
/// grey as luma, ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B. JPEG images are decoded at the smallest
/// of eight scales that is not below the size asked for; what is then left to resize, and all of it
/// for the other formats, is done by a Catmull-Rom (larger) or Mitchell-Netravali (smaller) filter.
/// They are turned as their Exif orientation says (image_orientation.h), as all viewers show them.
///
/// Thread-safe. Throws DataError naming `name`: no such format, a truncated or damaged file (PNG
/// checksums are checked), more than kMostPixels, a size that so few bytes cannot hold;
/// std::invalid_argument for a size to resize to that is empty or above kMostPixels.
Image decode_image(std::span<const std::byte> file, const std::string& name,
                   const ImageOptions& options = {});

/// The same for the header alone; nothing is decoded.
ImageInfo read_image_info(std::span<const std::byte> file, const std::string& name);

/// The last part of decode_image: an image that is decoded, in the size and with the channels that
/// are asked for.
Image image_as_asked(Image image, const ImageOptions& options);

/// Throws std::invalid_argument for a size that no image can be resized to.
void check_image_size(ImageSize size);

/// By the ending of a file's name: .png, .jpg, .jpeg, .bmp, .gif, .tga, .pnm, .pgm, .ppm, in any
/// case.
bool has_image_name(const std::string& file_name);

}  // namespace millrace
