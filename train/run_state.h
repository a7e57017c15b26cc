#pragma once

#include <filesystem>

#include "formats/safetensors.h"
#include "train/checkpoint.h"

namespace millrace {

/// Run state as `__metadata__` entries of a checkpoint: every key starts with "millrace.". Numbers
/// come back as the same bits.
TensorMetadata encode_run_state(const RunState& state);

/// Throws DataError naming `file` and the entry that is missing or wrong, with expected and found.
RunState decode_run_state(const std::filesystem::path& file, const TensorMetadata& metadata);

}  // namespace millrace
