#pragma once

#include <filesystem>

#include "tools/cli/verify.h"

namespace millrace {

/// Reads a sharded set (is_sharded): its manifest, and of every shard that is or should be there
/// size, hash, every frame's checksum, the counts, and every label; where nothing is wrong with
/// them, the hash of the whole training and test set as well. The manifest is the first of the
/// files; without one the shards are known by their names. Throws as take_inventory does.
Verification verify_shards(const std::filesystem::path& path, const FileProgress& progress);

}  // namespace millrace
