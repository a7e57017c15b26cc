#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "compute/cuda/elements.h"

namespace millrace::cuda {

// Sums in a fixed order: each thread takes every n-th row, and the threads' sums are added up as
// tree_sum() does. No atomics, so the same bits each time.

/// Adds parts[i] for i below `n`, a power of two, into parts[0], halving n; call for each `half` =
/// n/2, n/4, … 1 and i < half.
template <class Part>
MILLRACE_HOST_DEVICE void tree_add(Part* parts, std::uint32_t i, std::uint32_t half) {
  parts[i] += parts[i + half];
}

/// First half of the square of a gradient's norm: sums[block] = the sum of the squares of every
/// kBlocks * kLanes-th values from those of the block's lanes on. The same for every device.
struct SquareSums {
  static constexpr std::uint32_t kBlocks = 256;
  static constexpr std::uint32_t kLanes = 256;  ///< threads of a block

  const float* values = nullptr;
  std::size_t size = 0;
  double* sums = nullptr;  ///< [kBlocks]

  MILLRACE_HOST_DEVICE double part(std::uint32_t block, std::uint32_t lane) const {
    double sum = 0.0;
    for (std::size_t i = std::size_t{block} * kLanes + lane; i < size;
         i += std::size_t{kBlocks} * kLanes) {
      const double value = values[i];
      sum += value * value;
    }
    return sum;
  }
};

/// The second half, in one block, and what a gradient of that norm is multiplied by to have at most
/// `norm`, as torch.nn.utils.clip_grad_norm_ has it. A NaN stays one.
struct ClipFactor {
  static constexpr std::uint32_t kLanes = SquareSums::kBlocks;  ///< threads of the block

  const double* sums = nullptr;  ///< [kLanes]
  float norm = 0.0F;
  float* factor = nullptr;  ///< [1]

  MILLRACE_HOST_DEVICE double part(std::uint32_t lane) const { return sums[lane]; }
  MILLRACE_HOST_DEVICE void finish(double sum) const {
    const double share = double{norm} / (std::sqrt(sum) + 1e-6);
    *factor = static_cast<float>(share > 1.0 ? 1.0 : share);
  }
};

/// What the device keeps until Engine::metrics() asks. All zero is the empty sum.
struct DeviceMetrics {
  double loss_sum = 0.0;
  std::uint64_t correct = 0;
  std::uint64_t samples = 0;
  std::uint64_t steps = 0;
  std::uint64_t nonfinite = 0;  ///< 1 + the first step with a loss that is not finite; 0: none
  double squared_error_sum = 0.0;
  double squared_error_rest = 0.0;
};

/// Adds the rows of many steps to the metrics, in one block.
struct MetricsSums {
  static constexpr std::uint32_t kLanes = 1024;  ///< threads of the block

  struct Part {
    double loss = 0.0;
    std::uint64_t correct = 0;
    std::uint32_t nonfinite = UINT32_MAX;  ///< the first such row
    double squared_error = 0.0;
    double squared_rest = 0.0;

    MILLRACE_HOST_DEVICE Part& operator+=(const Part& other) {
      loss += other.loss;
      correct += other.correct;
      if (other.nonfinite < nonfinite) nonfinite = other.nonfinite;
      squared_error += other.squared_error;
      squared_rest += other.squared_rest;
      return *this;
    }
  };

  const float* losses = nullptr;          ///< [rows]
  const std::uint8_t* correct = nullptr;  ///< [rows]; null: of numbers
  std::uint32_t rows = 0;
  std::uint32_t batch = 0;  ///< rows of each step but the last; 0: no training
  DeviceMetrics* metrics = nullptr;
  const float* squared_errors = nullptr;  ///< [rows]; null: of classes

  /// Rounds to a multiple of 2^-24, so that sums are exact, in any grouping, up to 2^29.
  MILLRACE_HOST_DEVICE static double quantize(double value) {
    const double magic = 1.5 * 268435456.0;  // a double of this size ends at 2^-24
    return value < 134217728.0 ? (value + magic) - magic : value;
  }

  /// What quantize() leaves of a number, at most 2^-25, as a multiple of 2^-54.
  MILLRACE_HOST_DEVICE static double rest_of(double value) {
    const double magic = 0.375;  // a double of this size ends at 2^-54
    const double rest = value - quantize(value);
    return (rest + magic) - magic;
  }

  MILLRACE_HOST_DEVICE Part part(std::uint32_t lane) const {
    Part sum;
    for (std::uint32_t r = lane; r < rows; r += kLanes) {
      const double loss = losses[r];
      sum.loss += quantize(loss);
      if (correct != nullptr) sum.correct += correct[r];
      if (squared_errors != nullptr) {
        sum.squared_error += quantize(squared_errors[r]);
        sum.squared_rest += rest_of(squared_errors[r]);
      }
      if (!(loss - loss == 0.0) && r < sum.nonfinite) sum.nonfinite = r;
    }
    return sum;
  }

  MILLRACE_HOST_DEVICE void finish(const Part& sum) const {
    metrics->loss_sum += sum.loss;
    metrics->correct += sum.correct;
    metrics->squared_error_sum += sum.squared_error;
    metrics->squared_error_rest += sum.squared_rest;
    metrics->samples += rows;
    if (batch == 0) return;
    if (metrics->nonfinite == 0 && sum.nonfinite != UINT32_MAX) {
      metrics->nonfinite = metrics->steps + sum.nonfinite / batch + 1;
    }
    metrics->steps += (rows + batch - 1) / batch;
  }
};

}  // namespace millrace::cuda
