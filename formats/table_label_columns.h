#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/table.h"

// Which columns of a table are its labels'. Users want csv.h or parquet.h.

namespace millrace {

/// label, class, target, y or the like, in any case: a column of that name has labels.
bool is_label_name(std::string_view name);

/// A whole number in digits alone, as columns are counted; nullopt for anything else.
std::optional<std::size_t> column_number(std::string_view text);

/// The column of the one cell that is text; nullopt if there is none, or several.
std::optional<std::size_t> only_text(const std::vector<std::string_view>& cells);

/// The column of that name, or else of that number; nullopt where a header has none of the name.
/// `what` it is for: "for labels". Throws DataError: two of the name, none of that number, a name
/// where there is no header.
std::optional<std::size_t> column_asked_for(const std::filesystem::path& path, std::uint64_t line,
                                            const std::string& asked, std::string_view what,
                                            const TableLayout& layout);

/// Names or numbers with commas between, in quotes where they hold commas.
std::vector<std::string> columns_in(std::string_view text);

/// Sets `label`, `label_guessed`, `labelled` and `missing` of a layout whose header and number of
/// cells are known. `line`: the first, for messages; `sample`: the first one's cells, where there
/// is one. Throws DataError: two columns that may be it, none of that number, a name where there is
/// no header.
void find_label(const std::filesystem::path& path, std::uint64_t line, const std::string& asked,
                const std::vector<std::string_view>* sample, TableLayout& layout);

/// The same for `targets`. Throws DataError as well where nothing says which they are, and where
/// one is asked for twice.
void find_targets(const std::filesystem::path& path, std::uint64_t line,
                  const ReadTableOptions& options, TableLayout& layout);

}  // namespace millrace
