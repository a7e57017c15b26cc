#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "formats/csv.h"

// What the first lines of a CSV file say of it. Users want csv.h.

namespace millrace {

struct CsvFront {
  TableLayout layout;
  std::string_view rows;         ///< the text from the first sample on
  std::uint64_t first_line = 1;  ///< of it, counted from 1
};

/// `text` is the file's content, or as much of it as holds two lines. Throws as read_csv_layout.
CsvFront parse_csv_front(const std::filesystem::path& path, std::string_view text,
                         const ReadTableOptions& options);

}  // namespace millrace
