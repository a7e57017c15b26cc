#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "compute/cuda/activation_gradient.h"
#include "compute/cuda/elements.h"
#include "compute/spec.h"

// Batch normalisation of a hidden layer (Ioffe and Szegedy 2015, as torch.nn.BatchNorm1d has it).
// Columns are padded to multiples of 16 like all widths; what lies in the padding comes out as 0.
// Sums over the batch have a fixed order: see sums.h.

namespace millrace::cuda {

/// factor * (z - mean) / sqrt(variance + epsilon) + shift, by column.
struct Normalise {
  const float* mean = nullptr;      ///< null: z stays as it is
  const float* variance = nullptr;  ///< the running one; null: `inverse` is of the batch
  const float* inverse = nullptr;   ///< 1 / sqrt(variance + epsilon)
  const float* factor = nullptr;
  const float* shift = nullptr;

  MILLRACE_HOST_DEVICE static float inverse_deviation(float variance) {
    return 1.0F / std::sqrt(variance + kNormEpsilon);
  }
  MILLRACE_HOST_DEVICE float operator()(float z, std::uint32_t column) const {
    const float by = variance != nullptr ? inverse_deviation(variance[column]) : inverse[column];
    return factor[column] * ((z - mean[column]) * by) + shift[column];
  }
};

/// Mean and deviation of each column of a batch, in two visits, and the running statistics moved
/// towards them: the variance as that of a sample (over rows - 1). A batch of one row leaves those
/// as they are.
struct NormStatistics {
  static constexpr std::uint32_t kLanes = 32;  ///< threads of one column

  Elements z;  ///< [rows, width]
  std::uint32_t rows = 0;
  std::uint32_t width = 0;
  float* mean = nullptr;     ///< [width], as are the next three
  float* inverse = nullptr;  ///< 1 / sqrt(variance + epsilon)
  float* running_mean = nullptr;
  float* running_variance = nullptr;

  MILLRACE_HOST_DEVICE float sum_part(std::uint32_t column, std::uint32_t lane) const {
    float sum = 0.0F;
    for (std::uint32_t r = lane; r < rows; r += kLanes) {
      sum += z.load(std::size_t{r} * width + column);
    }
    return sum;
  }
  MILLRACE_HOST_DEVICE float mean_of(float sum) const { return sum / static_cast<float>(rows); }
  MILLRACE_HOST_DEVICE float squares_part(std::uint32_t column, std::uint32_t lane,
                                          float of_mean) const {
    float sum = 0.0F;
    for (std::uint32_t r = lane; r < rows; r += kLanes) {
      const float x = z.load(std::size_t{r} * width + column) - of_mean;
      sum += x * x;
    }
    return sum;
  }
  MILLRACE_HOST_DEVICE void finish(std::uint32_t column, float of_mean, float squares) const {
    mean[column] = of_mean;
    inverse[column] = Normalise::inverse_deviation(squares / static_cast<float>(rows));
    if (rows < 2) return;
    const auto follow = [](float& running, float value) {
      running = (1.0F - kNormMomentum) * running + kNormMomentum * value;
    };
    follow(running_mean[column], of_mean);
    follow(running_variance[column], squares / static_cast<float>(rows - 1));
  }
};

/// The gradients of factor and shift: the sums over the batch of g * x and of g, g the gradient of
/// the normalised sum and x the sum without factor and shift.
struct NormGradientSums {
  static constexpr std::uint32_t kLanes = 32;  ///< threads of one column

  struct Part {
    float factor = 0.0F;
    float shift = 0.0F;
  };

  OutputGradient gradient;  ///< [rows, width]
  Elements z;               ///< [rows, width]
  const float* mean = nullptr;
  const float* inverse = nullptr;
  float* factor_gradient = nullptr;
  float* shift_gradient = nullptr;
  std::uint32_t rows = 0;
  std::uint32_t width = 0;

  MILLRACE_HOST_DEVICE Part part(std::uint32_t column, std::uint32_t lane) const {
    Part part;
    for (std::uint32_t r = lane; r < rows; r += kLanes) {
      const std::size_t at = std::size_t{r} * width + column;
      const float g = gradient.load(at);
      part.factor += g * ((z.load(at) - mean[column]) * inverse[column]);
      part.shift += g;
    }
    return part;
  }
  MILLRACE_HOST_DEVICE void finish(std::uint32_t column, const Part& sum) const {
    factor_gradient[column] = sum.factor;
    shift_gradient[column] = sum.shift;
  }
};

/// dy becomes the gradient of the sums, factor / deviation * (g - mean of g - x * mean of g * x),
/// the means from NormGradientSums. A call does eight columns of a row.
struct NormGradient {
  static constexpr std::uint32_t kColumns = Elements::kGroup;

  OutputGradient gradient;  ///< [rows, width], dy in and out
  Elements z;               ///< [rows, width]
  Normalise norm;           ///< of the batch
  const float* factor_gradient = nullptr;
  const float* shift_gradient = nullptr;
  std::uint32_t rows = 0;
  std::uint32_t width = 0;

  MILLRACE_HOST_DEVICE std::size_t count() const { return std::size_t{rows} * (width / kColumns); }
  MILLRACE_HOST_DEVICE void operator()(std::size_t i) const {
    const auto first = static_cast<std::uint32_t>(i % (width / kColumns)) * kColumns;
    const float share = 1.0F / static_cast<float>(rows);
    float g[kColumns];
    float sums[kColumns];
    gradient.load_group(i * kColumns, g);
    z.load_group(i * kColumns, sums);
    for (std::uint32_t c = 0; c < kColumns; ++c) {
      const std::uint32_t column = first + c;
      const float x = (sums[c] - norm.mean[column]) * norm.inverse[column];
      const float centred =
          g[c] - shift_gradient[column] * share - x * (factor_gradient[column] * share);
      g[c] = norm.factor[column] * norm.inverse[column] * centred;
    }
    gradient.dy.store_group(i * kColumns, g);
  }
};

}  // namespace millrace::cuda
