#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "formats/parquet_page.h"

// The numbers of a Parquet file's columns, as samples have them. Users want parquet.h.

namespace millrace {

/// Data pages of a chunk, one after the other, and the dictionary that they may refer to.
struct ParquetPiece {
  std::optional<ParquetPageHeader> dictionary;
  std::vector<ParquetPageHeader> pages;
  std::uint64_t first = 0;  ///< slot of the chunk
  std::uint64_t slots = 0;
};

/// A chunk in pieces of at least `slots` slots, but for the last one. Throws as ParquetPages does.
std::vector<ParquetPiece> cut_chunk(const ParquetFile& file, const ParquetChunk& chunk,
                                    std::uint64_t slots);

/// What came of reading numbers.
struct ParquetNumbers {
  /// The first slot of the piece that is none: of float one that is infinite, or text that is no
  /// number; of uint8 also one that is missing, negative, above 255 or no whole number.
  std::optional<std::uint64_t> bad;
  bool even = true;  ///< each row begins behind as many slots as the others
};

/// Reads the slots of a piece to `to` ([piece.slots]), as float32, rounded to nearest and NaN for
/// those that are missing, or as uint8. `width`: slots of each row. Precondition: the leaf is a
/// table's (is_table_leaf()). `room`: for one page after the other. Throws DataError as
/// read_column() does.
ParquetNumbers read_numbers(const ParquetFile& file, const ParquetLeaf& leaf, ParquetCodec codec,
                            const ParquetPiece& piece, std::size_t width, std::span<float> to,
                            Bytes& room);
ParquetNumbers read_numbers(const ParquetFile& file, const ParquetLeaf& leaf, ParquetCodec codec,
                            const ParquetPiece& piece, std::size_t width,
                            std::span<std::uint8_t> to, Bytes& room);

}  // namespace millrace
