#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "compute/spec.h"
#include "formats/dataset.h"
#include "loader/subset.h"
#include "train/checkpoint_dir.h"
#include "train/plan.h"
#include "train/trainer.h"

namespace millrace {

/// Mean and deviation of each target over the samples `subset` of `data` (divided by n), summed in
/// double precision in that order; a deviation of 1 where all are the same. Throws
/// std::invalid_argument for data that do not have their labels at hand, DataError where a mean, a
/// deviation or the distance of a target from the mean is not finite as float32.
std::vector<TargetScale> fit_target_scales(const Dataset& data, const Subset& subset);

/// MlpSpec::target_scales of a run; empty where it learns classes, or targets as they are: those of
/// the checkpoint that it goes on from (`found`, null for a new run), or that its first weights are
/// of (RunSpec::init); else they are fitted to the training samples of `train`. What the user
/// should know goes to `notice`. Throws what fit_target_scales() throws, and DataError where the
/// first weights were trained on scaled targets and the run takes them as they are;
/// std::invalid_argument where it does, and they vary by so little that their squared errors would
/// be lost in rounding (Metrics::squared_error_rest).
std::vector<TargetScale> target_scales(const RunSpec& spec, const RunPlan& plan,
                                       const Dataset& train, const FoundCheckpoint* found,
                                       const std::function<void(const std::string&)>& notice);

/// The mean of the squared distances of targets, as the network sees them (`scales`, or empty: as
/// they are), from their means over the samples `subset` of `data` but those `left_out`: over
/// samples and targets. What a mean squared error is held against. Throws as fit_target_scales().
double target_spread(const Dataset& data, const Subset& subset, std::span<const TargetScale> scales,
                     const std::set<std::uint64_t>& left_out = {});

/// The coefficient of determination: 1 where there is no error, 0 where it is that of the mean.
/// Where all targets are the same, 1 without an error and else 0, as scikit-learn has it.
double r2(double mean_squared_error, double spread) noexcept;

}  // namespace millrace
