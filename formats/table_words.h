#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "formats/table.h"
#include "formats/table_categories.h"

// The lines of a table with categories or gaps, before they are samples. Users want csv.h or
// parquet.h.

namespace millrace {

/// What read_csv_rows() made of such a file.
struct TableWords {
  std::vector<float> words;             ///< [rows, columns]
  std::vector<CategoryReader> readers;  ///< of each piece
  std::size_t columns = 0;              ///< of values

  std::uint64_t rows() const noexcept { return words.size() / columns; }
  /// In the order of the form, which layout.places says.
  const float* row(std::uint64_t number) const noexcept { return words.data() + number * columns; }
};

/// Whose a word of a row is.
struct TableSource {
  std::size_t column = 0;                      ///< in the file, from 0
  std::optional<std::size_t> categories = {};  ///< its number among layout.categories
};

/// Of all words of a row, in their order.
std::vector<TableSource> table_sources(const TableLayout& layout);

}  // namespace millrace
