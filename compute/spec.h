#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compute/chunk.h"

namespace millrace {

enum class Precision : std::uint8_t { kFloat32, kBFloat16 };

/// A multilayer perceptron: Linear, ReLU, …, Linear with softmax cross-entropy on top. The network
/// sees `input_scale * sample`.
struct MlpSpec {
  std::uint32_t features = 0;  ///< elements of one sample
  InputType input = InputType::kUInt8;
  float input_scale = 1.0F / 255.0F;  ///< 1/255 maps uint8 to [0, 1]
  std::vector<std::uint32_t> hidden;  ///< widths of the hidden layers, may be empty
  std::uint32_t classes = 0;

  /// {features, hidden…, classes}
  std::vector<std::uint32_t> widths() const;
  std::uint64_t parameter_count() const;
  /// Floating-point operations (a multiply-add is two) of one sample's matrix products: forward,
  /// weight gradients, and the activation gradients of all layers but the first.
  std::uint64_t train_flops_per_sample() const;
};

/// Stochastic gradient descent as torch.optim.SGD defines it:
///     g = gradient + weight_decay * w;  m = momentum * m + g;  w -= learning_rate * m
struct SgdSpec {
  float learning_rate = 0.1F;
  float momentum = 0.0F;
  float weight_decay = 0.0F;
};

struct TrainSpec {
  std::uint32_t batch = 128;  ///< the largest batch that train() will see
  SgdSpec sgd;
  Precision precision = Precision::kFloat32;
  std::uint64_t seed = 0;  ///< of the initial parameters
};

/// Where an engine runs.
struct Device {
  enum class Kind : std::uint8_t { kAuto, kCpu, kCuda };
  Kind kind = Kind::kAuto;
  int index = 0;              ///< of the GPU
  std::uint32_t threads = 0;  ///< of the CPU engine; 0: the cores this process may use
};

}  // namespace millrace
