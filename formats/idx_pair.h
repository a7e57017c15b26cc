#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "formats/array.h"
#include "formats/dataset.h"
#include "formats/hash.h"
#include "formats/idx.h"

// What makes an IDX file of samples and one of labels a data set, however the samples are stored.

namespace millrace {

/// More classes than this are taken for a broken label file.
inline constexpr std::uint32_t kMostIdxClasses = 1U << 20;

/// Of [count, …]: the rest. Throws DataError: rank below 2, no samples, samples of no elements.
SampleShape idx_sample_shape(const std::filesystem::path& path, const IdxHeader& images);

/// The labels of the samples in `images`, of `header`. Of classes: [count], of an integer type;
/// `classes`: what they must lie below; none: one more than the largest. Of targets, where `task`
/// is regression: [count] or [count, targets], of any type. Throws DataError naming the labels'
/// file: wrong rank or type, another count, a label that is negative or outside the classes, a
/// target that is not finite, or not as a float32 (with its byte).
Labels idx_labels(const std::filesystem::path& images, const IdxHeader& header,
                  const IdxArray& labels, std::optional<std::uint32_t> classes,
                  Task task = Task::kClassification);

/// The beginning of Dataset::hash(); what follows are all samples and then all labels.
Hasher begin_dataset_hash(const Dataset& data);
/// The whole of Dataset::hash() for sets that are not in memory: reads all samples, on all cores.
std::string hash_by_reading(const Dataset& data);

}  // namespace millrace
