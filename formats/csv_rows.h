#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "formats/csv.h"
#include "formats/table_categories.h"
#include "formats/table_labels.h"

// The rows of a CSV file. Users want csv.h.

namespace millrace {

/// Whole lines, for one thread: rows are those that are not blank.
struct CsvPiece : TablePart {
  std::string_view text;
  std::uint64_t lines = 0;       ///< all
  std::uint64_t first_line = 0;  ///< in the file
};

/// Sets `lines` and `rows`.
void count_csv_rows(CsvPiece& piece);

/// What stopped a piece.
struct CsvProblem {
  std::uint64_t line = 0;
  std::string expected;
  std::string found;
};

/// Reads the rows of a piece to `samples` ([rows of the file, layout.values()], the values in
/// layout.places) and `labels` ([rows of the file, layout.words()]), at the piece's place in them.
/// T: std::uint8_t, of whole numbers from 0 to 255, or float. Where a cell is no uint8_t,
/// `other_type` is set and nothing is returned; where somebody else sets it, the rest is left out.
///
/// With columns of categories or with gaps T is float: a category stands in its place by the bits
/// of the number that `categories` has for it, a missing number is NaN.
template <typename T>
std::optional<CsvProblem> read_csv_rows(const CsvPiece& piece, const TableLayout& layout,
                                        LabelReader& reader, T* samples, std::int32_t* labels,
                                        std::atomic<bool>& other_type,
                                        CategoryReader* categories = nullptr);

extern template std::optional<CsvProblem> read_csv_rows(const CsvPiece&, const TableLayout&,
                                                        LabelReader&, std::uint8_t*, std::int32_t*,
                                                        std::atomic<bool>&, CategoryReader*);
extern template std::optional<CsvProblem> read_csv_rows(const CsvPiece&, const TableLayout&,
                                                        LabelReader&, float*, std::int32_t*,
                                                        std::atomic<bool>&, CategoryReader*);

}  // namespace millrace
