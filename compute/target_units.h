#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "compute/spec.h"

namespace millrace {

/// A target as the network sees it.
inline float scaled(const TargetScale& scale, float target) {
  return (target - scale.mean) / scale.deviation;
}

/// One of the numbers of each scale, `number`: TargetScale::mean or deviation.
inline std::vector<float> each_of(std::span<const TargetScale> scales, float TargetScale::*number) {
  std::vector<float> values(scales.size());
  std::ranges::transform(scales, values.begin(), number);
  return values;
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
