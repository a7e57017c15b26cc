#include "formats/parquet_cells.h"

#include <fmt/format.h>

#include <cmath>
#include <span>

#include "formats/convert.h"
#include "formats/csv_cells.h"
#include "formats/text_numbers.h"

namespace millrace {
namespace {

float from_half(std::string_view bytes) noexcept {
  float value = 0.0F;
  to_float32(DType::kFloat16, std::as_bytes(std::span(bytes)), {&value, 1});
  return value;
}

std::uint32_t byte_at(std::string_view bytes, std::size_t at) noexcept {
  return static_cast<unsigned char>(bytes[at]);
}

/// A number in two's complement, the highest byte first.
double from_big_endian(std::string_view bytes) noexcept {
  // -x is ~x + 1: nothing is lost of numbers that are small.
  const bool negative = !bytes.empty() && byte_at(bytes, 0) >= 0x80;
  double number = 0.0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    number = number * 256.0 + (negative ? 255 - byte_at(bytes, i) : byte_at(bytes, i));
  }
  return negative ? -(number + 1.0) : number;
}

}  // namespace

bool is_table_leaf(const ParquetLeaf& leaf) noexcept {
  switch (leaf.meaning) {
    case ParquetMeaning::kNumber:
    case ParquetMeaning::kNothing:
      return leaf.type != ParquetType::kInt96;
    case ParquetMeaning::kHalf:
      return leaf.type == ParquetType::kFixedBytes && leaf.length == 2;
    case ParquetMeaning::kDecimal:
      return leaf.type != ParquetType::kInt96;
    case ParquetMeaning::kText:
      return leaf.type == ParquetType::kBytes || leaf.type == ParquetType::kFixedBytes;
    case ParquetMeaning::kBytes:
    case ParquetMeaning::kTime:
      break;
  }
  return false;
}

bool is_whole_leaf(const ParquetLeaf& leaf) noexcept {
  return leaf.meaning == ParquetMeaning::kNumber &&
         (leaf.type == ParquetType::kBoolean || leaf.type == ParquetType::kInt32 ||
          leaf.type == ParquetType::kInt64);
}

double parquet_scaled(const ParquetLeaf& leaf, double number) noexcept {
  return leaf.scale == 0 ? number : number / std::pow(10.0, leaf.scale);
}

double parquet_number(const ParquetLeaf& leaf, std::string_view stored) {
  switch (leaf.meaning) {
    case ParquetMeaning::kHalf:
      return double{from_half(stored)};
    case ParquetMeaning::kDecimal:
      return parquet_scaled(leaf, from_big_endian(stored));
    default:
      break;
  }
  const auto number = csv_float(without_blanks(stored));
  return number ? double{*number} : std::numeric_limits<double>::infinity();
}

std::string ParquetCells::number_text(float number) { return float_text(number); }
std::string ParquetCells::number_text(double number) { return float_text(number); }

std::string ParquetCells::text_of(std::uint64_t cell) const {
  std::string text;
  for_stored([&](std::uint64_t i, const auto* stored) {
    if (i == cell && stored != nullptr) text = stored_text(*stored);
  });
  return text;
}

}  // namespace millrace
