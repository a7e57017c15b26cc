#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "formats/idx.h"
#include "formats/shard_manifest.h"
#include "formats/split_names.h"

namespace millrace {

/// What a manifest says of a seekable file that is there. Throws DataError where it cannot be read.
ShardFile describe_shard_file(const std::filesystem::path& path);

/// All shards in a folder, of any number, sorted by name.
std::vector<std::filesystem::path> shards_in(const std::filesystem::path& folder);

/// True for a folder with a manifest of shards or with shards, and for a manifest itself.
bool is_sharded(const std::filesystem::path& path);

/// One pair of files of a sharded set, as it should be there.
struct ExpectedShard {
  DataSplit split = DataSplit::kTrain;
  std::filesystem::path images;
  std::filesystem::path labels;
  std::optional<Shard> said;  ///< what the manifest says of it
};

/// The shards of a set, by its manifest, or where that is lost by their names.
struct ShardInventory {
  std::filesystem::path folder;
  std::optional<ShardManifest> manifest;
  std::string manifest_fault;         ///< why there is none; empty: there is one
  std::vector<ExpectedShard> shards;  ///< by split, then in the order of their samples

  /// What the manifest says that an images file holds.
  std::optional<IdxHeader> images_header(const ExpectedShard& shard) const;
};

/// `path`: what is_sharded. Throws DataError: no shards, or without a manifest shards of several
/// sets, that are numbered differently.
ShardInventory take_inventory(const std::filesystem::path& path);

}  // namespace millrace
