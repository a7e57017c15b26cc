#pragma once

#include <filesystem>
#include <span>

#include "formats/csv.h"
#include "formats/csv_rows.h"

// The columns of a CSV file that have text. Users want csv.h.

namespace millrace {

/// Settles layout.text_columns: adds the columns of values that have text to `categories`. Throws
/// DataError for one that has numbers too.
void find_text_columns(const std::filesystem::path& path, std::span<const CsvPiece> pieces,
                       TableLayout& layout);

}  // namespace millrace
