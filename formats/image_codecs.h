#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "formats/image.h"

// The decoders behind image.h, one a source file. `name` is for messages; all of them throw
// DataError. read_…_info looks at the header alone. The decoders give 1 or 3 channels and are
// called only for files whose header was read and found sensible.

namespace millrace {

/// Of libjpeg-turbo. `least`: decode to the smallest scale not below it, or to full size; grey or
/// RGB as asked for.
ImageInfo read_jpeg_info(std::span<const std::byte> file, const std::string& name);
Image decode_jpeg(std::span<const std::byte> file, const std::string& name,
                  const ImageOptions& options);

/// Binary PNM (https://netpbm.sourceforge.net/doc/pgm.html and ppm.html), samples of up to 16 bits.
bool is_pnm(std::span<const std::byte> file) noexcept;
ImageInfo read_pnm_info(std::span<const std::byte> file, const std::string& name);
Image decode_pnm(std::span<const std::byte> file, const std::string& name);

/// PNG, BMP, GIF and TGA by stb_image.
bool is_png(std::span<const std::byte> file) noexcept;
ImageInfo read_stb_info(std::span<const std::byte> file, const std::string& name);
Image decode_stb(std::span<const std::byte> file, const std::string& name);

/// The chunks of a PNG file and their CRCs (ISO/IEC 15948, "5 Datastream structure"), which stb
/// does not look at.
void check_png(std::span<const std::byte> file, const std::string& name);

/// ITU-R BT.601 luma in 16-bit fixed point, rounded; the weights add up to 65536. Of values of up
/// to 16 bits.
constexpr std::uint32_t luma(std::uint32_t red, std::uint32_t green, std::uint32_t blue) noexcept {
  return (19'595 * red + 38'470 * green + 7'471 * blue + 32'768) >> 16U;
}

/// By stb_image_resize. Throws std::bad_alloc.
Image resize_image(const Image& image, ImageSize size);

}  // namespace millrace
