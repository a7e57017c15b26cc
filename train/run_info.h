#pragma once

#include <cstdint>

#include "formats/dataset.h"
#include "train/observer.h"
#include "train/placement.h"
#include "train/run_setup.h"
#include "train/trainer.h"

namespace millrace {

/// What observers are told before the first step, of a run that is set up and whose training set
/// lies as `placement` says. `test` may be null; `bad_budget` in samples.
RunInfo run_info(const RunSpec& run, const RunSetup& setup, const Dataset& train,
                 const Dataset* test, const Placement& placement, std::uint64_t bad_budget);

}  // namespace millrace
