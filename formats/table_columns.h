#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "formats/table.h"

// The columns of one table by the names of another's. Users want csv.h or parquet.h.

namespace millrace {

/// "FILE: sample 17: expected …, found …", of tables that have no lines.
DataError sample_error(const std::filesystem::path& path, std::uint64_t sample,
                       const std::string& expected, const std::string& found);
/// A cell as messages have it: in quotes, or "a missing value" for an empty one.
std::string cell_in_words(std::string_view cell);

/// What to do about a value of a column that is no number, to stand behind it; empty where nothing
/// is known.
std::string cell_advice(std::string_view cell, std::size_t column, const TableLayout& layout);

/// The columns that values come from, in their order.
std::vector<std::string> sources_of(const ColumnNames& names);

/// For each column of values, in the order of the file, its place among sources_of(wanted.names);
/// empty where all are in their places. `line`: of the header, for messages. Throws DataError
/// naming the first name that is missing and the first that is left over; or one that stands there
/// twice where that leaves open which is which.
std::vector<std::size_t> places_by_name(const std::filesystem::path& path, std::uint64_t line,
                                        const TableLayout& layout, const KnownColumns& wanted);

}  // namespace millrace
