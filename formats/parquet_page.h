#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "formats/bytes.h"
#include "formats/mapped_file.h"
#include "formats/parquet_footer.h"

// The pages of a Parquet file. Users want parquet.h.

namespace millrace {

/// A file, mapped, and its footer.
class ParquetFile {
 public:
  /// Throws DataError if it cannot be mapped, and as read_parquet_footer does.
  explicit ParquetFile(std::filesystem::path path)
      : path_(std::move(path)), file_(path_), footer_(read_parquet_footer(path_, file_.bytes())) {}

  const std::filesystem::path& path() const noexcept { return path_; }
  const MappedFile& file() const noexcept { return file_; }
  std::span<const std::byte> bytes() const noexcept { return file_.bytes(); }
  const ParquetFooter& footer() const noexcept { return footer_; }

 private:
  std::filesystem::path path_;
  MappedFile file_;
  ParquetFooter footer_;
};

/// How a page stores its values, as parquet.thrift numbers it.
enum class ParquetEncoding : std::uint8_t {
  kPlain = 0,
  kPlainDictionary = 2,
  kRle = 3,
  kBitPacked = 4,
  kDeltas = 5,
  kLengths = 6,
  kPrefixes = 7,
  kDictionary = 8,
  kSplit = 9
};

/// What stands in front of a page.
struct ParquetPageHeader {
  enum class Kind : std::uint8_t { kData, kIndex, kDictionary, kDataV2 };
  Kind kind = Kind::kData;
  ParquetEncoding encoding = ParquetEncoding::kPlain;
  std::uint64_t at = 0;                   ///< of the page behind it, in the file
  std::uint32_t stored = 0;               ///< its bytes
  std::uint32_t size = 0;                 ///< and when they are decompressed
  std::uint32_t slots = 0;                ///< values, missing ones too
  std::optional<std::uint32_t> crc = {};  ///< of the stored bytes
  // Of kDataV2:
  std::uint32_t repetition_bytes = 0;  ///< in front, never compressed
  std::uint32_t definition_bytes = 0;  ///< behind them, likewise
  bool compressed = true;              ///< what follows
  // Of kData, levels in an encoding that files had before runs:
  bool packed_definitions = false;
  bool packed_repetitions = false;

  std::uint64_t end() const noexcept { return at + stored; }
};

/// The header at `at`, of a page that ends by `end`. Throws DataError naming the byte.
ParquetPageHeader read_page_header(const ParquetFile& file, std::uint64_t at, std::uint64_t end);

struct ParquetPage {
  std::span<const std::byte> repetitions;  ///< as decode_levels() takes them; empty: no lists
  std::span<const std::byte> definitions;  ///< likewise; empty: all values are there
  std::span<const std::byte> values;
  Bytes owner;  ///< of what is no part of the file
};

/// Decompresses a page of `leaf`: where `room` is given, to it, which grows where it has to, and
/// what is there then is the page's no longer than until the next one. Throws DataError naming its
/// place: a wrong checksum, where there is one, what does not decompress, and a way of compression
/// that is not read.
ParquetPage read_page(const ParquetFile& file, const ParquetLeaf& leaf, ParquetCodec codec,
                      const ParquetPageHeader& header, Bytes* room = nullptr);

/// Goes through the headers of a chunk's pages, all but index pages. Throws as read_page_header()
/// does, and for pages of more values, or fewer, than the chunk has.
class ParquetPages {
 public:
  /// `file` and `chunk` outlive it.
  ParquetPages(const ParquetFile& file, const ParquetChunk& chunk)
      : file_(file), chunk_(chunk), at_(chunk.at) {}

  /// nullopt where all values of the chunk have come.
  std::optional<ParquetPageHeader> next();

 private:
  const ParquetFile& file_;
  const ParquetChunk& chunk_;
  std::uint64_t at_;
  std::uint64_t slots_ = 0;
};

}  // namespace millrace
