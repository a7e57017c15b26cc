#pragma once

#include <cstddef>

#include "compute/cpu/layout.h"
#include "compute/cpu/norm.h"
#include "compute/spec.h"

// The activations that are more than a maximum. Each value is one fixed sequence of operations of
// IEEE 754 with coefficients of our own, so that every instruction set with fused multiply-adds
// gives the same bits. Errors against double precision, over all of float32: tanh, sigmoid and
// their derivatives below 2e-7; GELU and its derivative below 3e-7 · max(1, |z|).
namespace millrace::cpu::activation {

/// y becomes dropout(activation(y)), and `slopes` what the gradient of that is multiplied by to
/// become the gradient of what y was. Columns beyond `columns` become 0 in both. A NaN stays one.
struct Forward {
  Activation kind = Activation::kRelu;
  norm::Dropout dropout;    ///< rate 0: none
  std::size_t first = 0;    ///< row of the batch
  std::size_t rows = 0;     ///< from that one on
  std::size_t panel = 0;    ///< of the layer: the first that `y` has
  std::size_t columns = 0;  ///< that count, from y's first
  float* y = nullptr;       ///< activations, at row `first`
  ActLayout layout;         ///< of y
  float* slopes = nullptr;  ///< activations, at row `first`; null: not wanted
  ActLayout slopes_layout;
};
void forward(const Forward& op);

}  // namespace millrace::cpu::activation
