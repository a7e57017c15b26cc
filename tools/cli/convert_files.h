#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tools/cli/convert.h"
#include "tools/cli/convert_source.h"

namespace millrace {

/// Writes `parts` to spec.out as kNpy, kCsv, kTar, kTarZst or kImages (see part_sink.h for the
/// names, and for what each form keeps). All appear together when all are written.
///
/// `progress` is told bytes of samples done so far and in all; where it returns false nothing is
/// written and the result is empty. Throws DataError: IDX files or shards in the folder, which
/// would hide the new files, and what the sinks throw.
std::vector<ConvertedFile> convert_to_files(
    const ConvertSpec& spec, const std::vector<ConvertPart>& parts,
    const std::function<bool(std::uint64_t done, std::uint64_t all)>& progress);

}  // namespace millrace
