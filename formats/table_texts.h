#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "formats/array_dataset.h"
#include "formats/table.h"

// What a person is told of a table that was opened, behind what it is: each begins with "; ", or is
// empty. Users want folder.h.

namespace millrace {

/// Whether labels count up by one from line to line: no class comes twice.
bool labels_count(std::span<const std::int32_t> labels);

/// What says of a column that it may be an index, which tells the classes of sorted lines and
/// nothing of others. In the order of `layout`, which is that of the samples' columns.
std::string index_text(const TableLayout& layout, const ArrayDataset& data);

/// What became of columns that are more than one number each.
std::string form_text(const TableForm& form);

/// Of values that are taken for pixels although they can hardly be some: fewer than the smallest
/// pictures have that people train on, 8x8. `advice`: what keeps them as they are.
std::string bytes_text(const Dataset& data, std::string_view advice);

/// Where labels are.
std::string labels_text(const TableLayout& layout);

}  // namespace millrace
