#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/array_dataset.h"
#include "formats/idx.h"

namespace millrace {

/// A pair of IDX files, samples and their labels, all in memory.
///
/// `images`: [count, …] of any type, with at least one element a sample. `labels`, `classes` and
/// `task`: as idx_labels() has them. Throws DataError naming the file: no samples, and what
/// idx_labels() throws. `class_names`: of all classes, or empty.
std::shared_ptr<const ArrayDataset> idx_dataset(IdxArray images, const IdxArray& labels,
                                                std::optional<std::uint32_t> classes = {},
                                                std::vector<std::string> class_names = {},
                                                Task task = Task::kClassification);

}  // namespace millrace
