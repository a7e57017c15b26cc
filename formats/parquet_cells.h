#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "formats/parquet_column.h"

// The cells of a Parquet file's columns, whatever they are stored as. Users want parquet.h.

namespace millrace {

/// Whether the cells of a leaf may be values of samples, or labels: numbers, bools or text.
bool is_table_leaf(const ParquetLeaf& leaf) noexcept;
/// Whether all of them are whole numbers, or bools.
bool is_whole_leaf(const ParquetLeaf& leaf) noexcept;

/// What a number that is stored means. Infinite where text is none.
double parquet_number(const ParquetLeaf& leaf, std::string_view stored);
double parquet_scaled(const ParquetLeaf& leaf, double number) noexcept;
template <typename T>
double parquet_number(const ParquetLeaf& leaf, const T& stored) {
  if constexpr (std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int64_t>) {
    if (leaf.is_unsigned) {
      return parquet_scaled(leaf,
                            static_cast<double>(static_cast<std::make_unsigned_t<T>>(stored)));
    }
  }
  return parquet_scaled(leaf, static_cast<double>(stored));
}

/// The cells of a column, as of a table: [slots].
class ParquetCells {
 public:
  /// Precondition: is_table_leaf(leaf).
  ParquetCells(ParquetLeaf leaf, ParquetColumn column)
      : leaf_(std::move(leaf)), column_(std::move(column)) {}

  std::uint64_t size() const noexcept { return column_.slots; }
  const ParquetColumn& column() const noexcept { return column_; }
  bool is_text() const noexcept { return leaf_.meaning == ParquetMeaning::kText; }

  /// Calls with(i, number) for each cell of numbers; of those that are missing it is NaN.
  template <typename With>
  void for_numbers(With with) const;
  /// Calls with(i, text) for each cell of text; those that are missing are empty.
  template <typename With>
  void for_texts(With with) const;

  /// Calls with(i, a pointer to what is stored, or null where it is missing) for each cell.
  template <typename With>
  void for_stored(With with) const;

  /// A cell as a table of text would have it: "3", of floats "3.0",
  /// "True"; empty for one that is missing, or NaN.
  std::string text_of(std::uint64_t cell) const;
  /// The same of what is stored.
  template <typename T>
  std::string stored_text(const T& stored) const {
    if constexpr (std::is_same_v<T, std::string_view>) {
      return is_text() ? std::string(stored) : number_text(parquet_number(leaf_, stored));
    } else if constexpr (std::is_same_v<T, std::uint8_t>) {
      return stored != 0 ? "True" : "False";
    } else if constexpr (std::is_integral_v<T>) {
      if (leaf_.scale != 0) return number_text(parquet_number(leaf_, stored));
      if (leaf_.is_unsigned) return std::to_string(static_cast<std::make_unsigned_t<T>>(stored));
      return std::to_string(stored);
    } else {
      return number_text(stored);
    }
  }

 private:
  static std::string number_text(float number);
  static std::string number_text(double number);

  ParquetLeaf leaf_;
  ParquetColumn column_;
};

template <typename With>
void ParquetCells::for_stored(With with) const {
  std::visit(
      [&](const auto& values) {
        std::size_t next = 0;
        for (std::uint64_t i = 0; i < column_.slots; ++i) {
          with(i, column_.has(i) ? &values[next++] : nullptr);
        }
      },
      column_.values);
}

template <typename With>
void ParquetCells::for_numbers(With with) const {
  for_stored([&](std::uint64_t i, const auto* stored) {
    with(i, stored == nullptr ? std::numeric_limits<double>::quiet_NaN()
                              : parquet_number(leaf_, *stored));
  });
}

template <typename With>
void ParquetCells::for_texts(With with) const {
  const auto& texts = std::get<std::vector<std::string_view>>(column_.values);
  std::size_t next = 0;
  for (std::uint64_t i = 0; i < column_.slots; ++i) {
    with(i, column_.has(i) ? texts[next++] : std::string_view());
  }
}

}  // namespace millrace
