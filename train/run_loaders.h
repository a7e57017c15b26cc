#pragma once

#include <cstdint>
#include <memory>

#include "formats/dataset.h"
#include "loader/loader.h"
#include "train/placement.h"
#include "train/plan.h"
#include "train/trainer.h"

namespace millrace {

/// How the loader of a run brings the samples of `data`, which lie as `placement` says, to be
/// evaluated. Which of them, and how many times, is for the caller to fill in. `bad_budget`: of the
/// training set, in samples.
LoaderSpec evaluation_loader(const RunSpec& run, const RunPlan& plan,
                             const std::shared_ptr<const Dataset>& data, const Placement& placement,
                             std::uint64_t bad_budget);

/// How it brings the training samples to be trained on, in all epochs.
LoaderSpec training_loader(const RunSpec& run, const RunPlan& plan,
                           const std::shared_ptr<const Dataset>& data, const Placement& placement,
                           std::uint64_t bad_budget);

}  // namespace millrace
