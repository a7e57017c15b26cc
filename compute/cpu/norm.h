#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "compute/cpu/layout.h"
#include "compute/optimizer_step.h"

// Batch normalisation and dropout, 32 columns of a layer at a time: one panel of activations,
// [rows][32]. Every sum over the batch is four chains, by row modulo 4, added in a fixed order.
namespace millrace::cpu::norm {

/// Which of a step's activations dropout keeps: a pure function of these and of row and column,
/// Philox words of 16 bits each.
struct Dropout {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;   ///< of the run, counted from 1
  std::uint32_t layer = 0;  ///< hidden layers from 0
  float rate = 0.0F;        ///< 0: all are kept

  /// Of 65536; a number below it drops.
  std::uint32_t threshold() const {
    return static_cast<std::uint32_t>(std::lround(rate * 65536.0F));
  }
  float factor() const { return 1.0F / (1.0F - rate); }
};

/// Bit c of bits[r]: whether column 32 * panel + c of row first + r is kept.
void kept(const Dropout& dropout, std::size_t panel, std::size_t first, std::size_t rows,
          std::uint32_t* bits);

/// y = max(0, y), and by dropout 0 or y * factor, of rows first … first + rows of a batch; y at the
/// first of them.
void drop(const Dropout& dropout, std::size_t first, std::size_t rows, float* y, ActLayout layout);

/// Parameters of 32 columns of a normalised layer.
struct Columns {
  float* gamma = nullptr;
  float* beta = nullptr;
  float* running_mean = nullptr;
  float* running_var = nullptr;
  float* inverse = nullptr;  ///< 1 / sqrt(variance + epsilon) of the batch, kept for backward()
};

/// z becomes (z - mean) / sqrt(variance + epsilon), y = dropout(max(0, gamma * z + beta)); the
/// running statistics follow the batch's, the variance as that of a sample (over rows - 1). A batch
/// of one row leaves them as they are.
struct Forward {
  float* z = nullptr;              ///< [rows][32], in and out
  float* y = nullptr;              ///< [rows][32]
  std::uint32_t* gates = nullptr;  ///< [rows], out: bit c: y is above 0
  std::size_t rows = 0;
  std::size_t panel = 0;
  Columns columns;
  Dropout dropout;
  bool linear = false;    ///< y = gamma * z + beta instead, and no gates
  std::size_t first = 0;  ///< row that dropout takes the first for
};
void forward(const Forward& op);

/// Optimizer state of gamma and beta; null where there is none.
struct Moments {
  std::array<float*, 2> first{};  ///< of gamma, of beta
  std::array<float*, 2> second{};
};

/// dy becomes the gradient of the layer's sums; gamma and beta take their step.
struct Backward {
  const float* z = nullptr;  ///< as forward() left it
  float* dy = nullptr;       ///< [rows][32], in and out
  const std::uint32_t* gates = nullptr;
  std::size_t rows = 0;
  Columns columns;
  float factor = 1.0F;  ///< Dropout::factor()
  OptimizerStep step;
  Moments moments;
  const float* slopes = nullptr;  ///< [rows][32], in place of gates and factor; or null
  /// Not null: where the gradients of gamma and beta go, which take no step.
  std::array<float*, 2> gradients{};
  bool add = false;  ///< to what is there
};
void backward(const Backward& op);

/// y = max(0, gamma * (y - running mean) / sqrt(running variance + epsilon) + beta) for all of
/// layout's columns: what evaluation does.
struct Apply {
  const float* gamma = nullptr;  ///< [columns rounded up to 32], like the next three
  const float* beta = nullptr;
  const float* running_mean = nullptr;
  const float* running_var = nullptr;
  float* y = nullptr;
  ActLayout layout;
  std::size_t rows = 0;
  bool linear = false;  ///< without the maximum
};
void apply(const Apply& op);

}  // namespace millrace::cpu::norm
