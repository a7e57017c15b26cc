#pragma once

#include <cstdint>
#include <filesystem>
#include <numeric>
#include <vector>

#include "formats/hash.h"
#include "formats/seek_table.h"
#include "formats/seekable_idx.h"
#include "formats/shard_manifest.h"
#include "formats/shard_names.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/seekable.h"

namespace millrace::test {

inline ShardFile described(const std::filesystem::path& path) {
  const auto bytes = read_bytes(path);
  return {.name = path.filename().string(),
          .bytes = bytes.size(),
          .hash = hash_hex(bytes),
          .table = hash_hex(read_seek_table(path, bytes).value().encode())};
}

/// A sharded training set of 28x28 pixels and seven classes, made file by file, and the same as one
/// pair of plain files beside it.
struct ShardedFolder {
  explicit ShardedFolder(const std::vector<std::uint32_t>& sizes) {
    std::filesystem::create_directory(path);
    const auto count = std::accumulate(sizes.begin(), sizes.end(), std::uint32_t{0});
    const auto all = pixels(std::size_t{count} * 784);
    const auto labels = small_labels(count, 7);
    write_idx(whole.path() / "train-images-idx3-ubyte", {DType::kUInt8, {count, 28, 28}}, all);
    write_bytes(whole / "train-labels-idx1-ubyte", labels);
    manifest = {.dtype = DType::kUInt8, .shape = {28, 28}, .classes = 7};
    manifest.train.samples = count;
    manifest.train.hash = open_whole()->hash();
    std::size_t first = 0;
    for (std::uint32_t i = 0; i < sizes.size(); ++i) {
      const auto shards = static_cast<std::uint32_t>(sizes.size());
      SeekableIdxWriter images(path / shard_file_name("train-images-idx3-ubyte", i, shards),
                               {DType::kUInt8, {sizes[i], 28, 28}});
      images.append(std::span(all).subspan(first * 784, std::size_t{sizes[i]} * 784));
      images.commit();
      SeekableIdxWriter classes(path / shard_file_name("train-labels-idx1-ubyte", i, shards),
                                {DType::kUInt8, {sizes[i]}});
      classes.append(std::span(labels).subspan(8 + first, sizes[i]));
      classes.commit();
      first += sizes[i];
      manifest.train.shards.push_back({.samples = sizes[i],
                                       .images = described(images_at(i, shards)),
                                       .labels = described(labels_at(i, shards))});
    }
    write_manifest();
  }

  std::filesystem::path images_at(std::uint32_t i, std::uint32_t shards) const {
    return path / shard_file_name("train-images-idx3-ubyte", i, shards);
  }
  std::filesystem::path labels_at(std::uint32_t i, std::uint32_t shards) const {
    return path / shard_file_name("train-labels-idx1-ubyte", i, shards);
  }
  std::shared_ptr<const ArrayDataset> open_whole() const {
    return read_idx_pair(whole / "train-images-idx3-ubyte", whole / "train-labels-idx1-ubyte");
  }
  void write_manifest() const { millrace::write_manifest(path, manifest); }

  TempFolder whole;
  TempFolder folder;
  std::filesystem::path path = folder / "set";
  ShardManifest manifest;
};

}  // namespace millrace::test
