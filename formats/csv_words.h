#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "formats/csv.h"
#include "formats/csv_categories.h"

// The lines of a CSV file with categories or gaps, before they are samples. Users want csv.h.

namespace millrace {

/// What read_csv_rows() made of such a file.
struct CsvWords {
  std::vector<float> words;                ///< [rows, columns]
  std::vector<CsvCategoryReader> readers;  ///< of each piece
  std::size_t columns = 0;                 ///< of values

  std::uint64_t rows() const noexcept { return words.size() / columns; }
  /// In the order of the form, which layout.places says.
  const float* row(std::uint64_t number) const noexcept { return words.data() + number * columns; }
};

/// Whose a word of a row is.
struct CsvSource {
  std::size_t column = 0;                      ///< in the file, from 0
  std::optional<std::size_t> categories = {};  ///< its number among layout.categories
};

/// Of all words of a row, in their order.
std::vector<CsvSource> csv_sources(const CsvLayout& layout);

}  // namespace millrace
