#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "formats/table.h"
#include "formats/table_words.h"

// How the lines of a table with categories or gaps become samples. Users want csv.h or parquet.h.

namespace millrace {

/// The form of a file that has none to follow: the categories that are there, and means over all
/// lines, added up in an order that depends on no thread. `asked`: columns of categories that were
/// asked for one by one. Throws DataError for a column of which everything is missing, too many
/// categories, and other columns than those with so many that they tell lines apart.
TableForm form_of(const std::filesystem::path& path, const TableLayout& layout,
                  const std::vector<std::size_t>& asked, const TableWords& words);

}  // namespace millrace
