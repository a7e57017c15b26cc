#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/dataset.h"
#include "formats/image.h"
#include "formats/random_content.h"
#include "formats/run_blocks.h"
#include "formats/webdataset_index.h"

namespace millrace {

/// Shards of samples in tar archives (https://github.com/webdataset/webdataset, "The WebDataset
/// Format"). Members that stand one after the other and whose paths agree up to the first '.' of
/// the file's name are one sample:
///
///     000017.jpg  000017.cls        an image (has_image_name) and its class as text
///     000017.npy  000017.json       an array, and {"label": 3, …}
///
/// Members of other names, hidden files, folders, links and sparse files are left out. Plain shards
/// are mapped, and images decoded by whoever reads them; .gz and .zst are decoded whole when they
/// are opened, but for seekable .zst that would take too much memory: their frames are decoded as
/// members are read. Nothing is ever written, whatever the members are called.
///
/// A sample of images is [height, width] or [height, width, 3] uint8, as of ImageFolder; one of
/// arrays has their shape and type.
class WebDataset final : public DiskDataset {
 public:
  /// `shards`: in order. `options`: of images, as for ImageFolder. `classes`: what labels must lie
  /// below; none: one more than the largest. `most_decoded`: seekable shards with more bytes of
  /// content together stay compressed. Throws DataError: what TarReader, read_image_info and
  /// read_npy throw, a sample without image or label, with two, images and arrays in one set, sizes
  /// that differ, a label that is no whole number or outside the classes, no samples.
  explicit WebDataset(const std::vector<std::filesystem::path>& shards,
                      const ImageOptions& options = {}, std::optional<std::uint32_t> classes = {},
                      std::uint64_t most_decoded = std::uint64_t{1} << 30);
  /// The test samples to `train`, with labels in its classes; images have its size and colour where
  /// none was asked for (CommonImageForm). Throws DataError for others, and as above.
  WebDataset(const std::vector<std::filesystem::path>& shards, const WebDataset& train,
             std::uint64_t most_decoded = std::uint64_t{1} << 30);

  std::uint64_t size() const noexcept override { return index_.samples.size(); }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return dtype_; }
  std::uint32_t classes() const noexcept override { return classes_; }
  /// The shard, or the folder of several.
  std::string name() const override { return name_; }
  std::string hash() const override;
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override;

  std::span<const std::int32_t> labels() const noexcept override { return index_.labels; }
  bool on_disk() const noexcept override;
  /// Those of one shard whose members begin in one frame, where frames are decoded.
  std::vector<BlockDataset::Block> runs() const override;
  void expect(std::uint64_t first, std::uint64_t count) const noexcept override;
  void forget(std::uint64_t first, std::uint64_t count) const noexcept override;

  /// What every image is decoded with: size and channels are given. As asked for where samples are
  /// arrays.
  const ImageOptions& options() const noexcept { return options_; }

 private:
  void open(const std::vector<std::filesystem::path>& shards, std::optional<std::uint32_t> classes,
            std::uint64_t most_decoded);
  void find_form(const WebDataset* train);
  std::span<const std::byte> stored(const WebIndex::Sample& sample, ContentReader& from) const;
  /// For messages, from the member's header: kept for all samples, names would take more memory
  /// than everything else.
  std::string name_of(const WebIndex::Sample& sample, ContentReader& from) const;
  void decode(const WebIndex::Sample& sample, ContentReader& from, std::span<std::byte> to) const;
  template <typename Do>
  void for_parts(std::uint64_t first, std::uint64_t count, Do with) const noexcept;

  ImageOptions asked_;
  ImageOptions options_;
  std::string name_;
  std::vector<std::unique_ptr<const RandomContent>> shards_;
  std::uint64_t content_ = 0;  // bytes of all shards
  WebIndex index_;
  SampleShape shape_;
  DType dtype_ = DType::kUInt8;
  std::uint32_t classes_ = 0;
  mutable std::mutex hash_mutex_;
  mutable std::string hash_;  // empty until somebody asks
};

}  // namespace millrace
