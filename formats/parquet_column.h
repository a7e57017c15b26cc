#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "formats/bytes.h"
#include "formats/error.h"
#include "formats/parquet_encodings.h"
#include "formats/parquet_page.h"

// The values of a Parquet file's columns. Users want parquet.h.

namespace millrace {

/// Values as they are stored: bits, numbers, or texts that view the file or a ParquetColumn's
/// owners.
using ParquetValues =
    std::variant<std::vector<std::uint8_t>, std::vector<std::int32_t>, std::vector<std::int64_t>,
                 std::vector<float>, std::vector<double>, std::vector<std::string_view>>;

/// The values of a leaf in one row group, or of its first pages.
struct ParquetColumn {
  ParquetValues values;               ///< those that are there
  std::uint64_t slots = 0;            ///< and those that are missing
  std::vector<std::uint8_t> present;  ///< of each slot, 1 or 0; empty: all are there
  std::vector<std::uint8_t> begins;   ///< of each slot, 1 where a row begins; empty: in all of them
  std::vector<Bytes> owners;          ///< of texts

  /// Whether slot i is there.
  bool has(std::uint64_t i) const noexcept { return present.empty() || present[i] != 0; }
};

/// Reads a chunk, or as many of its pages as have `most` values. Throws DataError naming the page:
/// what ParquetPages and read_page() throw, encodings that the type does not have, values that do
/// not go with their page.
ParquetColumn read_column(const ParquetFile& file, const ParquetLeaf& leaf,
                          const ParquetChunk& chunk, std::uint64_t most = ~std::uint64_t{0});

/// No values, of the kind that a type is stored as.
ParquetValues parquet_values(ParquetType type);

/// Adds the `count` values of a page, those that are there, to column.values; `dictionary` may be
/// empty where none came. Throws ParquetEncodingError.
void add_values(const ParquetLeaf& leaf, ParquetEncoding encoding, std::span<const std::byte> in,
                std::size_t count, const ParquetValues& dictionary, ParquetColumn& column);

/// That a page's values do not go with it.
DataError page_error(const ParquetFile& file, const ParquetLeaf& leaf,
                     const ParquetPageHeader& header, const ParquetEncodingError& error);

/// Calls `read`, naming the page in the ParquetEncodingError that it throws: as DataError.
template <typename Read>
void name_page(const ParquetFile& file, const ParquetLeaf& leaf, const ParquetPageHeader& header,
               Read read) {
  try {
    read();
  } catch (const ParquetEncodingError& error) {
    throw page_error(file, leaf, header, error);
  }
}

/// A dictionary page's values, which the data pages behind it number.
ParquetColumn read_dictionary(const ParquetFile& file, const ParquetLeaf& leaf, ParquetCodec codec,
                              const ParquetPageHeader& header);

/// Adds the values of one data page to `column`; `dictionary` may be empty where none came.
void add_page(const ParquetFile& file, const ParquetLeaf& leaf, ParquetCodec codec,
              const ParquetPageHeader& header, const ParquetValues& dictionary,
              ParquetColumn& column);

}  // namespace millrace
