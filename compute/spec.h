#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compute/chunk.h"

namespace millrace {

/// Of matrix products: float32; float32 whose inputs keep 10 bits of the fraction, summed in
/// float32, as GPUs have it; bfloat16.
enum class Precision : std::uint8_t { kFloat32, kTf32, kBFloat16 };

/// "fp32", "tf32", "bf16".
const char* name_of(Precision precision) noexcept;
/// The precision of that name; nullopt if there is none.
std::optional<Precision> precision_called(std::string_view name) noexcept;

/// What a hidden layer does to its sums, by torch.nn's definitions and defaults: GELU by the error
/// function itself (approximate='none'), LeakyReLU with a slope of 0.01 below zero.
enum class Activation : std::uint8_t { kRelu, kGelu, kTanh, kSigmoid, kLeakyRelu };
inline constexpr float kLeakySlope = 0.01F;

/// "relu", "gelu", "tanh", "sigmoid", "leaky-relu".
const char* name_of(Activation activation) noexcept;
/// The activation of that name; nullopt if there is none.
std::optional<Activation> activation_called(std::string_view name) noexcept;

/// What training makes small. Of classes: softmax cross-entropy. Of numbers, by torch.nn's
/// definitions: MSELoss; L1Loss; HuberLoss with a delta of 1; and of numbers that are 0 or 1,
/// whether a sample has a label, BCEWithLogitsLoss. A sample's loss is then the mean over its
/// targets.
enum class Loss : std::uint8_t {
  kCrossEntropy,
  kSquaredError,
  kAbsoluteError,
  kHuber,
  kBinaryCrossEntropy
};

/// "cross-entropy", "mse", "mae", "huber", "bce".
const char* name_of(Loss loss) noexcept;
/// The loss of that name; nullopt if there is none.
std::optional<Loss> loss_called(std::string_view name) noexcept;

/// What a target is to the network: (target - mean) / deviation.
struct TargetScale {
  float mean = 0.0F;
  float deviation = 1.0F;  ///< above 0

  bool operator==(const TargetScale&) const = default;
};

/// A multilayer perceptron: Linear, [BatchNorm1d,] activation, [Dropout,] …, Linear with softmax
/// cross-entropy on top, or a loss of numbers. The network sees `input_scale * sample`.
struct MlpSpec {
  std::uint32_t features = 0;  ///< elements of one sample
  InputType input = InputType::kUInt8;
  float input_scale = 1.0F / 255.0F;  ///< 1/255 maps uint8 to [0, 1]
  std::vector<std::uint32_t> hidden;  ///< widths of the hidden layers, may be empty
  std::uint32_t classes = 0;  ///< outputs: a logit for each class, or a number for each target
  /// Each hidden layer's sums are normalised over the batch before the activation, as
  /// torch.nn.BatchNorm1d does it (momentum 0.1, epsilon 1e-5; Ioffe and Szegedy 2015), and its
  /// Linear has no bias, which the normalisation would take away again.
  bool batch_norm = false;
  /// Share of each hidden layer's outputs that a training step sets to zero, below 1; the others
  /// are divided by 1 - dropout (Srivastava et al. 2014).
  float dropout = 0.0F;
  Activation activation = Activation::kRelu;  ///< of the hidden layers
  Loss loss = Loss::kCrossEntropy;
  /// [classes], of a loss of numbers; empty: the network sees targets as they are. What the engine
  /// predicts is in the targets' own units, what it measures in those that the network sees.
  std::vector<TargetScale> target_scales = {};

  /// Labels are numbers, one for each output.
  bool has_targets() const noexcept { return loss != Loss::kCrossEntropy; }
  /// Each is 0 or 1, and its output a logit.
  bool multilabel() const noexcept { return loss == Loss::kBinaryCrossEntropy; }
  bool regression() const noexcept { return has_targets() && !multilabel(); }
  /// Of a label: a class, or the bits of `classes` float32.
  std::uint32_t label_words() const noexcept { return has_targets() ? classes : 1; }
  /// {features, hidden…, classes}
  std::vector<std::uint32_t> widths() const;
  /// Numbers that training changes.
  std::uint64_t parameter_count() const;
  /// Floating-point operations (a multiply-add is two) of one sample's matrix products: forward,
  /// weight gradients, and the activation gradients of all layers but the first.
  std::uint64_t train_flops_per_sample() const;
};

inline constexpr float kNormMomentum = 0.1F;
inline constexpr float kNormEpsilon = 1e-5F;

/// The optimizers of torch.optim by their definitions there.
///
/// kSgd: g = gradient + weight_decay * w;  m = momentum * m + g;  w -= learning_rate * m.
/// kNesterov: the same m;  w -= learning_rate * (g + momentum * m).
/// kAdam: m and v the averages of g and g² with beta1 and beta2, each divided by what its start at
/// zero took away;  w -= learning_rate * m / (sqrt(v) + epsilon)  (Kingma and Ba 2015).
/// kAdamW: the same with g = gradient, and first  w *= 1 - learning_rate * weight_decay
/// (Loshchilov and Hutter 2019).
struct OptimizerSpec {
  enum class Kind : std::uint8_t { kSgd, kNesterov, kAdam, kAdamW };

