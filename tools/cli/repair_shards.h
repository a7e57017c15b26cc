#pragma once

#include <vector>

#include "tools/cli/repair.h"

namespace millrace {

/// Writes a sharded set (is_sharded) anew to spec.out with the samples that are sound, and a
/// manifest: the same shards with fewer samples where some are lost, and without those of which
/// nothing is left, numbered anew. The two files of a shard lose the same samples. Without a
/// manifest shards are known by their names, and the classes are those of the training labels that
/// are left. Where no sample is lost shards come out with the same content.
///
/// The manifest is written last; where it is not reached, what was written is removed. Throws
/// DataError where no training sample can be salvaged, spec.out is the set's own folder or has IDX
/// files, or shards are there without spec.force.
std::vector<RepairedFile> repair_shards(
    const RepairSpec& spec, const std::function<bool(std::size_t done, std::size_t all)>& progress);

}  // namespace millrace
