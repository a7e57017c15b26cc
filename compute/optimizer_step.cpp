#include "compute/optimizer_step.h"

#include <cmath>

namespace millrace {

OptimizerStep optimizer_step(const OptimizerSpec& spec, std::uint64_t step) {
  OptimizerStep constants;
  constants.kind = spec.kind;
  constants.learning_rate = spec.learning_rate;
  constants.momentum = spec.momentum;
  if (spec.kind == OptimizerSpec::Kind::kAdamW) {
    constants.shrink = static_cast<float>(1.0 - double{spec.learning_rate} * spec.weight_decay);
  } else {
    constants.weight_decay = spec.weight_decay;
  }
  if (spec.adaptive()) {
    const auto steps = static_cast<double>(step);
    constants.beta1 = spec.beta1;
    constants.beta2 = spec.beta2;
    constants.epsilon = spec.epsilon;
    constants.step_size = static_cast<float>(double{spec.learning_rate} /
                                             (1.0 - std::pow(double{spec.beta1}, steps)));
    constants.root = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(double{spec.beta2}, steps)));
  }
  return constants;
}

}  // namespace millrace
