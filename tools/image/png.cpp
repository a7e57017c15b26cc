#include <libdeflate.h>

#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include "tools/image/picture.h"

namespace millrace {
namespace {

struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const noexcept {
    libdeflate_free_compressor(compressor);
  }
};

void put_big_endian(std::string& out, std::uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(value >> shift & 0xffU);
}

void put_chunk(std::string& file, std::string_view type, std::string_view data) {
  put_big_endian(file, static_cast<std::uint32_t>(data.size()));
  const std::size_t begin = file.size();
  file += type;
  file += data;
  put_big_endian(file, libdeflate_crc32(0, file.data() + begin, file.size() - begin));
}

std::string compressed(std::string_view data) {
  constexpr int kLevel = 6;  // 9 takes seven times as long for 1 % less
  const std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor(
      libdeflate_alloc_compressor(kLevel));
  if (compressor == nullptr) throw std::bad_alloc();
  std::string out(libdeflate_zlib_compress_bound(compressor.get(), data.size()), '\0');
  out.resize(
      libdeflate_zlib_compress(compressor.get(), data.data(), data.size(), out.data(), out.size()));
  return out;
}

}  // namespace

std::string encode_png(const Picture& picture) {
  constexpr std::string_view kColourTypes("\0\0\0\2\6", 5);  // by channels
  std::string header;
  put_big_endian(header, picture.width);
  put_big_endian(header, picture.height);
  header += '\x08';  // bits
  header += kColourTypes[picture.channels];
  header.append(3, '\0');  // deflate, the only set of filters, not interlaced

  std::string rows;
  const std::size_t row_bytes = std::size_t{picture.width} * picture.channels;
  for (std::uint32_t y = 0; y < picture.height; ++y) {
    rows += '\0';  // no filter
    const std::uint8_t* row = picture.pixels.data() + y * row_bytes;
    rows.append(row, row + row_bytes);
  }
  std::string file = "\x89PNG\r\n\x1a\n";
  put_chunk(file, "IHDR", header);
  put_chunk(file, "IDAT", compressed(rows));
  put_chunk(file, "IEND", "");
  return file;
}

}  // namespace millrace
