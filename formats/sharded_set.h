#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "formats/dataset.h"
#include "formats/shard_manifest.h"

namespace millrace {

/// The training or test samples of a sharded set as one data set, named after its manifest in
/// `folder`: the samples of the first shard, of the second, …
///
/// Up to `most_decoded` bytes of samples are decoded at once, by all cores; every file's hash is
/// then compared with the manifest's. More stay on disk as a SeekableDataset: then sizes and seek
/// tables are compared, and the frames when they are decoded, with the checksums of those tables;
/// the hashes of whole files are left to `tools verify`.
///
/// Throws DataError naming the shard: a file that is missing, of another size, hash, count, shape
/// or type than the manifest says, a label outside the classes, and what SeekableDataset throws.
std::shared_ptr<const Dataset> open_sharded(const std::filesystem::path& folder,
                                            const ShardManifest& manifest,
                                            const ShardedSplit& split, std::uint64_t most_decoded);

}  // namespace millrace
