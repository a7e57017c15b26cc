#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "formats/bytes.h"
#include "formats/table.h"
#include "formats/table_words.h"

// Samples of the lines of a table with categories or gaps. Users want csv.h or parquet.h.

namespace millrace {

struct FormedSamples {
  Bytes samples;        ///< [rows, form.values()] of float32
  std::string unknown;  ///< see ReadTable::unknown
};

/// Of `form`, whose columns are those of `words` in their order; `parts` are those of its readers,
/// and `stored` the bytes that all lines take in the file. Throws DataError for samples of more
/// than 1024 times that (and 1 GiB), or than the machine's memory.
FormedSamples apply_form(const std::filesystem::path& path, const TableLayout& layout,
                         std::span<const TablePart> parts, std::uint64_t stored,
                         const TableWords& words, const TableForm& form);

/// Throws DataError where samples, [rows, width] of float32, would take that much.
void check_table_size(const std::filesystem::path& path, std::uint64_t stored, std::uint64_t rows,
                      std::size_t width);

}  // namespace millrace
