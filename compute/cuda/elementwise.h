#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "compute/cuda/elements.h"
#include "compute/cuda/step_constants.h"

namespace millrace::cuda {

// One call of operator() for each i below count(), in any order, none depending on another.

/// Gathers a batch, converts and scales it:
///     to[r, c] = scale * from[indices ? indices[r] : r, c] for c < features, 0 up to `padded`
/// from: [samples, features] of uint8 or float32; to: [rows, padded]. A call does four columns;
/// `padded` is a multiple of 4.
struct Gather {
  static constexpr std::uint32_t kColumns = 4;

  const void* from = nullptr;
  bool bytes = true;  ///< uint8, else float32
  const std::uint32_t* indices = nullptr;
  std::uint32_t rows = 0;
  std::uint32_t features = 0;
  std::uint32_t padded = 0;
  float scale = 1.0F;
  Elements to;

  MILLRACE_HOST_DEVICE std::size_t count() const { return std::size_t{rows} * (padded / kColumns); }
  MILLRACE_HOST_DEVICE void operator()(std::size_t i) const {
    const std::uint32_t groups = padded / kColumns;
    const std::size_t row = i / groups;
    const auto column = static_cast<std::uint32_t>(i % groups) * kColumns;
    float values[kColumns] = {};
    load(row, column, values);
    for (std::uint32_t k = 0; k < kColumns; ++k) to.store(row * padded + column + k, values[k]);
  }

  /// Four columns of a row; those beyond the features stay as they are. column: a multiple of 4.
  MILLRACE_HOST_DEVICE void load(std::size_t row, std::uint32_t column,
                                 float (&values)[kColumns]) const {
    const std::size_t sample = indices != nullptr ? indices[row] : row;
    const std::size_t at = sample * features + column;
    if (bytes && features % kColumns == 0 && column < features) {
      // Rows of whole words: one load. The buffer's base is aligned far beyond that.
      const std::uint32_t word = static_cast<const std::uint32_t*>(from)[at / kColumns];
      for (std::uint32_t k = 0; k < kColumns; ++k) {
        values[k] = scale * static_cast<float>((word >> (8U * k)) & 255U);
      }
    } else {
      for (std::uint32_t k = 0; k < kColumns && column + k < features; ++k) {
        values[k] =
            scale * (bytes ? static_cast<float>(static_cast<const std::uint8_t*>(from)[at + k])
                           : static_cast<const float*>(from)[at + k]);
      }
    }
  }
};

/// The forward epilogue where the matrix product has none: y += bias, then max(y, 0) if `relu`.
/// y: [rows, width], bias: [width]. A NaN stays one.
struct BiasRelu {
  Elements y;
  Elements bias;
  std::uint32_t rows = 0;
  std::uint32_t width = 0;
  bool relu = true;

  MILLRACE_HOST_DEVICE std::size_t count() const { return std::size_t{rows} * width; }
  MILLRACE_HOST_DEVICE void operator()(std::size_t i) const {
    const float sum = y.load(i) + bias.load(i % width);
    y.store(i, relu && sum < 0.0F ? 0.0F : sum);
  }
};

/// The backward epilogue where the matrix product has none: dy = 0 where the layer's output was
/// not positive, dy * factor elsewhere. dy and y: [rows, width].
struct ReluGradient {
  Elements dy;
  Elements y;
  std::uint32_t rows = 0;
  std::uint32_t width = 0;
  float factor = 1.0F;  ///< of dropout, which left zeros in y where it dropped

  MILLRACE_HOST_DEVICE std::size_t count() const { return std::size_t{rows} * width; }
  MILLRACE_HOST_DEVICE void operator()(std::size_t i) const {
    // Not "unless y > 0": the gradient of a NaN must not vanish.
    dy.store(i, y.load(i) <= 0.0F ? 0.0F : dy.load(i) * factor);
  }
};

/// One step of an optimizer on the parameters [begin, end), as OptimizerSpec defines it, and of
/// their averages, which running statistics have too. What differs from step to step is read from
/// device memory, so that a schedule changes no captured graph.
struct OptimizerUpdate {
  float* weights = nullptr;  ///< the float32 masters
  const float* gradient = nullptr;
  const float* clip = nullptr;  ///< [1], what the gradient is multiplied by; null: nothing
  float* first = nullptr;       ///< momentum, or Adam's first moment; null without
  float* second = nullptr;      ///< Adam's second moment; null without
  float* average = nullptr;     ///< null without
  Elements rounded;             ///< what matrix products read; null where they read the masters
  const StepConstants* step = nullptr;
  std::size_t trained = 0;  ///< elements that have a gradient and moments: the first ones
  std::size_t begin = 0;
  std::size_t end = 0;

  MILLRACE_HOST_DEVICE std::size_t count() const {
    const std::size_t last = average != nullptr || end < trained ? end : trained;
    return last - begin;
  }
  MILLRACE_HOST_DEVICE void operator()(std::size_t of_range) const {
    const std::size_t i = begin + of_range;
    const float updated = i < trained ? stepped(i) : weights[i];
    if (average != nullptr) average[i] += step->optimizer.average * (updated - average[i]);
  }

 private:
  MILLRACE_HOST_DEVICE float stepped(std::size_t i) const {
    const OptimizerStep& s = step->optimizer;
    const float weight = weights[i];
    float g = (clip != nullptr ? *clip * gradient[i] : gradient[i]) + s.weight_decay * weight;
    float updated = 0.0F;
    if (second != nullptr) {
      const float m = s.beta1 * first[i] + (1.0F - s.beta1) * g;
      const float v = s.beta2 * second[i] + (1.0F - s.beta2) * (g * g);
      first[i] = m;
      second[i] = v;
      updated = weight * s.shrink - s.step_size * m / (std::sqrt(v) * s.root + s.epsilon);
    } else {
      if (first != nullptr) {
        const float m = g + s.momentum * first[i];
        first[i] = m;
        g = s.kind == OptimizerSpec::Kind::kNesterov ? g + s.momentum * m : m;
      }
      updated = weight - s.learning_rate * g;
    }
    weights[i] = updated;
    if (rounded.data != nullptr) rounded.store(i, updated);
    return updated;
  }
};

/// to[i] = from[i], or to[i] + from[i]: gradients of the parts of a step's batch.
struct AddGradient {
  const float* from = nullptr;
  float* to = nullptr;
  std::size_t size = 0;
  bool add = false;

  MILLRACE_HOST_DEVICE std::size_t count() const { return size; }
  MILLRACE_HOST_DEVICE void operator()(std::size_t i) const {
    to[i] = add ? to[i] + from[i] : from[i];
  }
};

/// to[i] = from[i], rounded to the type of `to`.
struct CopyElements {
  const float* from = nullptr;
  Elements to;
  std::size_t size = 0;

  MILLRACE_HOST_DEVICE std::size_t count() const { return size; }
  MILLRACE_HOST_DEVICE void operator()(std::size_t i) const { to.store(i, from[i]); }
};

}  // namespace millrace::cuda
