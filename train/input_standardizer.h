#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "formats/dataset.h"
#include "train/checkpoint_dir.h"
#include "train/plan.h"
#include "train/trainer.h"

namespace millrace {

/// What a run does to its samples, null where that is nothing: what the checkpoint did that it goes
/// on from (`found`, null for a new run), or that its first weights are of (RunSpec::init); else it
/// is fitted to the training samples of `train`, which are read for it. What the user should know
/// goes to `notice`. Throws DataError for samples that cannot be read (see RunSpec::on_bad) or have
/// values that are not finite, and where the first weights were trained on samples that something
/// was done to and the run does nothing.
std::shared_ptr<const Standardizer> input_standardizer(
    const RunSpec& spec, const RunPlan& plan, const Dataset& train, const FoundCheckpoint* found,
    const std::function<void(const std::string&)>& notice);

}  // namespace millrace
