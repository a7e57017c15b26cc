#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/npy.h"
#include "tests/support/compressed.h"
#include "tests/support/files.h"
#include "tests/support/images.h"

// .npy and .npz files, made by a few lines each.

namespace millrace::test {

/// A .npy file of `elements` as they shall lie there.
inline ByteVector npy_of(const NpyHeader& header, std::span<const std::byte> elements) {
  return joined({encode_npy_header(header), elements});
}

/// `count` samples of 2x3, byte k of all being k % 251.
inline ByteVector npy_images(std::uint64_t count) {
  ByteVector elements(count * 6);
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<std::byte>(i % 251);
  return npy_of({.dtype = DType::kUInt8, .shape = {count, 2, 3}}, elements);
}

/// 0, 1, …, classes - 1, 0, … as int64.
inline ByteVector npy_labels(std::uint64_t count, std::int64_t classes) {
  std::vector<std::int64_t> labels(count);
  for (std::size_t i = 0; i < count; ++i) labels[i] = static_cast<std::int64_t>(i) % classes;
  return npy_of({.dtype = DType::kInt64, .shape = {count}}, bytes_of(labels));
}

struct ZipEntry {
  std::string name;
  ByteVector content;
  bool deflated = false;
  bool zip64 = false;  ///< its sizes and place in a ZIP64 field, as NumPy does for large arrays
};

/// A zip archive.
inline ByteVector zip_of(const std::vector<ZipEntry>& entries) {
  ByteVector out;
  ByteVector directory;
  const auto put64 = [](ByteVector& to, std::uint64_t value) {
    put_little32(to, static_cast<std::uint32_t>(value));
    put_little32(to, static_cast<std::uint32_t>(value >> 32U));
  };
  const auto add = [](ByteVector& to, std::span<const std::byte> bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
  };
  for (const auto& entry : entries) {
    auto stored = entry.content;
    if (entry.deflated) {
      // Without gzip's header of 10 bytes and trailer of 8.
      const auto member = gzip_member(entry.content);
      stored.assign(member.begin() + 10, member.end() - 8);
    }
    const auto crc = libdeflate_crc32(0, entry.content.data(), entry.content.size());
    const auto at = out.size();
    const auto common = [&](ByteVector& to, bool in_directory) {
      put_little16(to, 20);
      put_little16(to, 0);
      put_little16(to, entry.deflated ? 8 : 0);
      put_little32(to, 0x00210000);
      put_little32(to, crc);
      put_little32(to, entry.zip64 ? ~0U : static_cast<std::uint32_t>(stored.size()));
      put_little32(to, entry.zip64 ? ~0U : static_cast<std::uint32_t>(entry.content.size()));
      put_little16(to, static_cast<std::uint32_t>(entry.name.size()));
      put_little16(to, !entry.zip64 ? 0 : in_directory ? 28 : 20);
    };
    ByteVector extra;
    if (entry.zip64) {
      put_little16(extra, 1);
      put_little16(extra, 16);
      put64(extra, entry.content.size());
      put64(extra, stored.size());
    }
    put_little32(out, 0x04034b50);
    common(out, false);
    add(out, make_bytes(entry.name));
    add(out, extra);
    add(out, stored);
    put_little32(directory, 0x02014b50);
    put_little16(directory, 20);
    common(directory, true);
    put_little16(directory, 0);
    put_little32(directory, 0);
    put_little32(directory, 0);
    put_little32(directory, entry.zip64 ? ~0U : static_cast<std::uint32_t>(at));
    add(directory, make_bytes(entry.name));
    if (entry.zip64) {
      extra[2] = std::byte{24};
      put64(extra, at);
      add(directory, extra);
    }
  }
  const auto at = out.size();
  add(out, directory);
  put_little32(out, 0x06054b50);
  put_little32(out, 0);
  put_little16(out, static_cast<std::uint32_t>(entries.size()));
  put_little16(out, static_cast<std::uint32_t>(entries.size()));
  put_little32(out, static_cast<std::uint32_t>(directory.size()));
  put_little32(out, static_cast<std::uint32_t>(at));
  put_little16(out, 0);
  return out;
}

}  // namespace millrace::test
