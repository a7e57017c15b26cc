#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

// What a Parquet file says of itself. Users want parquet.h.

namespace millrace {

/// How the values of a column are stored, as parquet.thrift numbers them.
enum class ParquetType : std::uint8_t {
  kBoolean,
  kInt32,
  kInt64,
  kInt96,
  kFloat,
  kDouble,
  kBytes,
  kFixedBytes
};

/// What the values of a column mean.
enum class ParquetMeaning : std::uint8_t {
  kNumber,   ///< as stored
  kHalf,     ///< float16, in two bytes
  kDecimal,  ///< a whole number over 10^scale
  kText,     ///< UTF-8
  kBytes,    ///< no text that a file knows of
  kTime,     ///< a date, a time or a duration
  kNothing   ///< all are missing
};

/// A column of values, be it in a struct or in a list.
struct ParquetLeaf {
  std::string name;  ///< "age"; of a struct "image.bytes", of a list what the list is called
  ParquetType type = ParquetType::kBytes;
  ParquetMeaning meaning = ParquetMeaning::kNumber;
  std::uint32_t length = 0;      ///< bytes of each, of kFixedBytes
  int scale = 0;                 ///< of kDecimal
  bool is_unsigned = false;      ///< of whole numbers
  std::uint32_t definition = 0;  ///< the level of a value that is there
  std::uint32_t repetition = 0;  ///< the highest level; 0: one value a row
  std::uint32_t in_list = 0;     ///< the least definition level of what is in a list, be it missing
};

/// How pages are compressed, as parquet.thrift numbers them.
enum class ParquetCodec : std::uint8_t {
  kNone,
  kSnappy,
  kGzip,
  kLzo,
  kBrotli,
  kLz4,
  kZstd,
  kLz4Raw
};

/// A leaf's values in one row group: pages, one after the other.
struct ParquetChunk {
  ParquetCodec codec = ParquetCodec::kNone;
  std::uint64_t values = 0;  ///< missing ones too
  std::uint64_t at = 0;      ///< in the file
  std::uint64_t bytes = 0;
};

struct ParquetRowGroup {
  std::uint64_t first_row = 0;  ///< in the file
  std::uint64_t rows = 0;
  std::vector<ParquetChunk> chunks;  ///< by leaf
};

struct ParquetFooter {
  std::vector<ParquetLeaf> leaves;
  std::uint64_t rows = 0;
  std::vector<ParquetRowGroup> groups;     ///< those that have rows
  std::vector<std::string> index_columns;  ///< which pandas made of its index
  /// Names of classes that Hugging Face's datasets keep for a column of numbers.
  struct Classes {
    std::string column;
    std::vector<std::string> names;
  };
  std::vector<Classes> classes;
};

/// Of a file (https://parquet.apache.org/docs/file-format/). Chunks lie within it; of one without
/// repetition there are as many values as rows. Throws DataError naming the byte: no Parquet file,
/// an encrypted one, one that breaks off, columns in other files, and a footer that contradicts
/// itself.
ParquetFooter read_parquet_footer(const std::filesystem::path& path,
                                  std::span<const std::byte> file);

/// "a number of float32", "text", …: for messages.
std::string describe(const ParquetLeaf& leaf);

}  // namespace millrace
