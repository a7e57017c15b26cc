#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "formats/folder.h"

namespace millrace {

/// What lies at `path`, by its "kind":
///
///     data folder, or a file that is_named_as_data
///                   {"kind": "data set", "train": {…}, "test": {…} or null}
///     IDX file      {"kind": "idx", "dtype", "shape", "statistics", "histogram" of rank-1
///     integers} safetensors   {"kind": "safetensors", "metadata", "tensors": [{"name", "dtype",
///     "shape", …}]}
///
/// A split has "samples", "shape", "dtype", "classes", "statistics" (of all values: "min", "max",
/// "mean", "std"), "histogram" (samples of each class), "notes" (lines: classes without a sample),
/// in place of "classes", "class_names" and "histogram" where there are targets "targets" (of each
/// its "name", null where it has none, and "min", "max", "mean", "std"),
/// "hash" and, as an IDX file has, "storage"
/// ("files", "shards", "frames", "bytes", "content_bytes", "ratio"), null where it is not known. A
/// file whose name ends in .safetensors is read as that, any other as IDX. Where `options`
/// ask for a size or channels of images, a column of labels or targets, what is there is opened as
/// a data set. Throws DataError.
///
/// `progress` is told samples done and in all, of one split after the other.
nlohmann::ordered_json inspect(
    const std::filesystem::path& path, const OpenOptions& options = {},
    const std::function<void(std::uint64_t done, std::uint64_t all)>& progress = {});

/// The same as text of several lines.
std::string render_inspection(const nlohmann::ordered_json& found);

}  // namespace millrace
