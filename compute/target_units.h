#pragma once

#include <cstddef>
#include <span>

#include "compute/spec.h"

namespace millrace {

/// A target as the network sees it.
inline float scaled(const TargetScale& scale, float target) {
  return (target - scale.mean) / scale.deviation;
}

/// `outputs`, [rows, classes], row-major: from what the network says of scaled targets to what that
/// predicts, in the targets' own units. Of a network of classes, or without scales, as they are.
inline void to_target_units(const MlpSpec& model, std::span<float> outputs) {
  if (model.target_scales.empty()) return;
  for (std::size_t row = 0; row < outputs.size(); row += model.classes) {
    for (std::size_t t = 0; t < model.classes; ++t) {
      const TargetScale& scale = model.target_scales[t];
      outputs[row + t] = outputs[row + t] * scale.deviation + scale.mean;
    }
  }
}

}  // namespace millrace
