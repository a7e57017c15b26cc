#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace millrace {

/// Whether idx_files_at() finds any; a file is one by its name.
bool has_idx_files(const std::filesystem::path& path);

/// The IDX files at `path`, a folder (all variants, training and test) or one file, in the order of
/// their names. Throws DataError where there are none.
std::vector<std::filesystem::path> idx_files_at(const std::filesystem::path& path);

/// The file's name without .gz or .zst.
std::string plain_name(const std::filesystem::path& path);

/// Where in `folder` the content of `from` goes with `suffix` (".zst", or nothing) at its name.
/// Throws DataError if that is there already, unless `force`, and if the folder has the same file
/// in another form (unless that is `from` itself) or is a sharded set: one of the two would hide
/// the other.
std::filesystem::path target_in(const std::filesystem::path& folder,
                                const std::filesystem::path& from, const std::string& suffix,
                                bool force);

}  // namespace millrace
