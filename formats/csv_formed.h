#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "formats/bytes.h"
#include "formats/csv.h"
#include "formats/csv_rows.h"
#include "formats/csv_words.h"

// Samples of the lines of a CSV file with categories or gaps. Users want csv.h.

namespace millrace {

struct CsvFormed {
  Bytes samples;        ///< [rows, form.values()] of float32
  std::string unknown;  ///< see CsvSamples::unknown
};

/// Of `form`, whose columns are those of `words` in their order. Throws DataError for samples of
/// more than 1024 times the lines' bytes (and 1 GiB), or than the machine's memory.
CsvFormed apply_form(const std::filesystem::path& path, const CsvLayout& layout,
                     std::span<const CsvPiece> pieces, const CsvWords& words,
                     const TableForm& form);

}  // namespace millrace
