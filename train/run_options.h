#pragma once

#include <nlohmann/json_fwd.hpp>

#include "train/checkpoint.h"

namespace millrace {

/// The options of a run as the JSON object that its checkpoints have of them.
nlohmann::json encode_run_options(const RunOptions& options);

/// Of a checkpoint of any version: what it does not have yet is as it was then. Throws
/// nlohmann::json::exception for what is missing, of another type, or no value that it can have.
RunOptions decode_run_options(const nlohmann::json& object);

}  // namespace millrace
