#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/cpu/aligned_array.h"
#include "compute/cpu/f32_kernels.h"
#include "compute/cpu/layout.h"
#include "compute/cpu/norm.h"

namespace millrace::cpu {

/// A parameter itself, or what the optimizer keeps beside it.
enum class Moment : std::uint8_t { kValue, kFirst, kSecond, kAverage };

template <class Vector>
auto& array_of(Vector& vector, Moment moment) {
  if (moment == Moment::kFirst) return vector.first;
  if (moment == Moment::kAverage) return vector.average;
  return moment == Moment::kSecond ? vector.second : vector.values;
}

/// A vector of parameters with its optimizer state, padded with zeros to a multiple of 32.
struct ParameterVector {
  AlignedArray<float> values;
  AlignedArray<float> first;     ///< momentum or Adam's first moment; empty without
  AlignedArray<float> second;    ///< Adam's second moment; empty without
  AlignedArray<float> average;   ///< empty without
  AlignedArray<float> gradient;  ///< of a step that keeps gradients; empty without

  explicit ParameterVector(std::size_t size = 0) : values(round_up(size, kActPanel)) {}
  void make_moments(bool two) {
    first = AlignedArray<float>(values.size());
    if (two) second = AlignedArray<float>(values.size());
  }
  float* first_at(std::size_t i) { return first.empty() ? nullptr : first.data() + i; }
  float* second_at(std::size_t i) { return second.empty() ? nullptr : second.data() + i; }
  float* gradient_at(std::size_t i) { return gradient.empty() ? nullptr : gradient.data() + i; }
};

/// A hidden layer's batch normalisation: its parameters, and what its backward pass needs of the
/// batch.
struct NormLayer {
  ParameterVector gamma, beta;
  AlignedArray<float> running_mean, running_var, inverse;
  AlignedArray<float> mean_average, var_average;  ///< of the running statistics; empty without
  AlignedArray<float> z;                          ///< activations [batch, width]: the layer's sums
  AlignedArray<float> dy;                         ///< activations [batch, width]: gradients
  AlignedArray<std::uint32_t> gates;              ///< [panels][batch]
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
  /// `first`: the row of the step's batch that dropout takes the first for.
  void forward(std::size_t panel, std::size_t first, std::size_t rows, const norm::Dropout& dropout,
               bool linear, float* y) {
    norm::forward({z_panel(panel), y, gates.data() + panel * layout.rows, rows, panel,
                   columns(panel), dropout, linear, first});
  }
  /// dy_panel() from the gradient of the outputs to that of the sums. `slopes`: the activation's,
  /// of the panel; null for a ReLU. Where gradients are kept, gamma and beta take no step; `add`:
  /// to what is there.
  void backward(std::size_t panel, std::size_t rows, float factor, const OptimizerStep& step,
                const float* slopes, bool add) {
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
         slopes,
         {gamma.gradient_at(at), beta.gradient_at(at)},
         add});
  }
  /// Of an evaluation, in place; by the averages where there are any.
  void apply(float* y, ActLayout of, std::size_t rows, bool linear) const {
    const bool averaged = !gamma.average.empty();
    const auto pick = [&](const AlignedArray<float>& average, const AlignedArray<float>& value) {
      return averaged ? average.data() : value.data();
    };
    norm::apply({pick(gamma.average, gamma.values), pick(beta.average, beta.values),
                 pick(mean_average, running_mean), pick(var_average, running_var), y, of, rows,
                 linear});
  }
};

/// Calls f(vector) for each trained vector of a layer: its bias, or its norm's factor and shift.
template <class Layer, class F>
void each_trained(Layer& layer, const F& f) {
  if (layer.norm == nullptr) return f(layer.bias);
  f(layer.norm->gamma);
  f(layer.norm->beta);
}

/// Calls f(array) for each vector of a layer as the state_dict orders them: the bias, or of a
/// normalised layer factor, shift and, of the values, running mean and variance.
template <class Layer, class F>
void each_vector(Layer& layer, Moment moment, const F& f) {
  if (layer.norm == nullptr) return f(array_of(layer.bias, moment));
  f(array_of(layer.norm->gamma, moment));
  f(array_of(layer.norm->beta, moment));
  if (moment == Moment::kValue) {
    f(layer.norm->running_mean);
    f(layer.norm->running_var);
  } else if (moment == Moment::kAverage) {
    f(layer.norm->mean_average);
    f(layer.norm->var_average);
  }
}

/// The matrix of a layer's weights, or of their moments.
template <class Layer>
auto& matrix_of(Layer& layer, Moment moment) {
  if (moment == Moment::kFirst) return layer.momentum;
  if (moment == Moment::kAverage) return layer.average;
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

template <class Layers>
void make_averages(Layers& layers) {
  for (auto& layer : layers) {
    layer.average = AlignedArray<float>(layer.weights.size());
    each_trained(layer, [](ParameterVector& vector) {
      vector.average = AlignedArray<float>(vector.values.size());
    });
    if (layer.norm == nullptr) continue;
    layer.norm->mean_average = AlignedArray<float>(layer.norm->running_mean.size());
    layer.norm->var_average = AlignedArray<float>(layer.norm->running_var.size());
  }
}

/// Room for the gradients of all parameters.
template <class Layers>
void make_gradients(Layers& layers) {
  for (auto& layer : layers) {
    layer.gradients = AlignedArray<float>(layer.weights.size());
    each_trained(layer, [](ParameterVector& vector) {
      vector.gradient = AlignedArray<float>(vector.values.size());
    });
  }
}

/// The update of columns [begin, end) of a layer's vectors from their gradients.
template <class Layer>
void step_vectors(Layer& layer, std::size_t begin, std::size_t end, const OptimizerStep& step,
                  float factor) {
  each_trained(layer, [&](ParameterVector& vector) {
    f32::step({vector.gradient.data() + begin, factor, step, vector.values.data() + begin,
               vector.first_at(begin), vector.second_at(begin), end - begin});
  });
}

/// Columns [begin, end) of all averages of a layer's vectors move towards them.
template <class Layer>
void average_vectors(Layer& layer, std::size_t begin, std::size_t end, float share) {
  const auto move = [&](AlignedArray<float>& average, const AlignedArray<float>& values) {
    f32::average(average.data() + begin, values.data() + begin, end - begin, share);
  };
  each_trained(layer, [&](ParameterVector& vector) { move(vector.average, vector.values); });
  if (layer.norm == nullptr) return;
  move(layer.norm->mean_average, layer.norm->running_mean);
  move(layer.norm->var_average, layer.norm->running_var);
}

/// The sum of the squares of the gradients of columns [begin, end) of a layer's vectors.
template <class Layer>
double vector_squares(Layer& layer, std::size_t begin, std::size_t end) {
  double sum = 0.0;
  each_trained(layer, [&](const ParameterVector& vector) {
    sum += f32::squares(vector.gradient.data() + begin, end - begin);
  });
  return sum;
}

}  // namespace millrace::cpu
