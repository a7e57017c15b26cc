#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tools/cli/convert.h"
#include "tools/cli/convert_source.h"

namespace millrace {

/// Writes `parts` to spec.out as spec.shards shards each (as many as samples, if there are fewer),
/// of which every one is an images file and a labels file (shard_names.h), and a manifest when all
/// are there (shard_manifest.h). Samples keep their order.
///
/// Shards appear one after the other. Where an earlier call with the same input and options was
/// interrupted, whatever ended it, shards that it wrote and whose hashes still hold are kept, and
/// the files come out the same bytes. That input is told by names, sizes and times of change.
///
/// `progress` is told bytes of samples done so far and in all; where it returns false the result is
/// empty, and the shards written stay for the next call. With spec.force the shards that are
/// in the folder are removed first. Throws DataError: IDX files in the folder, which the
/// manifest would hide; shards there without spec.force; an unfinished conversion of another kind.
std::vector<ConvertedFile> convert_to_shards(
    const ConvertSpec& spec, const std::vector<ConvertPart>& parts,
    const std::function<bool(std::uint64_t done, std::uint64_t all)>& progress);

/// Hash of what tells whether the files at `in` are those of an earlier call: names, sizes and
/// times of change, but of what lies in the folder `out`. 32 hex digits.
std::string input_fingerprint(const std::filesystem::path& in, const std::filesystem::path& out);

}  // namespace millrace
