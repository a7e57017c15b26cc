#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compute/cpu/activation.h"
#include "compute/cpu/norm.h"
#include "compute/cpu/stages.h"
#include "compute/optimizer_step.h"
#include "compute/spec.h"
#include "compute/tensors.h"

namespace millrace::cpu {

/// What a net of any precision knows of its steps beside its arrays.
struct StepOptions {
  OptimizerSpec optimizer;
  OptimizerStep step;  ///< the constants of the one under way
  float smoothing = 0.0F;
  std::vector<float> class_weights;           ///< [classes]; empty: all are 1
  Activation activation = Activation::kRelu;  ///< of the hidden layers
  norm::Dropout dropout;                      ///< of the step under way, for the first hidden layer
  bool buffered = false;   ///< gradients are kept, and the update has a phase of its own
  float clip_norm = 0.0F;  ///< of the step under way; 0: none
  float factor = 1.0F;     ///< of its gradient, by clipping
  std::vector<Stage> stages;

  StepOptions(const MlpSpec& model, const TrainSpec& train)
      : optimizer(train.optimizer),
        smoothing(train.label_smoothing),
        class_weights(train.class_weights),
        activation(model.activation),
        dropout{train.seed, 0, 0, model.dropout},
        buffered(train.optimizer.clip_norm > 0.0F || train.rows_at_once() < train.batch),
        stages(stages_of(model.hidden.size() + 1, model.batch_norm, buffered)) {}

  void begin(const OptimizerSpec& now, std::uint64_t number) {
    step = optimizer_step(now, number);
    dropout.step = number;
    clip_norm = now.clip_norm;
    factor = 1.0F;
  }
  norm::Dropout dropout_of(std::size_t layer) const {
    norm::Dropout of = dropout;
    of.layer = static_cast<std::uint32_t>(layer);
    return of;
  }
  /// Whether the kernels' own maximum is the activation; if not, `activation::forward` is another
  /// visit to the sums, which leaves their slopes.
  bool relu() const { return activation == Activation::kRelu; }
  /// After the gradient's tiles, from the squares of its parts.
  void clip(std::span<const double> squares) {
    double sum = 0.0;
    for (const double square : squares) sum += square;
    const double share = double{clip_norm} / (std::sqrt(sum) + 1e-6);
    factor = static_cast<float>(share > 1.0 ? 1.0 : share);  // a NaN stays one
  }
  const float* weights_of_classes() const {
    return class_weights.empty() ? nullptr : class_weights.data();
  }
  bool averaged() const { return optimizer.ema > 0.0F; }
  bool has_moments() const { return optimizer.adaptive() || optimizer.momentum != 0.0F; }
};

}  // namespace millrace::cpu
