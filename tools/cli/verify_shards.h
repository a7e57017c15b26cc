#pragma once

#include <filesystem>

#include "tools/cli/verify.h"

namespace millrace {

struct ShardInventory;

/// What the manifest of a set says of its labels; where it is lost, `task` alone.
LabelKind label_kind_of(const ShardInventory& inventory, Task task);

/// Reads a sharded set (is_sharded): its manifest, and of every shard that is or should be there
/// size, hash, every frame's checksum, the counts, and every label; where nothing is wrong with
/// them, the hash of the whole training and test set as well. The manifest is the first of the
/// files; without one the shards are known by their names, and `task` says what labels are. Throws
/// as take_inventory does.
Verification verify_shards(const std::filesystem::path& path, Task task,
                           const FileProgress& progress);

}  // namespace millrace
