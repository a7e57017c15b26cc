#include "formats/image_orientation.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "formats/byte_order.h"
#include "formats/little_endian.h"
#include "formats/text.h"

namespace millrace {
namespace {

/// A TIFF file (TIFF Revision 6.0, "Section 2: TIFF Structure"), which Exif is stored as.
class Tiff {
 public:
  explicit Tiff(std::span<const std::byte> file) noexcept
      : file_(file), little_(!file.empty() && file[0] == std::byte{'I'}) {}

  std::optional<std::uint16_t> whole16(std::size_t at) const noexcept {
    if (at > file_.size() || file_.size() - at < 2) return std::nullopt;
    return little_ ? load_little_endian16(&file_[at]) : load_big_endian16(&file_[at]);
  }
  std::optional<std::uint32_t> whole32(std::size_t at) const noexcept {
    if (at > file_.size() || file_.size() - at < 4) return std::nullopt;
    return little_ ? load_little_endian32(&file_[at]) : load_big_endian32(&file_[at]);
  }

 private:
  std::span<const std::byte> file_;
  bool little_;
};

}  // namespace

std::span<const std::byte> jpeg_segment(std::span<const std::byte> file, std::uint8_t marker,
                                        std::string_view beginning) noexcept {
  const auto value = [&](std::size_t i) { return std::to_integer<std::size_t>(file[i]); };
  constexpr std::size_t kStartOfScan = 0xda;
  for (std::size_t at = 2; at + 4 <= file.size();) {
    if (value(at) != 0xff) return {};
    const auto found = value(at + 1);
    if (found == 0xff) {  // a fill byte
      ++at;
      continue;
    }
    if (found == kStartOfScan) return {};
    const std::size_t length = load_big_endian16(&file[at + 2]);
    const auto content =
        file.subspan(at + 4, std::min(std::max<std::size_t>(length, 2) - 2, file.size() - at - 4));
    if (found == marker && content.size() >= beginning.size() &&
        std::ranges::equal(content.first(beginning.size()), std::as_bytes(std::span(beginning)))) {
      return content.subspan(beginning.size());
    }
    at += 2 + length;
  }
  return {};
}

namespace {

int exif_orientation(std::span<const std::byte> exif) noexcept {
  constexpr std::uint16_t kOrientation = 0x112;
  constexpr std::uint16_t kShort = 3;
  constexpr std::size_t kEntryBytes = 12;
  const Tiff tiff(exif);
  constexpr std::uint16_t kMagic = 42;
  const auto directory = tiff.whole32(4);
  if (tiff.whole16(2) != kMagic || !directory) return 1;
  const auto entries = tiff.whole16(*directory).value_or(0);
  for (std::size_t i = 0; i < entries; ++i) {
    const auto at = std::size_t{*directory} + 2 + i * kEntryBytes;
    const auto tag = tiff.whole16(at);
    if (!tag) break;
    if (*tag != kOrientation) continue;
    const auto value = tiff.whole16(at + 8).value_or(0);
    return tiff.whole16(at + 2) == kShort && value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

}  // namespace

int jpeg_orientation(std::span<const std::byte> file) noexcept {
  constexpr std::uint8_t kApp1 = 0xe1;
  return exif_orientation(jpeg_segment(file, kApp1, std::string_view("Exif\0\0", 6)));
}

int png_orientation(std::span<const std::byte> file) noexcept {
  constexpr std::size_t kFirstChunk = 8;
  constexpr std::size_t kBeforeData = 8;  // length and type
  constexpr std::size_t kCrc = 4;
  auto rest = file.subspan(kFirstChunk);
  while (rest.size() >= kBeforeData + kCrc) {
    const std::size_t length = load_big_endian32(rest.data());
    const auto type = text_of(rest.subspan(4, 4));
    if (type == "IDAT" || length > rest.size() - kBeforeData - kCrc) break;
    if (type == "eXIf") return exif_orientation(rest.subspan(kBeforeData, length));
    rest = rest.subspan(kBeforeData + length + kCrc);
  }
  return 1;
}

Image turned(Image image, int orientation) {
  if (orientation == 1) return image;
  const bool side = on_its_side(orientation);
  const bool from_right = orientation == 2 || orientation == 3 || orientation >= 7;
  const bool from_below =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image shown{.width = side ? image.height : image.width,
              .height = side ? image.width : image.height,
              .channels = image.channels,
              .pixels = std::vector<std::byte>(image.pixels.size())};
  auto* to = shown.pixels.data();
  for (std::uint32_t y = 0; y < shown.height; ++y) {
    for (std::uint32_t x = 0; x < shown.width; ++x, to += image.channels) {
      const std::size_t column = side ? y : x;
      const std::size_t row = side ? x : y;
      const std::size_t from_column = from_right ? image.width - 1 - column : column;
      const std::size_t from_row = from_below ? image.height - 1 - row : row;
      const auto* from =
          image.pixels.data() + (from_row * image.width + from_column) * image.channels;
      std::memcpy(to, from, image.channels);
    }
  }
  return shown;
}

}  // namespace millrace
