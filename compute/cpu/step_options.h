#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compute/cpu/activation.h"
#include "compute/cpu/norm.h"
#include "compute/cpu/stages.h"
#include "compute/optimizer_step.h"
#include "compute/spec.h"

namespace millrace::cpu {

/// What a net of any precision knows of its steps beside its arrays.
struct StepOptions {
  OptimizerSpec optimizer;
  OptimizerStep step;  ///< the constants of the one under way
  float smoothing = 0.0F;
  Activation activation = Activation::kRelu;  ///< of the hidden layers
  norm::Dropout dropout;  ///< of the step under way, for the first hidden layer
  std::vector<Stage> stages;

  StepOptions(const MlpSpec& model, const TrainSpec& train)
      : optimizer(train.optimizer),
        smoothing(train.label_smoothing),
        activation(model.activation),
        dropout{train.seed, 0, 0, model.dropout},
        stages(stages_of(model.hidden.size() + 1, model.batch_norm)) {}

  void begin(const OptimizerSpec& now, std::uint64_t number) {
    step = optimizer_step(now, number);
    dropout.step = number;
  }
  norm::Dropout dropout_of(std::size_t layer) const {
    norm::Dropout of = dropout;
    of.layer = static_cast<std::uint32_t>(layer);
    return of;
  }
  /// Whether the kernels' own maximum is the activation; if not, `activation::forward` is another
  /// visit to the sums, which leaves their slopes.
  bool relu() const { return activation == Activation::kRelu; }
  bool has_moments() const { return optimizer.adaptive() || optimizer.momentum != 0.0F; }
};

}  // namespace millrace::cpu
