#pragma once

#include <cstddef>
#include <span>

#include "compute/cpu/layout.h"
#include "compute/cpu/row_source.h"
#include "compute/spec.h"

namespace millrace::cpu {

/// A loss of numbers, of `rows` samples, rows first … of `source`. With e = z - scaled(target), a
/// row's loss is the mean over its targets of e², |e|, or e²/2 up to |e| = 1 and |e| - 1/2 beyond;
/// of binary cross-entropy see binary_loss.h.
/// Each row's sums have one order, of doubles; no instruction set is chosen, and so no bit depends
/// on one.
struct TargetLoss {
  Loss loss = Loss::kSquaredError;
  std::span<const TargetScale> scales;  ///< [targets]; empty: targets are seen as they are
  /// Activations [rows, targets]: what the network says in, gradient · `gradient_scale` out if
  /// `gradient`, with zeros up to a multiple of 16 columns.
  float* z = nullptr;
  ActLayout layout;
  std::size_t rows = 0;
  std::size_t targets = 0;
  const RowSource* source = nullptr;
  std::size_t first = 0;
  float gradient_scale = 0.0F;
  bool gradient = false;
  float* losses = nullptr;          ///< [rows]
  float* squared_errors = nullptr;  ///< [rows]: the mean of e²; see Metrics
};
void target_loss(const TargetLoss& op);

}  // namespace millrace::cpu
