#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "formats/idx_dataset.h"
#include "tests/support/files.h"

// IDX files made byte by byte, so that tests do not take the writer's word for what the reader
// reads.

namespace millrace::test {

inline ByteVector big_endian32(std::uint32_t value) {
  return make_bytes({static_cast<int>(value >> 24), static_cast<int>((value >> 16) & 0xff),
                     static_cast<int>((value >> 8) & 0xff), static_cast<int>(value & 0xff)});
}

inline ByteVector idx_header(int type, const std::vector<std::uint32_t>& dims) {
  auto bytes = make_bytes({0, 0, type, static_cast<int>(dims.size())});
  for (const auto dim : dims) bytes = joined({bytes, big_endian32(dim)});
  return bytes;
}

/// `count` images of 2x3, pixel j of image i is (6 i + j) mod 256.
inline ByteVector small_images(std::uint32_t count) {
  auto bytes = idx_header(0x08, {count, 2, 3});
  for (std::uint32_t i = 0; i < 6 * count; ++i) bytes.push_back(static_cast<std::byte>(i));
  return bytes;
}

/// Label i is i mod `classes`.
inline ByteVector small_labels(std::uint32_t count, std::uint32_t classes) {
  auto bytes = idx_header(0x08, {count});
  for (std::uint32_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::byte>(i % classes));
  return bytes;
}

/// Both files of a pair.
inline std::shared_ptr<const ArrayDataset> read_idx_pair(
    const std::filesystem::path& images, const std::filesystem::path& labels,
    std::optional<std::uint32_t> classes = {}) {
  return idx_dataset(read_idx(images), read_idx(labels), classes);
}

}  // namespace millrace::test
