#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "compute/cuda/elements.h"
#include "compute/spec.h"

namespace millrace::cuda {

/// A loss of numbers of a batch: each row's loss and squared error, both means over its targets,
/// and the gradient of the step's mean loss. With e_t = z_t - (target_t - mean_t) / deviation_t,
///     loss = sum_t f(e_t) / targets;  dz_t = f'(e_t) / (targets step_rows)
/// where f(e) is e², |e|, or e²/2 up to |e| = 1 and |e| - 1/2 beyond. Of binary cross-entropy z_t
/// is a logit, with the loss max(z, 0) - z target + log(1 + exp(-|z|)), and
/// `squared_errors` how many labels are wrong, z >= 0 being a yes. A group of threads does a row,
/// as in SoftmaxLoss.
struct TargetLoss {
  const float* outputs = nullptr;          ///< [rows, stride]
  const std::int32_t* labels = nullptr;    ///< by sample: [targets], the bits of float32
  const std::uint32_t* indices = nullptr;  ///< [rows], sample of each row; null: the row itself
  std::uint32_t rows = 0;
  std::uint32_t padded_rows = 0;  ///< of the gradient
  std::uint32_t targets = 0;
  std::uint32_t stride = 0;
  /// [padded_rows, stride], zero beyond `rows` and `targets`; null: not wanted
  Elements gradient;
  float* losses = nullptr;          ///< [rows]
  float* squared_errors = nullptr;  ///< [rows]
  std::uint32_t step_rows = 0;      ///< of the step that these are a part of
  Loss loss = Loss::kSquaredError;
  const TargetScale* scales = nullptr;  ///< [targets]; null: targets are seen as they are

  MILLRACE_HOST_DEVICE std::uint32_t all_rows() const {
    return gradient.data != nullptr ? padded_rows : rows;
  }
  /// For each row below all_rows().
  template <class Group>
  MILLRACE_HOST_DEVICE void operator()(const Group& group, std::uint32_t row) const {
    const std::size_t first = std::size_t{row} * stride;
    if (row >= rows) {
      for (std::uint32_t t = group.lane(); t < stride; t += group.size()) {
        gradient.store(first + t, 0.0F);
      }
      return;
    }
    const std::size_t sample = indices != nullptr ? indices[row] : row;
    const std::int32_t* words = labels + sample * targets;
    const auto count = static_cast<float>(targets);
    const float share = 1.0F / static_cast<float>(step_rows) / count;
    float sum = 0.0F;
    float squares = 0.0F;
    for (std::uint32_t t = group.lane(); t < stride; t += group.size()) {
      float slope = 0.0F;
      if (t < targets) {
        const float z = outputs[first + t];
        const float truth = target(words[t], t);
        if (loss == Loss::kBinaryCrossEntropy) {
          const float decision = z >= 0.0F ? 1.0F : 0.0F;
          squares += (decision - truth) * (decision - truth);
          const float u = std::exp(-std::fabs(z));
          sum += (z >= 0.0F ? z : 0.0F) - z * truth + std::log1p(u);
          // Of sigmoid(z) - 1 the digits that are left, for sigmoid(-z) is its opposite.
          slope = (truth == 0.0F ? (z >= 0.0F ? 1.0F : u) : -(z >= 0.0F ? u : 1.0F)) / (1.0F + u);
        } else {
          const float e = z - truth;
          sum += loss_of(e);
          squares += e * e;
          slope = slope_of(e);
        }
      }
      if (gradient.data != nullptr) gradient.store(first + t, slope * share);
    }
    sum = group.sum(sum);
    squares = group.sum(squares);
    if (group.lane() != 0) return;
    losses[row] = sum / count;
    // Not beyond float32, where the loss itself is not. A NaN stays one.
    const float most = 3.402823466e+38F;
    const float mean = loss == Loss::kBinaryCrossEntropy ? squares : squares / count;
    squared_errors[row] = mean > most ? most : mean;
  }

  MILLRACE_HOST_DEVICE float target(std::int32_t word, std::uint32_t t) const {
    float value = 0.0F;
    std::memcpy(&value, &word, sizeof value);
    return scales != nullptr ? (value - scales[t].mean) / scales[t].deviation : value;
  }
  // A NaN gives one.
  MILLRACE_HOST_DEVICE float loss_of(float e) const {
    const float size = std::fabs(e);
    if (loss == Loss::kAbsoluteError) return size;
    if (loss == Loss::kHuber) return size <= 1.0F ? 0.5F * e * e : size - 0.5F;
    return e * e;
  }
  MILLRACE_HOST_DEVICE float slope_of(float e) const {
    if (loss == Loss::kSquaredError) return 2.0F * e;
    const float sloping = loss == Loss::kHuber ? 1.0F : 0.0F;
    if (e > sloping) return 1.0F;
    return e < -sloping ? -1.0F : e;
  }
};

}  // namespace millrace::cuda
