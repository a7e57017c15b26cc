#pragma once

#include "train/trainer.h"

namespace millrace {

/// Throws UsageError where the run would replace checkpoints of another one: those in its
/// checkpoint folder, unless it goes on from one of them. DataError if the folder cannot be listed.
void refuse_to_replace_checkpoints(const RunSpec& run);

}  // namespace millrace
