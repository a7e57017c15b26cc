#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "formats/table.h"

// What each column of a table is. Users want csv.h or parquet.h.

namespace millrace {

/// Of a form that is known: its columns; 0: there is no such form.
std::size_t known_form_columns(const ReadTableOptions& options);

/// Throws DataError for a table that has no room for values beside labels.
void refuse_one_column(const std::filesystem::path& path, std::uint64_t line,
                       const ReadTableOptions& options, const TableLayout& layout);

/// Settles all of a layout but what it says of text files: its number of cells and, where there is
/// a header, its names are known. `line`: of the header, for messages; 0: there are no lines.
/// `sample`: the cells of the first sample, where there is one; those of numbers may be any number.
/// Throws DataError as read_csv_layout() does for columns.
void find_columns(const std::filesystem::path& path, std::uint64_t line,
                  const ReadTableOptions& options, const std::vector<std::string_view>* sample,
                  TableLayout& layout);

/// Where the layout asks for all columns that have text (text_columns), adds those of values of
/// which is_text(column) says that they have to its categories. Returns the columns of categories
/// that were asked for one by one.
std::vector<std::size_t> take_text_columns(TableLayout& layout,
                                           const std::function<bool(std::size_t)>& is_text);

}  // namespace millrace
