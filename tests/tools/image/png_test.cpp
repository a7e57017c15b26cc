// Reads encode_png's files chunk by chunk, as the standard lays them out.

#include <gtest/gtest.h>
#include <libdeflate.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tools/image/picture.h"

namespace millrace {
namespace {

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

std::vector<std::pair<std::string, std::string>> chunks_of(std::string_view file) {
  EXPECT_EQ(file.substr(0, 8), "\x89PNG\r\n\x1a\n");
  file.remove_prefix(8);
  std::vector<std::pair<std::string, std::string>> chunks;
  while (!file.empty()) {
    const std::uint32_t length = big_endian(file);
    chunks.emplace_back(file.substr(4, 4), file.substr(8, length));
    EXPECT_EQ(big_endian(file.substr(8 + length)),
              libdeflate_crc32(0, file.data() + 4, length + 4));
    file.remove_prefix(length + 12);
  }
  return chunks;
}

TEST(EncodePng, WritesWhatTheStandardSays) {
  const std::vector<std::pair<std::uint32_t, char>> kinds{{1, '\0'}, {3, '\2'}, {4, '\6'}};
  for (const auto& [channels, colour_type] : kinds) {
    Picture picture(300, 2, channels);
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
      picture.pixels[i] = static_cast<std::uint8_t>(i * 7);
    }
    const auto chunks = chunks_of(encode_png(picture));
    ASSERT_EQ(chunks.size(), 3U);
    EXPECT_EQ(chunks[0].first, "IHDR");
    EXPECT_EQ(chunks[0].second,
              std::string("\0\0\1\x2c\0\0\0\2\x08", 9) + colour_type + std::string(3, '\0'));
    EXPECT_EQ(chunks[1].first, "IDAT");
    EXPECT_EQ(chunks[2], (std::pair<std::string, std::string>{"IEND", ""}));
    const std::size_t row = 300 * std::size_t{channels};
    std::string rows(2 * (row + 1), '?');
    auto* decompressor = libdeflate_alloc_decompressor();
    EXPECT_EQ(
        libdeflate_zlib_decompress(decompressor, chunks[1].second.data(), chunks[1].second.size(),
                                   rows.data(), rows.size(), nullptr),
        LIBDEFLATE_SUCCESS);
    libdeflate_free_decompressor(decompressor);
    for (std::size_t y = 0; y < 2; ++y) {
      EXPECT_EQ(rows[y * (row + 1)], '\0');
      EXPECT_EQ(rows.substr(y * (row + 1) + 1, row),
                std::string(picture.pixels.begin() + static_cast<std::ptrdiff_t>(y * row),
                            picture.pixels.begin() + static_cast<std::ptrdiff_t>((y + 1) * row)));
    }
  }
}

}  // namespace
}  // namespace millrace
