#include <fmt/format.h>

#include <algorithm>

#include "formats/byte_order.h"
#include "formats/error.h"
#include "formats/image_codecs.h"

namespace millrace {
namespace {

struct Header {
  ImageInfo info;
  std::uint32_t most = 0;  // the sample value that is white
  std::size_t data_at = 0;
};

bool is_space(std::byte value) noexcept {
  const auto c = std::to_integer<unsigned char>(value);
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_digit(std::byte value) noexcept {
  return value >= std::byte{'0'} && value <= std::byte{'9'};
}

/// The number after white space and comments at `at`, which moves behind it.
std::uint32_t read_number(std::span<const std::byte> file, const std::string& name, std::size_t& at,
                          std::uint32_t most, const char* what) {
  while (at < file.size() && (is_space(file[at]) || file[at] == std::byte{'#'})) {
    if (file[at] == std::byte{'#'}) {
      while (at < file.size() && file[at] != std::byte{'\n'}) ++at;
    } else {
      ++at;
    }
  }
  const auto begin = at;
  std::uint64_t value = 0;
  while (at < file.size() && is_digit(file[at]) && value <= most) {
    value = 10 * value + std::to_integer<std::uint64_t>(file[at++]) - '0';
  }
  if (at == begin || value == 0 || value > most) {
    throw DataError(name, begin, fmt::format("the {} of a PNM image, from 1 to {}", what, most),
                    at == begin ? "no number" : fmt::format("{}", value));
  }
  return static_cast<std::uint32_t>(value);
}

Header read_header(std::span<const std::byte> file, const std::string& name) {
  constexpr std::uint32_t kMostSide = 1U << 28;
  constexpr std::uint32_t kMostValue = 65'535;
  Header header;
  header.info.channels = file[1] == std::byte{'5'} ? 1 : 3;
  std::size_t at = 2;
  header.info.size.width = read_number(file, name, at, kMostSide, "width");
  header.info.size.height = read_number(file, name, at, kMostSide, "height");
  header.most = read_number(file, name, at, kMostValue, "largest value");
  if (at >= file.size() || !is_space(file[at])) {
    throw DataError(name, at, "white space before the samples of a PNM image", "none");
  }
  header.data_at = at + 1;
  return header;
}

}  // namespace

bool is_pnm(std::span<const std::byte> file) noexcept {
  return file.size() >= 3 && file[0] == std::byte{'P'} &&
         (file[1] == std::byte{'5'} || file[1] == std::byte{'6'}) &&
         (is_space(file[2]) || file[2] == std::byte{'#'});
}

ImageInfo read_pnm_info(std::span<const std::byte> file, const std::string& name) {
  return read_header(file, name).info;
}

Image decode_pnm(std::span<const std::byte> file, const std::string& name) {
  const Header header = read_header(file, name);
  const auto [width, height] = header.info.size;
  const std::size_t count = std::size_t{width} * height * header.info.channels;
  const std::size_t sample_bytes = header.most > 255 ? 2 : 1;
  const auto data = file.subspan(header.data_at);
  if (data.size() < count * sample_bytes) {
    throw DataError(name, header.data_at,
                    fmt::format("{} bytes of {}x{} pixels", count * sample_bytes, width, height),
                    fmt::format("{}", data.size()));
  }
  Image image{.width = width, .height = height, .channels = header.info.channels, .pixels = {}};
  if (header.most == 255) {
    image.pixels.assign(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
    return image;
  }
  image.pixels.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t value = sample_bytes == 2 ? load_big_endian16(&data[2 * i])
                                            : std::to_integer<std::uint32_t>(data[i]);
    value = std::min(value, header.most);  // above it: white, as netpbm's own programs take it
    image.pixels[i] = static_cast<std::byte>((value * 255 + header.most / 2) / header.most);
  }
  return image;
}

}  // namespace millrace
