#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "formats/idx_names.h"

namespace millrace {

inline constexpr std::uint32_t kMostShards = 99'999;

/// What the name of one shard of an IDX file says: the file's own name, the shard's place and the
/// number of all:
///
///     train-images-idx3-ubyte-00003-of-00008.zst
///
/// It is no IDX file's name (parse_idx_name), so that a shard is never taken for a whole set.
struct ShardName {
  IdxName idx;
  std::string base;  ///< "train-images-idx3-ubyte"
  std::uint32_t index = 0;
  std::uint32_t count = 0;
};

/// Precondition: index < count <= kMostShards.
std::string shard_file_name(std::string_view base, std::uint32_t index, std::uint32_t count);

/// nullopt for any other name.
std::optional<ShardName> parse_shard_name(std::string_view file_name);

}  // namespace millrace