  float learning_rate = 0.1F;
  float momentum = 0.0F;  ///< of kSgd and kNesterov
  float weight_decay = 0.0F;
  Kind kind = Kind::kSgd;
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float epsilon = 1e-8F;
  /// A gradient whose norm over all parameters is larger is scaled down to it, as
  /// torch.nn.utils.clip_grad_norm_ does it; 0: none is.
  float clip_norm = 0.0F;
  /// Decay of an exponential moving average of all parameters, running statistics too; below 1; 0:
  /// there is none. It begins with the first weights, and after step t
  /// average = d * average + (1 - d) * parameter  with  d = min(ema, (1 + t) / (10 + t)),
  /// which soon forgets them (tf.train.ExponentialMovingAverage with num_updates).
  float ema = 0.0F;

  bool adaptive() const noexcept { return kind == Kind::kAdam || kind == Kind::kAdamW; }
};

/// "sgd", "nesterov", "adam", "adamw".
const char* name_of(OptimizerSpec::Kind kind) noexcept;
/// The optimizer of that name; nullopt if there is none.
std::optional<OptimizerSpec::Kind> optimizer_called(std::string_view name) noexcept;

/// What the first weights are, each a function of the seed: uniform in ±bound. kPyTorch: the bound
/// is 1/sqrt(inputs), of biases too, as torch.nn.Linear has them. kHe: sqrt(6 / inputs), biases 0
/// (torch.nn.init.kaiming_uniform_ for a ReLU; He et al. 2015). kXavier: sqrt(6 / (inputs +
/// outputs)), biases 0 (xavier_uniform_; Glorot and Bengio 2010).
enum class Initializer : std::uint8_t { kPyTorch, kHe, kXavier };

/// "pytorch", "he", "xavier".
const char* name_of(Initializer initializer) noexcept;
/// The initializer of that name; nullopt if there is none.
std::optional<Initializer> initializer_called(std::string_view name) noexcept;

struct TrainSpec {
  std::uint32_t batch = 128;  ///< the largest batch that train() will see
  OptimizerSpec optimizer;
  Precision precision = Precision::kFloat32;
  std::uint64_t seed = 0;  ///< of the initial parameters and of dropout
  /// Share of the target's weight that goes to all classes alike; of training alone (Szegedy et al.
  /// 2016, as torch.nn.CrossEntropyLoss has it).
  float label_smoothing = 0.0F;
  Initializer initializer = Initializer::kPyTorch;
  /// Rows that go through the network at once. A step whose batch has more adds up the gradients of
  /// its parts: that of the mean loss of all its samples; normalisation is by part. 0: all.
  std::uint32_t micro_batch = 0;
  /// By what the loss of each sample of a class is multiplied in training, and so its gradient:
  /// [classes], finite and at least 0; empty: by 1. A step's gradient is divided by its samples
  /// (as with Keras' class_weight), not by their weights (as torch.nn.CrossEntropyLoss has it).
  std::vector<float> class_weights = {};

  std::uint32_t rows_at_once() const noexcept {
    return micro_batch == 0 || micro_batch > batch ? batch : micro_batch;
  }
};

/// Where an engine runs.
struct Device {
  enum class Kind : std::uint8_t { kAuto, kCpu, kCuda };
  Kind kind = Kind::kAuto;
  int index = 0;  ///< of the GPU
  std::uint32_t threads =
      0;  ///< of the CPU engine; 0: as many of the available cores as are fastest
  std::uint32_t most_threads = 0;  ///< of those that are chosen by speed; 0: all available cores
};

}  // namespace millrace
