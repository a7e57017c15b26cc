#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "compute/cuda/elements.h"
#include "compute/cuda/step_constants.h"

namespace millrace::cuda {

// One call of operator() for each i below count(), in any order, none depending on another.

/// Gathers a batch, converts and scales it:
///     to[r, c] = scale * from[indices ? indices[r] : r, c] for r < rows and c < features, else 0
/// from: [samples, features] of uint8 or float32; to: [padded_rows, padded], padded a multiple of
/// 8. A call does eight columns of a row.
struct Gather {
  static constexpr std::uint32_t kColumns = 4;  ///< that load() does

  const void* from = nullptr;
  bool bytes = true;  ///< uint8, else float32
  const std::uint32_t* indices = nullptr;
  std::uint32_t rows = 0;
  std::uint32_t padded_rows = 0;
  std::uint32_t features = 0;
  std::uint32_t padded = 0;
  float scale = 1.0F;
  Elements to;

  MILLRACE_HOST_DEVICE std::size_t count() const {
    return std::size_t{padded_rows} * (padded / Elements::kGroup);
  }
  MILLRACE_HOST_DEVICE void operator()(std::size_t i) const {
    const std::uint32_t groups = padded / Elements::kGroup;
    const std::size_t row = i / groups;
    const auto column = static_cast<std::uint32_t>(i % groups) * Elements::kGroup;
    float left[kColumns] = {};
    float right[kColumns] = {};
    if (row < rows) {
      load(row, column, left);
      load(row, column + kColumns, right);
    }
    to.store_group(i * Elements::kGroup,
                   {left[0], left[1], left[2], left[3], right[0], right[1], right[2], right[3]});
  }

  /// Four columns of a row; those beyond the features stay as they are. column: a multiple of 4.
  MILLRACE_HOST_DEVICE void load(std::size_t row, std::uint32_t column,
                                 float (&values)[kColumns]) const {
    convert(look(sample(row), column), column, values);
  }

  // The same in three steps, each of which waits for the one before: who does several of one before
  // the next waits once.

  MILLRACE_HOST_DEVICE std::size_t sample(std::size_t row) const {
    return indices != nullptr ? indices[row] : row;
  }
  struct Look {
    std::size_t at = 0;      ///< of the first column
    std::uint32_t word = 0;  ///< of rows of whole words: all four
  };
  MILLRACE_HOST_DEVICE Look look(std::size_t sample, std::uint32_t column) const {
    Look look{sample * features + column};
    // The buffer's base is aligned far beyond a word.
    if (words() && column < features) {
      look.word = static_cast<const std::uint32_t*>(from)[look.at / kColumns];
    }
    return look;
  }
  MILLRACE_HOST_DEVICE void convert(const Look& look, std::uint32_t column,
                                    float (&values)[kColumns]) const {
    if (words()) {
      if (column >= features) return;
      for (std::uint32_t k = 0; k < kColumns; ++k) {
        values[k] = scale * static_cast<float>((look.word >> (8U * k)) & 255U);
      }
      return;
    }
    for (std::uint32_t k = 0; k < kColumns && column + k < features; ++k) {
      values[k] =
          scale * (bytes ? static_cast<float>(static_cast<const std::uint8_t*>(from)[look.at + k])
                         : static_cast<const float*>(from)[look.at + k]);
    }
  }

 private:
  /// Rows of whole words: one load does four columns.
  MILLRACE_HOST_DEVICE bool words() const { return bytes && features % kColumns == 0; }
};

/// The forward epilogue where the matrix product has none: y += bias, then max(y, 0) if `relu`.
/// y: [rows, width], bias: [width], width a multiple of 8. A NaN stays one. A call does eight
/// columns of a row.
struct BiasRelu {
  Elements y;
  Elements bias;
  std::uint32_t rows = 0;
  std::uint32_t width = 0;
  bool relu = true;

