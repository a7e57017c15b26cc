#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "formats/idx.h"
#include "formats/seekable_dataset.h"
#include "formats/seekable_idx.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"

namespace millrace::test {

/// Pixels that compress a little, the same ones every time.
inline ByteVector pixels(std::size_t count, std::uint32_t seed = 1) {
  ByteVector bytes(count);
  std::uint32_t state = seed;
  for (auto& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>((state >> 30U) == 0 ? state >> 24U : 0U);
  }
  return bytes;
}

/// A seekable IDX file of uint8, and its content.
inline ByteVector write_seekable(const std::filesystem::path& path, std::vector<std::uint32_t> dims,
                                 SeekableOptions options = {}) {
  IdxHeader header{DType::kUInt8, std::move(dims)};
  const auto data = pixels(static_cast<std::size_t>(idx_data_bytes(header)));
  SeekableIdxWriter writer(path, header, options);
  writer.append(data);
  writer.commit();
  return joined({encode_idx_header(header), data});
}

/// A training set of 28x28 pixels in a seekable file, with seven classes, in a folder of its own.
struct SeekableSet {
  explicit SeekableSet(std::uint32_t samples) : content(write_seekable(images, {samples, 28, 28})) {
    write_bytes(labels, small_labels(samples, 7));
  }

  std::shared_ptr<const SeekableDataset> open() const {
    return std::make_shared<const SeekableDataset>(images, read_idx(labels));
  }

  TempFolder folder;
  std::filesystem::path images = folder / "train-images-idx3-ubyte.zst";
  std::filesystem::path labels = folder / "train-labels-idx1-ubyte";
  ByteVector content;  ///< of the images' IDX file
};

}  // namespace millrace::test
