#pragma once

#include <cstdint>

#include "compute/spec.h"

namespace millrace {

/// An optimizer's constants for one step, as the update kernels want them.
struct OptimizerStep {
  OptimizerSpec::Kind kind = OptimizerSpec::Kind::kSgd;
  float learning_rate = 0.0F;
  float momentum = 0.0F;
  float weight_decay = 0.0F;  ///< added to the gradient; 0 for AdamW
  float shrink = 1.0F;        ///< AdamW: what a weight is multiplied by first
  float beta1 = 0.0F;
  float beta2 = 0.0F;
  float epsilon = 0.0F;
  float step_size = 0.0F;  ///< Adam: learning_rate / (1 - beta1^step)
  float root = 0.0F;       ///< Adam: 1 / sqrt(1 - beta2^step)
  float average = 0.0F;    ///< how far the average moves towards the parameters
};

/// `step` counts from 1.
OptimizerStep optimizer_step(const OptimizerSpec& spec, std::uint64_t step);

}  // namespace millrace
