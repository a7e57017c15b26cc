#pragma once

#include <libdeflate.h>
#include <turbojpeg.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string_view>

#include "tests/support/files.h"

// Image files of every kind, written by a few lines each.

namespace millrace::test {

inline void put_big32(ByteVector& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::byte>(value >> shift));
}
inline void put_little16(ByteVector& out, std::uint32_t value) {
  out.push_back(static_cast<std::byte>(value & 255));
  out.push_back(static_cast<std::byte>(value >> 8));
}
inline void put_little32(ByteVector& out, std::uint32_t value) {
  put_little16(out, value & 0xffff);
  put_little16(out, value >> 16);
}

inline ByteVector pnm(std::string_view header, std::span<const std::byte> samples) {
  return joined({make_bytes(header), samples});
}

inline void put_png_chunk(ByteVector& out, std::string_view type, std::span<const std::byte> data) {
  put_big32(out, static_cast<std::uint32_t>(data.size()));
  const auto checked = joined({make_bytes(type), data});
  out.insert(out.end(), checked.begin(), checked.end());
  put_big32(out, libdeflate_crc32(0, checked.data(), checked.size()));
}

/// `rows`: what a PNG file compresses, a filter byte before each row. `color`: 0 grey, 2 RGB, 3
/// palette, 4 grey and alpha, 6 RGBA. `palette`: RGB triples.
inline ByteVector png(std::uint32_t width, std::uint32_t height, int depth, int color,
                      std::span<const std::byte> rows, bool interlaced = false,
                      std::span<const std::byte> palette = {}) {
  auto out = make_bytes({0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
  ByteVector header;
  put_big32(header, width);
  put_big32(header, height);
  for (const int value : {depth, color, 0, 0, interlaced ? 1 : 0}) {
    header.push_back(static_cast<std::byte>(value));
  }
  put_png_chunk(out, "IHDR", header);
  if (!palette.empty()) put_png_chunk(out, "PLTE", palette);
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(6), &libdeflate_free_compressor);
  ByteVector packed(libdeflate_zlib_compress_bound(compressor.get(), rows.size()));
  packed.resize(libdeflate_zlib_compress(compressor.get(), rows.data(), rows.size(), packed.data(),
                                         packed.size()));
  put_png_chunk(out, "IDAT", packed);
  put_png_chunk(out, "IEND", {});
  return out;
}

/// 8-bit grey (1) or RGB (3) pixels as a PNG file.
inline ByteVector png_of(std::uint32_t width, std::uint32_t height, std::uint32_t channels,
                         std::span<const std::byte> pixels) {
  ByteVector rows;
  for (std::size_t y = 0; y < height; ++y) {
    rows.push_back(std::byte{0});
    const auto row = pixels.subspan(y * width * channels, std::size_t{width} * channels);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return png(width, height, 8, channels == 1 ? 0 : 2, rows);
}

/// 24-bit, of RGB pixels.
inline ByteVector bmp_of(std::uint32_t width, std::uint32_t height,
                         std::span<const std::byte> pixels) {
  const std::size_t row_bytes = (std::size_t{width} * 3 + 3) / 4 * 4;
  auto out = make_bytes("BM");
  put_little32(out, static_cast<std::uint32_t>(54 + row_bytes * height));
  for (const std::uint32_t value :
       {0U, 54U, 40U, width, height, 1U | 24U << 16U, 0U, 0U, 0U, 0U, 0U, 0U}) {
    put_little32(out, value);
  }
  for (std::size_t y = height; y-- > 0;) {
    ByteVector row;
    for (std::size_t x = 0; x < width; ++x) {
      for (const std::size_t c : {2, 1, 0}) row.push_back(pixels[(y * width + x) * 3 + c]);
    }
    row.resize(row_bytes);
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

/// Uncompressed, top row first, of RGB pixels.
inline ByteVector tga_of(std::uint32_t width, std::uint32_t height,
                         std::span<const std::byte> pixels) {
  auto out = make_bytes({0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  put_little16(out, width);
  put_little16(out, height);
  out.push_back(std::byte{24});
  out.push_back(std::byte{0x20});
  for (std::size_t i = 0; i < std::size_t{width} * height; ++i) {
    for (const std::size_t c : {2, 1, 0}) out.push_back(pixels[i * 3 + c]);
  }
  return out;
}

/// A 2x2 GIF: red, green / blue, white.
inline ByteVector small_gif() {
  return make_bytes({'G',  'I', 'F',  '8',  '9',  'a', 2,   0, 2,   0,   0x81, 0,   0,  //
                     255,  0,   0,    0,    255,  0,   0,   0, 255, 255, 255,  255,     //
                     0x2c, 0,   0,    0,    0,    2,   0,   2, 0,   0,                  //
                     2,    3,   0x44, 0x34, 0x05, 0,   0x3b});
}

/// `format`: TJPF_GRAY, TJPF_RGB or TJPF_CMYK.
inline ByteVector jpeg_of(int width, int height, int format, std::span<const std::byte> pixels,
                          int flags = 0) {
  const std::unique_ptr<void, decltype(&tjDestroy)> encoder(tjInitCompress(), &tjDestroy);
  unsigned char* encoded = nullptr;
  unsigned long size = 0;
  const int done = tjCompress2(encoder.get(), reinterpret_cast<const unsigned char*>(pixels.data()),
                               width, 0, height, format, &encoded, &size,
                               format == TJPF_GRAY ? TJSAMP_GRAY : TJSAMP_444, 95, flags);
  const std::unique_ptr<unsigned char, decltype(&tjFree)> owner(encoded, &tjFree);
  if (done != 0) throw std::runtime_error(tjGetErrorStr2(encoder.get()));
  const auto bytes = std::as_bytes(std::span(encoded, size));
  return {bytes.begin(), bytes.end()};
}

/// Photos in a folder a class, or an empty path where there are none: MILLRACE_PHOTOS_DIR, else
/// ../shared/data/photos seen from the project.
inline std::filesystem::path photos_folder() {
  const char* set = std::getenv("MILLRACE_PHOTOS_DIR");  // NOLINT(concurrency-mt-unsafe)
  const std::filesystem::path folder = set != nullptr ? set : "../shared/data/photos";
  std::error_code ignored;
  return std::filesystem::is_directory(folder, ignored) ? folder : std::filesystem::path();
}

}  // namespace millrace::test
