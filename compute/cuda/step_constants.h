#pragma once

#include <cstdint>

#include "compute/optimizer_step.h"

namespace millrace::cuda {

/// What differs from one step to the next. It travels with the chunk, so that a captured graph
/// serves every learning rate and every step of a run.
struct StepConstants {
  OptimizerStep optimizer;
  std::uint32_t number = 0;  ///< of the step in the run, counted from 1, as dropout has it
};

}  // namespace millrace::cuda
