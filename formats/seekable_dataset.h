#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/block_dataset.h"
#include "formats/idx.h"
#include "formats/mapped_file.h"
#include "formats/pool.h"
#include "formats/seek_table.h"

namespace millrace {

/// Pairs of IDX files, one or several, whose images are inside seekable zstd files, with whole
/// samples in each frame. A block is the samples of a frame. What was read of the files does not
/// stay mapped, unless all of them are small (32 MiB).
class SeekableDataset final : public BlockDataset {
 public:
  /// A file of images and the labels of its samples.
  struct Pair {
    std::filesystem::path images;
    IdxArray labels;
  };

  /// True if `images` is a seekable file with whole samples in each frame, and more than
  /// `more_than` bytes of content. Throws DataError as read_idx_header does.
  static bool opens(const std::filesystem::path& images, std::uint64_t more_than = 0);

  /// Throws DataError as idx_dataset does, and for an images file that opens() does not take.
  SeekableDataset(const std::filesystem::path& images, IdxArray labels,
                  std::optional<std::uint32_t> classes = {}, Task task = Task::kClassification);
  /// The samples of several files one after the other, of one shape and type; at least one file.
  /// `name` is the whole's; `class_names` are of all classes, or empty. Throws as above, and where
  /// a file's samples are not like the first's, or its targets not as many.
  SeekableDataset(std::string name, std::span<const Pair> pairs,
                  std::optional<std::uint32_t> classes = {},
                  std::vector<std::string> class_names = {}, Task task = Task::kClassification);
  ~SeekableDataset() override;
  SeekableDataset(const SeekableDataset&) = delete;
  SeekableDataset& operator=(const SeekableDataset&) = delete;

  std::uint64_t size() const noexcept override { return labels_.size() / label_words(); }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return dtype_; }
  std::uint32_t classes() const noexcept override { return classes_; }
  std::uint32_t targets() const noexcept override { return targets_; }
  const std::vector<std::string>& class_names() const noexcept override { return class_names_; }
  /// The images' file, where there is one alone.
  std::string name() const override { return name_; }
  /// Of the checksums of the frames; nullopt where a file has none. Equal for equal content that is
  /// cut into equal files and frames.
  std::optional<std::string> fingerprint() const override;
  /// Decodes the blocks that hold `ids`, each once a call; the last few blocks stay decoded for the
  /// calls that follow. Several threads decode at the same time.
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override;

  /// The files of images, in order.
  std::size_t files() const noexcept { return files_.size(); }
  const std::filesystem::path& file(std::size_t index) const { return files_.at(index).path; }
  std::span<const Block> blocks() const noexcept override { return blocks_; }
  std::span<const std::int32_t> labels() const noexcept override { return labels_; }
  void expect_block(std::size_t index) const noexcept override;
  using BlockDataset::decode_block;
  void decode_block(std::size_t index, std::span<std::byte> samples) const override;

 private:
  class Reader;
  struct Place {
    std::size_t file = 0;
    std::size_t frame = 0;  // of its seek table
  };
  struct File {
    std::filesystem::path path;
    MappedFile bytes;
    SeekTable table;
  };
  void add_file(const Pair& pair, std::optional<std::uint32_t> classes, Task task);
  void decode_samples(std::size_t index, std::span<std::byte> samples, Reader& reader) const;

  std::string name_;
  std::vector<File> files_;
  std::uint64_t stored_ = 0;  // bytes of all files
  DType dtype_ = DType::kUInt8;
  SampleShape shape_;
  std::vector<std::int32_t> labels_;
  std::uint32_t classes_ = 0;
  std::uint32_t targets_ = 0;
  std::vector<std::string> class_names_;
  std::vector<Block> blocks_;
  std::vector<Place> places_;  // of the blocks
  std::uint64_t largest_block_ = 0;
  mutable Pool<Reader> readers_;
};

}  // namespace millrace
