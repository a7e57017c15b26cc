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
/// `images`: [count, …] of any type, with at least one element a sample. `labels`: [count] of an
/// integer type. `classes`: what labels must lie below; none: one more than the largest label.
/// Throws DataError naming the file: wrong rank or type, counts that differ, no samples, a label
/// that is negative or outside the classes (with its byte). `class_names`: of all classes, or
/// empty.
std::shared_ptr<const ArrayDataset> idx_dataset(IdxArray images, const IdxArray& labels,
                                                std::optional<std::uint32_t> classes = {},
                                                std::vector<std::string> class_names = {});

}  // namespace millrace
