#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/array.h"
#include "formats/dataset.h"
#include "formats/image.h"
#include "formats/parquet_page.h"
#include "formats/run_blocks.h"
#include "formats/table.h"

namespace millrace {

/// The leaf of a file that holds images: bytes beside the path of a file, as Hugging Face's
/// datasets store them, or bytes of which the first are an image. nullopt where there is none.
/// `dropped`: columns that are not looked at.
std::optional<std::size_t> image_leaf(const ParquetFile& file,
                                      const std::vector<std::string>& dropped = {});

/// Images in a column of Parquet files, a sample a row, and their classes or targets in others.
/// They stay in the files and are decoded by whoever reads them; pages that are compressed are
/// decompressed for it, and those that came last stay in memory (kCached). All other columns are
/// left out.
///
/// A sample is [height, width] or [height, width, 3] uint8, as of ImageFolder.
class ParquetImages final : public DiskDataset {
 public:
  static constexpr std::uint64_t kCached = std::uint64_t{128} << 20;

  enum class Headers : std::uint8_t { kAll, kAnyReadable };

  /// `files`: in order; images are in the column that image_leaf() finds in the first one.
  /// `images`: as for ImageFolder. `labels`: task, label_column, target_columns, class_names,
  /// classes, unlabelled_values and table.dropped count. Throws DataError: what ParquetFile,
  /// read_page_header and read_image_info throw, labels that are not said or no such labels, images
  /// of different sizes where none was asked for. With Headers::kAnyReadable images that cannot be
  /// read are left for read() to refuse.
  ParquetImages(std::vector<std::shared_ptr<const ParquetFile>> files, const ImageOptions& images,
                const ReadTableOptions& labels, Headers headers = Headers::kAll);
  /// Test images to `train`, as WebDataset's.
  ParquetImages(std::vector<std::shared_ptr<const ParquetFile>> files, const ParquetImages& train,
                const ReadTableOptions& labels, Headers headers = Headers::kAll);

  std::uint64_t size() const noexcept override { return rows_; }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return DType::kUInt8; }
  std::uint32_t classes() const noexcept override { return labels_.classes; }
  std::uint32_t targets() const noexcept override { return labels_.targets; }
  const std::vector<std::string>& class_names() const noexcept override { return class_names_; }
  /// The names of the columns of labels, and no others.
  const ColumnNames& column_names() const noexcept override { return columns_; }
  std::string name() const override { return name_; }
  std::string hash() const override;
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override;

  std::span<const std::int32_t> labels() const noexcept override { return labels_.values; }
  bool on_disk() const noexcept override { return true; }
  /// Those of one page.
  std::vector<BlockDataset::Block> runs() const override;
  void expect(std::uint64_t first, std::uint64_t count) const noexcept override;
  void forget(std::uint64_t first, std::uint64_t count) const noexcept override;

  /// What every image is decoded with: size and channels are given.
  const ImageOptions& options() const noexcept { return options_; }
  /// Labels are numbers in the files.
  bool numbered() const noexcept { return !layout_.named_classes; }
  /// Columns that are neither images nor labels.
  const std::vector<std::string>& left_out() const noexcept { return left_out_; }
  /// "labels in column …", for a description.
  std::string labels_text() const;

 private:
  /// A data page of images.
  struct Page {
    std::uint64_t first = 0;  // sample
    std::uint32_t file = 0;
    std::uint32_t chunk = 0;  // of chunks_
    ParquetPageHeader header;
  };
  struct Chunk {
    ParquetLeaf leaf;
    ParquetCodec codec = ParquetCodec::kNone;
    std::optional<ParquetPageHeader> dictionary;
  };
  struct Decoded;

  void open(const ReadTableOptions& labels, const ParquetImages* train);
  void find_pages();
  void read_labels(const ReadTableOptions& labels);
  void find_form(const ParquetImages* train, Headers headers);
  std::size_t page_of(std::uint64_t sample) const;
  std::shared_ptr<const Decoded> page(std::size_t number) const;
  std::string name_of(std::uint64_t sample) const;
  template <typename Do>
  void for_parts(std::uint64_t first, std::uint64_t count, Do with) const noexcept;

  std::vector<std::shared_ptr<const ParquetFile>> files_;
  std::string name_;
  std::string image_name_;  // of their leaf
  ImageOptions asked_;
  ImageOptions options_;
  std::uint64_t rows_ = 0;
  std::uint64_t stored_ = 0;               // bytes of all files
  std::vector<std::uint64_t> first_rows_;  // of each file
  std::vector<Chunk> chunks_;
  std::vector<Page> pages_;
  Labels labels_;
  std::vector<std::string> class_names_;
  ColumnNames columns_;
  TableLayout layout_;
  std::vector<std::string> left_out_;
  SampleShape shape_;
  mutable std::mutex pages_mutex_;
  mutable std::vector<std::shared_ptr<const Decoded>> recent_;  // the last one first
  mutable std::mutex hash_mutex_;
  mutable std::string hash_;  // empty until somebody asks
};

}  // namespace millrace
