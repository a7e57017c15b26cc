#include "compute/optimizer_step.h"

#include <algorithm>
#include <cmath>

#include "formats/exact_math.h"

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
  const auto steps = static_cast<double>(step);
  if (spec.ema > 0.0F) {
    constants.average =
        static_cast<float>(1.0 - std::min(double{spec.ema}, (1.0 + steps) / (10.0 + steps)));
  }
  if (spec.adaptive()) {
    constants.beta1 = spec.beta1;
    constants.beta2 = spec.beta2;
    constants.epsilon = spec.epsilon;
    constants.step_size =
        static_cast<float>(double{spec.learning_rate} / (1.0 - power(double{spec.beta1}, step)));
    constants.root = static_cast<float>(1.0 / std::sqrt(1.0 - power(double{spec.beta2}, step)));
  }
  return constants;
}

}  // namespace millrace
