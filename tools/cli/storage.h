#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "formats/dataset.h"

namespace millrace {

/// How samples are stored.
struct Storage {
  std::uint64_t files = 0;
  std::uint64_t shards = 0;   ///< 0: not sharded
  std::uint64_t frames = 0;   ///< of seekable zstd files; 0: there are none
  std::uint64_t stored = 0;   ///< bytes of the files
  std::uint64_t content = 0;  ///< bytes decoded: of IDX files all of them, else of the samples

  /// Bytes decoded for each byte stored; 0 for nothing.
  double ratio() const noexcept;
};

/// Of one IDX file in any form. Throws DataError where it cannot be read.
Storage storage_of_idx(const std::filesystem::path& path);

/// Of what open_folder opened: IDX files, a sharded set, a folder of images, or one file. nullopt
/// where it cannot be told which files they are.
std::optional<Storage> storage_of(const Dataset& data);

}  // namespace millrace
