#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "formats/bytes.h"

// How pages of a Parquet file store numbers and texts
// (https://parquet.apache.org/docs/file-format/data-pages/encodings/). Users want parquet.h.
//
// What does not go with the bytes at hand is a ParquetEncodingError; whoever has the page says
// where it is.

namespace millrace {

class ParquetEncodingError : public std::runtime_error {
 public:
  /// `expected`, as of DataError.
  explicit ParquetEncodingError(const std::string& expected) : std::runtime_error(expected) {}
};

/// Runs of equal numbers and of numbers packed to `width` bits each, up to 32: fills `out`, and
/// returns how many bytes of `in` that took.
std::size_t decode_rle(std::span<const std::byte> in, unsigned width, std::span<std::uint32_t> out);

/// The same of up to 8 bits, as levels are.
std::size_t decode_levels(std::span<const std::byte> in, unsigned width,
                          std::span<std::uint8_t> out);

/// DELTA_BINARY_PACKED numbers, as many as it says, but at most `most`, behind those of `out`, as
/// two's complement; returns how many bytes of `in` that took.
std::size_t decode_deltas(std::span<const std::byte> in, std::size_t most,
                          std::vector<std::uint64_t>& out);

/// BYTE_STREAM_SPLIT: all first bytes of `out.size() / width` values, all second ones, ….
void decode_split(std::span<const std::byte> in, std::size_t width, std::span<std::byte> out);

/// `out.size()` bits, the lowest of a byte first, each a byte.
void decode_bits(std::span<const std::byte> in, std::span<std::uint8_t> out);

/// Texts that view `in`: each behind its length in four bytes.
void decode_texts(std::span<const std::byte> in, std::span<std::string_view> out);
/// Texts of `width` bytes each.
void decode_texts(std::span<const std::byte> in, std::size_t width,
                  std::span<std::string_view> out);
/// DELTA_LENGTH_BYTE_ARRAY: all lengths, then all texts.
void decode_lengths(std::span<const std::byte> in, std::span<std::string_view> out);
/// DELTA_BYTE_ARRAY: how much of the text before each begins with, and its rest. They view what is
/// returned.
[[nodiscard]] Bytes decode_prefixes(std::span<const std::byte> in, std::span<std::string_view> out);

}  // namespace millrace
