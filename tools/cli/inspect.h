#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "formats/image.h"

namespace millrace {

/// What lies at `path`, by its "kind":
///
///     data folder   {"kind": "data set", "train": {…}, "test": {…} or null}
///     IDX file      {"kind": "idx", "dtype", "shape", "statistics", "histogram" of rank-1
///     integers} safetensors   {"kind": "safetensors", "metadata", "tensors": [{"name", "dtype",
///     "shape", …}]}
///
/// A split has "samples", "shape", "dtype", "classes", "statistics" (of all values: "min", "max",
/// "mean", "std"), "histogram" (samples of each class) and "hash". A file whose name ends in
/// .safetensors is read as that, any other as IDX; `images` says how images in a folder
/// are read. Throws DataError.
nlohmann::ordered_json inspect(const std::filesystem::path& path, const ImageOptions& images = {});

/// The same as text of several lines.
std::string render_inspection(const nlohmann::ordered_json& found);

}  // namespace millrace
