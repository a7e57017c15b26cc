#include "tools/cli/idx_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <system_error>

#include "formats/error.h"
#include "formats/folder.h"
#include "formats/idx_names.h"
#include "formats/shard_manifest.h"

namespace millrace {

namespace fs = std::filesystem;

bool has_idx_files(const fs::path& path) {
  std::error_code unreadable;
  if (!fs::is_directory(path, unreadable)) {
    return parse_idx_name(path.filename().string()).has_value();
  }
  return !find_idx_files(path).empty();
}

std::vector<fs::path> idx_files_at(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  std::vector<fs::path> found;
  if (fs::exists(status) && !fs::is_directory(status)) {
    if (!parse_idx_name(path.filename().string())) {
      throw DataError(path, std::nullopt, "an IDX file named like train-images-idx3-ubyte",
                      "a file of another name");
    }
    found.push_back(path);
    return found;
  }
  if (fs::is_directory(status)) {
    for (const auto& [variant, files] : find_idx_files(path)) {
      for (const auto& split : files.paths) {
        std::ranges::copy_if(split, std::back_inserter(found),
                             [](const auto& file) { return !file.empty(); });
      }
    }
  }
  if (found.empty()) {
    open_folder(path);  // says what it looked for and what is there
    throw DataError(path, std::nullopt, "IDX files", "none");
  }
  std::ranges::sort(found);
  return found;
}

std::string plain_name(const fs::path& path) {
  const auto extension = path.extension();
  return (extension == ".gz" || extension == ".zst" ? path.stem() : path.filename()).string();
}

fs::path target_in(const fs::path& folder, const fs::path& from, const std::string& suffix,
                   bool force) {
  if (has_manifest(folder)) {
    throw DataError(folder / kManifestName,
                    fmt::format("would hide {}; choose another folder", plain_name(from)));
  }
  const auto name = plain_name(from);
  auto target = folder / (name + suffix);
  for (const char* other : {"", ".gz", ".zst"}) {
    const auto there = folder / (name + other);
    std::error_code error;
    if (!fs::exists(fs::symlink_status(there, error))) continue;
    if (suffix == other) {
      if (!force) throw DataError(there, "is there already; --force replaces it");
    } else if (!fs::equivalent(there, from, error)) {
      throw DataError(there, fmt::format("holds what {} would hold too; remove one of them",
                                         target.filename().string()));
    }
  }
  return target;
}

}  // namespace millrace
