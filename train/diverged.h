#pragma once

#include <cstdint>

#include "compute/engine.h"
#include "compute/spec.h"
#include "train/trainer.h"

namespace millrace {

/// Throws DivergedError if a training step in `metrics` had a loss that was not finite.
/// `first_step`: number, over the whole run, of the first step that `metrics` tells of.
void check_losses(const Metrics& metrics, std::uint64_t first_step, std::uint64_t epoch,
                  const OptimizerSpec& optimizer);

/// Throws DivergedError if the mean loss of an evaluation after step `last_step` is not finite.
void check_evaluation(const Metrics& metrics, std::uint64_t last_step, std::uint64_t epoch,
                      const OptimizerSpec& optimizer);

/// Throws DivergedError if a value is not finite: `last_step`, whose own loss was, has overflowed
/// it.
void check_finite(const std::vector<Tensor>& tensors, std::uint64_t last_step, std::uint64_t epoch,
                  const OptimizerSpec& optimizer);

/// The same of all that a run of `steps` steps so far would go on from.
void check_state(const Parameters& parameters, const OptimizerState& state, std::uint64_t steps,
                 std::uint64_t steps_per_epoch, const OptimizerSpec& optimizer);

}  // namespace millrace
