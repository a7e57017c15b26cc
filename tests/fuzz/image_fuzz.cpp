// Any bytes are an image or a DataError, as they are, resized and in other channels. The checksums
// of a PNG file's chunks are put right, which a fuzzer would not come by.
#include <libdeflate.h>

#include <cstdint>
#include <cstdlib>
#include <span>

#include "formats/error.h"
#include "formats/image.h"
#include "tests/support/files.h"

namespace {

using millrace::test::ByteVector;

void put_png_checksums(ByteVector& file) {
  constexpr std::size_t kSignature = 8;
  constexpr std::size_t kAround = 12;  // length, type, checksum
  for (std::size_t at = kSignature; at + kAround <= file.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      length = (length << 8U) | std::to_integer<std::size_t>(file[at + i]);
    }
    if (length > file.size() - at - kAround) return;
    const auto crc = libdeflate_crc32(0, file.data() + at + 4, length + 4);
    for (std::size_t i = 0; i < 4; ++i) {
      file[at + 8 + length + i] = static_cast<std::byte>(crc >> (24 - 8 * i));
    }
    at += length + kAround;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  const auto bytes = std::as_bytes(std::span(data, size));
  ByteVector file(bytes.begin(), bytes.end());
  if (size > 4 && data[0] == 0x89) put_png_checksums(file);
  const auto check = [&](const ImageOptions& options) {
    try {
      const auto info = read_image_info(file, "fuzz");
      // Sound, but slow: more than what a minute is for.
      if (std::uint64_t{info.size.width} * info.size.height > 1U << 18U) return;
      const auto image = decode_image(file, "fuzz", options);
      if (image.pixels.size() != std::size_t{image.width} * image.height * image.channels) {
        std::abort();
      }
      if (options.resize && *options.resize != ImageSize{image.width, image.height}) std::abort();
    } catch (const DataError&) {
    }
  };
  check({});
  check({.resize = ImageSize{5, 7}, .channels = ImageChannels::kGray});
  check({.resize = ImageSize{9, 2}, .channels = ImageChannels::kRgb});
  return 0;
}
