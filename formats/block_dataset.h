#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/dataset.h"
#include "formats/idx.h"
#include "formats/mapped_file.h"
#include "formats/seek_table.h"

namespace millrace {

/// Pairs of IDX files, one or several, whose images are inside seekable zstd files, with whole
/// samples in each frame. Samples stay on disk and are decoded when they are asked for, a block
/// (the samples of a frame) at a time; labels are in memory. What was read of the files does not
/// stay mapped, unless all of them are small (32 MiB).
class BlockDataset final : public Dataset {
 public:
  struct Block {
    std::uint64_t first = 0;  ///< its first sample
    std::uint64_t count = 0;  ///< samples, at least one
    std::size_t frame = 0;    ///< of the file's seek table
    std::size_t file = 0;     ///< of files()
  };

  /// A file of images and the labels of its samples.
  struct Pair {
    std::filesystem::path images;
    IdxArray labels;
  };

  /// True if `images` is a seekable file with whole samples in each frame, and more than
  /// `more_than` bytes of content. Throws DataError as read_idx_header does.
  static bool opens(const std::filesystem::path& images, std::uint64_t more_than = 0);

  /// Throws DataError as IdxDataset does, and for an images file that opens() does not take.
  BlockDataset(const std::filesystem::path& images, IdxArray labels,
               std::optional<std::uint32_t> classes = {});
  /// The samples of several files one after the other, of one shape and type; at least one file.
  /// `name` is the whole's. Throws as above, and where a file's samples are not like the first's.
  BlockDataset(std::string name, std::span<const Pair> pairs,
               std::optional<std::uint32_t> classes = {});
  ~BlockDataset() override;
  BlockDataset(const BlockDataset&) = delete;
  BlockDataset& operator=(const BlockDataset&) = delete;

  std::uint64_t size() const noexcept override { return labels_.size(); }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return dtype_; }
  std::uint32_t classes() const noexcept override { return classes_; }
  /// The images' file, where there is one alone.
  std::string name() const override { return name_; }
  /// Decodes everything once, on all cores.
  std::string hash() const override;
  /// 128-bit hash of shape, type, labels and the checksums of the frames, as 32 hex digits: equal
  /// for equal content that is cut into equal files and frames, without decoding any of it. hash()
  /// where a file has no checksums.
  std::string fingerprint() const;
  /// Decodes the blocks that hold `ids`, each once a call; the last few blocks stay decoded for the
  /// calls that follow. Several threads decode at the same time.
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override;

  /// The files of images, in order.
  std::size_t files() const noexcept { return files_.size(); }
  const std::filesystem::path& file(std::size_t index) const { return files_.at(index).path; }
  /// In the order of the samples; every one is in one of them.
  std::span<const Block> blocks() const noexcept { return blocks_; }
  /// Samples of the largest block.
  std::uint64_t largest_block() const noexcept { return largest_block_; }
  /// [size()].
  std::span<const std::int32_t> labels() const noexcept override { return labels_; }
  /// Tells the kernel that block `index` will be decoded soon.
  void expect_block(std::size_t index) const noexcept;
  /// Decodes block `index` straight to `samples` ([block.count, elements], dtype()) and `labels`
  /// ([block.count]). Throws DataError for a broken frame, std::out_of_range, and
  /// std::invalid_argument for memory of another size.
  void decode_block(std::size_t index, std::span<std::byte> samples,
                    std::span<std::int32_t> labels) const;
  /// The same of the samples alone.
  void decode_block(std::size_t index, std::span<std::byte> samples) const;

 private:
  class Reader;
  class Lease;
  struct File {
    std::filesystem::path path;
    MappedFile bytes;
    SeekTable table;
  };
  void add_file(const Pair& pair, std::optional<std::uint32_t> classes);
  void decode_samples(std::size_t index, std::span<std::byte> samples, Reader& reader) const;
  void check_room(std::uint64_t count, std::size_t samples, std::size_t labels) const;

  std::string name_;
  std::vector<File> files_;
  std::uint64_t stored_ = 0;  // bytes of all files
  DType dtype_ = DType::kUInt8;
  SampleShape shape_;
  std::vector<std::int32_t> labels_;
  std::uint32_t classes_ = 0;
  std::vector<Block> blocks_;
  std::uint64_t largest_block_ = 0;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Reader>> idle_;  // under mutex_; the last one was used last
  mutable std::size_t leased_ = 0;                     // under mutex_
  mutable std::mutex hash_mutex_;
  mutable std::string hash_;  // empty until somebody asks
};

}  // namespace millrace