  MILLRACE_HOST_DEVICE std::size_t count() const {
    return std::size_t{rows} * (width / Elements::kGroup);
  }
  MILLRACE_HOST_DEVICE void operator()(std::size_t group) const {
    const std::size_t i = group * Elements::kGroup;
    float sums[Elements::kGroup];
    float biases[Elements::kGroup];
    y.load_group(i, sums);
    bias.load_group(i % width, biases);
    for (std::uint32_t c = 0; c < Elements::kGroup; ++c) {
      const float sum = sums[c] + biases[c];
      sums[c] = relu && sum < 0.0F ? 0.0F : sum;
    }
    y.store_group(i, sums);
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
  std::size_t begin = 0;    ///< these three: multiples of 8
  std::size_t end = 0;

  MILLRACE_HOST_DEVICE std::size_t count() const {
    const std::size_t last = average != nullptr || end < trained ? end : trained;
    return (last - begin) / Elements::kGroup;
  }
  MILLRACE_HOST_DEVICE void operator()(std::size_t group) const {
    const std::size_t i = begin + group * Elements::kGroup;
    float w[Elements::kGroup];
    view(weights).load_group(i, w);
    if (i < trained) {
      float g[Elements::kGroup];
      float m[Elements::kGroup] = {};
      float v[Elements::kGroup] = {};
      view(gradient).load_group(i, g);
      if (first != nullptr) view(first).load_group(i, m);
      if (second != nullptr) view(second).load_group(i, v);
      const OptimizerStep now = step->optimizer;
      const float times = scale();
      for (std::uint32_t k = 0; k < Elements::kGroup; ++k) {
        w[k] = stepped(now, w[k], times * g[k], m[k], v[k]);
      }
      view(weights).store_group(i, w);
      if (first != nullptr) view(first).store_group(i, m);
      if (second != nullptr) view(second).store_group(i, v);
      if (rounded.data != nullptr) rounded.store_group(i, w);
    }
    if (average == nullptr) return;
    float averages[Elements::kGroup];
    view(average).load_group(i, averages);
    for (std::uint32_t k = 0; k < Elements::kGroup; ++k) {
      averages[k] = moved(step->optimizer, averages[k], w[k]);
    }
    view(average).store_group(i, averages);
  }

  /// Element i alone, which is trained and now is `weight`, by its gradient and not the one in
  /// memory. Returns what it becomes.
  MILLRACE_HOST_DEVICE float update_one(const OptimizerStep& now, std::size_t i, float weight,
                                        float g) const {
    float m = first != nullptr ? first[i] : 0.0F;
    float v = second != nullptr ? second[i] : 0.0F;
    const float updated = stepped(now, weight, g, m, v);
    weights[i] = updated;
    if (first != nullptr) first[i] = m;
    if (second != nullptr) second[i] = v;
    if (rounded.data != nullptr) rounded.store(i, updated);
    if (average != nullptr) average[i] = moved(now, average[i], updated);
    return updated;
  }

 private:
  MILLRACE_HOST_DEVICE static Elements view(const float* of) {
    return {const_cast<float*>(of), ElementType::kFloat32};
  }
  MILLRACE_HOST_DEVICE static float moved(const OptimizerStep& s, float from, float updated) {
    return from + s.average * (updated - from);
  }
  MILLRACE_HOST_DEVICE float scale() const { return clip != nullptr ? *clip : 1.0F; }
  // The weight after a step, and what the optimizer keeps beside it.
  MILLRACE_HOST_DEVICE float stepped(const OptimizerStep& s, float weight, float of_weight,
                                     float& m, float& v) const {
    float g = of_weight + s.weight_decay * weight;
    if (second != nullptr) {
      m = s.beta1 * m + (1.0F - s.beta1) * g;
      v = s.beta2 * v + (1.0F - s.beta2) * (g * g);
      return weight * s.shrink - s.step_size * m / (std::sqrt(v) * s.root + s.epsilon);
    }
    if (first != nullptr) {
      m = g + s.momentum * m;
      g = s.kind == OptimizerSpec::Kind::kNesterov ? g + s.momentum * m : m;
    }
    return weight - s.learning_rate * g;
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
