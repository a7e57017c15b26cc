#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "formats/split_names.h"

namespace millrace {

enum class IdxRole : std::uint8_t { kImages, kLabels };

/// "images" or "labels".
std::string_view name_of(IdxRole role) noexcept;

/// What the name of a data set's IDX file says:
///
///     [variant-]{train|t10k|test|val}-{images|labels}{-|.}idx<rank>-<type>[.gz|.zst]
///
/// or with another word that split_called() knows. MNIST, Fashion-MNIST and KMNIST have no variant;
/// EMNIST's are "emnist-letters", "emnist-digits", ….
struct IdxName {
  std::string variant;
  DataSplit split = DataSplit::kTrain;
  IdxRole role = IdxRole::kImages;
  /// Which of several files with one content to take, lowest first: plain, .gz, .zst.
  int preference = 0;
};

/// nullopt for any other name. `file_name` has no folder.
std::optional<IdxName> parse_idx_name(std::string_view file_name);

/// The files of a data set, the ones that are there.
struct IdxFiles {
  std::array<std::array<std::filesystem::path, 2>, 3> paths;  // [split][role]; empty: not there

  const std::filesystem::path& at(DataSplit split, IdxRole role) const noexcept {
    return paths[static_cast<std::size_t>(split)][static_cast<std::size_t>(role)];
  }
  bool has(DataSplit split, IdxRole role) const noexcept { return !at(split, role).empty(); }
};

/// The IDX files in `folder` by variant. Throws DataError if it cannot be listed.
std::map<std::string, IdxFiles> find_idx_files(const std::filesystem::path& folder);

}  // namespace millrace
