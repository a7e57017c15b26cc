#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/table.h"

// Which columns of a table are left out, and which are of categories. Users want csv.h or
// parquet.h.

namespace millrace {

/// Whether the first line of a table that may have text anywhere names its columns: no cell is a
/// number or says that one is missing, and none comes twice; or the second line has a number below
/// a text.
bool names_columns(const std::vector<std::string_view>& first,
                   const std::optional<std::vector<std::string_view>>& second);

/// Sets `dropped` of a layout whose header is known, by the names in options.columns where there
/// are some, else as options.table asks. `line`: the first, for messages. Throws DataError for one
/// that is not there, is there twice or is asked for twice; but the columns that another file
/// dropped need not be there.
void find_dropped(const std::filesystem::path& path, std::uint64_t line,
                  const ReadTableOptions& options, TableLayout& layout);

/// The same for the numbers that options.columns has of a file without a header. They are those of
/// lines with labels; `labelled` says whether these have some.
void find_dropped_numbers(const ReadTableOptions& options, TableLayout& layout);

/// Sets `categories`, `text_columns` and `gaps`, by options.columns or as options.table asks, where
/// all else of the layout is known. Throws DataError as find_dropped does, and for a column of
/// labels.
void find_categories(const std::filesystem::path& path, std::uint64_t line,
                     const ReadTableOptions& options, TableLayout& layout);

}  // namespace millrace
