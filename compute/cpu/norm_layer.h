#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/cpu/aligned_array.h"
#include "compute/cpu/layout.h"
#include "compute/cpu/norm.h"

namespace millrace::cpu {

/// A parameter itself, or what the optimizer keeps beside it.
enum class Moment : std::uint8_t { kValue, kFirst, kSecond };

template <class Vector>
auto& array_of(Vector& vector, Moment moment) {
  if (moment == Moment::kFirst) return vector.first;
  return moment == Moment::kSecond ? vector.second : vector.values;
}

/// A vector of parameters with its optimizer state, padded with zeros to a multiple of 32.
struct ParameterVector {
  AlignedArray<float> values;
  AlignedArray<float> first;   ///< momentum or Adam's first moment; empty without
  AlignedArray<float> second;  ///< Adam's second moment; empty without

  explicit ParameterVector(std::size_t size = 0) : values(round_up(size, kActPanel)) {}
  void make_moments(bool two) {
    first = AlignedArray<float>(values.size());
    if (two) second = AlignedArray<float>(values.size());
  }
  float* first_at(std::size_t i) { return first.empty() ? nullptr : first.data() + i; }
  float* second_at(std::size_t i) { return second.empty() ? nullptr : second.data() + i; }
};

/// A hidden layer's batch normalisation: its parameters, and what its backward pass needs of the
/// batch.
struct NormLayer {
  ParameterVector gamma, beta;
  AlignedArray<float> running_mean, running_var, inverse;
  AlignedArray<float> z;              ///< activations [batch, width]: the layer's sums
  AlignedArray<float> dy;             ///< activations [batch, width]: gradients
  AlignedArray<std::uint32_t> gates;  ///< [panels][batch]
  ActLayout layout;

  NormLayer() = default;
  NormLayer(std::size_t batch, std::size_t width)
      : gamma(width),
        beta(width),
        running_mean(round_up(width, kActPanel)),
        running_var(round_up(width, kActPanel)),
        inverse(round_up(width, kActPanel)),
        layout{batch, width} {
    z = AlignedArray<float>(layout.size());
    dy = AlignedArray<float>(layout.size());
    gates = AlignedArray<std::uint32_t>(layout.panels() * batch);
  }

  float* z_panel(std::size_t panel) { return z.data() + panel * layout.panel_stride(); }
  float* dy_panel(std::size_t panel) { return dy.data() + panel * layout.panel_stride(); }

  norm::Columns columns(std::size_t panel) {
    const std::size_t at = panel * kActPanel;
    return {gamma.values.data() + at, beta.values.data() + at, running_mean.data() + at,
            running_var.data() + at, inverse.data() + at};
  }

  /// Of a training batch: y is the panel's output, [rows][32]; `linear`: before the activation.
  void forward(std::size_t panel, std::size_t rows, const norm::Dropout& dropout, bool linear,
               float* y) {
    norm::forward({z_panel(panel), y, gates.data() + panel * layout.rows, rows, panel,
                   columns(panel), dropout, linear});
  }
  /// dy_panel() from the gradient of the outputs to that of the sums. `slopes`: the activation's,
  /// of the panel; null for a ReLU.
  void backward(std::size_t panel, std::size_t rows, float factor, const OptimizerStep& step,
                const float* slopes) {
    const std::size_t at = panel * kActPanel;
    norm::backward(
        {z_panel(panel),
         dy_panel(panel),
         gates.data() + panel * layout.rows,
         rows,
         columns(panel),
         factor,
         step,
         {{gamma.first_at(at), beta.first_at(at)}, {gamma.second_at(at), beta.second_at(at)}},
         slopes});
  }
  /// Of an evaluation, in place.
  void apply(float* y, ActLayout of, std::size_t rows, bool linear) const {
    norm::apply({gamma.values.data(), beta.values.data(), running_mean.data(), running_var.data(),
                 y, of, rows, linear});
  }
};

/// Calls f(array) for each vector of a layer as the state_dict orders them: the bias, or of a
/// normalised layer factor, shift and, of the values, running mean and variance.
template <class Layer, class F>
void each_vector(Layer& layer, Moment moment, const F& f) {
  if (layer.norm == nullptr) return f(array_of(layer.bias, moment));
  f(array_of(layer.norm->gamma, moment));
  f(array_of(layer.norm->beta, moment));
  if (moment != Moment::kValue) return;
  f(layer.norm->running_mean);
  f(layer.norm->running_var);
}

/// The matrix of a layer's weights, or of their moments.
template <class Layer>
auto& matrix_of(Layer& layer, Moment moment) {
  if (moment == Moment::kFirst) return layer.momentum;
  return moment == Moment::kSecond ? layer.second : layer.weights;
}

template <class Layers>
void make_moments(Layers& layers, bool two) {
  for (auto& layer : layers) {
    layer.momentum = AlignedArray<float>(layer.weights.size());
    if (two) layer.second = AlignedArray<float>(layer.weights.size());
    layer.bias.make_moments(two);
    if (layer.norm == nullptr) continue;
    layer.norm->gamma.make_moments(two);
    layer.norm->beta.make_moments(two);
  }
}

}  // namespace millrace::cpu
