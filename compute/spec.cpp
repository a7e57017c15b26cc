#include "compute/spec.h"

namespace millrace {

std::vector<std::uint32_t> MlpSpec::widths() const {
  std::vector<std::uint32_t> all{features};
  all.insert(all.end(), hidden.begin(), hidden.end());
  all.push_back(classes);
  return all;
}

std::uint64_t MlpSpec::parameter_count() const {
  const auto all = widths();
  std::uint64_t count = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    // A bias, or a normalisation's factor and shift in its place.
    const bool normed = batch_norm && i + 1 < all.size();
    count += (std::uint64_t{all[i - 1]} + (normed ? 2 : 1)) * all[i];
  }
  return count;
}

std::uint64_t MlpSpec::train_flops_per_sample() const {
  const auto all = widths();
  std::uint64_t flops = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    const std::uint64_t product = 2 * std::uint64_t{all[i - 1]} * all[i];
    flops += product * (i == 1 ? 2 : 3);
  }
  return flops;
}

const char* name_of(Activation activation) noexcept {
  switch (activation) {
    case Activation::kGelu:
      return "gelu";
    case Activation::kTanh:
      return "tanh";
    case Activation::kSigmoid:
      return "sigmoid";
    case Activation::kLeakyRelu:
      return "leaky-relu";
    case Activation::kRelu:
      break;
  }
  return "relu";
}

std::optional<Activation> activation_called(std::string_view name) noexcept {
  for (const Activation activation : {Activation::kRelu, Activation::kGelu, Activation::kTanh,
                                      Activation::kSigmoid, Activation::kLeakyRelu}) {
    if (name == name_of(activation)) return activation;
  }
  return std::nullopt;
}

const char* name_of(Loss loss) noexcept {
  switch (loss) {
    case Loss::kSquaredError:
      return "mse";
    case Loss::kAbsoluteError:
      return "mae";
    case Loss::kHuber:
      return "huber";
    case Loss::kBinaryCrossEntropy:
      return "bce";
    case Loss::kCrossEntropy:
      break;
  }
  return "cross-entropy";
}

std::optional<Loss> loss_called(std::string_view name) noexcept {
  for (const Loss loss : {Loss::kCrossEntropy, Loss::kSquaredError, Loss::kAbsoluteError,
                          Loss::kHuber, Loss::kBinaryCrossEntropy}) {
    if (name == name_of(loss)) return loss;
  }
  return std::nullopt;
}

const char* name_of(Initializer initializer) noexcept {
  switch (initializer) {
    case Initializer::kHe:
      return "he";
    case Initializer::kXavier:
      return "xavier";
    case Initializer::kPyTorch:
      break;
  }
  return "pytorch";
}

std::optional<Initializer> initializer_called(std::string_view name) noexcept {
  for (const auto initializer : {Initializer::kPyTorch, Initializer::kHe, Initializer::kXavier}) {
    if (name == name_of(initializer)) return initializer;
  }
  return std::nullopt;
}

const char* name_of(Precision precision) noexcept {
  switch (precision) {
    case Precision::kTf32:
      return "tf32";
    case Precision::kBFloat16:
      return "bf16";
    case Precision::kFloat32:
      break;
  }
  return "fp32";
}

std::optional<Precision> precision_called(std::string_view name) noexcept {
  for (const auto precision : {Precision::kFloat32, Precision::kTf32, Precision::kBFloat16}) {
    if (name == name_of(precision)) return precision;
  }
  return std::nullopt;
}

const char* name_of(OptimizerSpec::Kind kind) noexcept {
  switch (kind) {
    case OptimizerSpec::Kind::kNesterov:
      return "nesterov";
    case OptimizerSpec::Kind::kAdam:
      return "adam";
    case OptimizerSpec::Kind::kAdamW:
      return "adamw";
    case OptimizerSpec::Kind::kSgd:
      break;
  }
  return "sgd";
}

std::optional<OptimizerSpec::Kind> optimizer_called(std::string_view name) noexcept {
  using Kind = OptimizerSpec::Kind;
  for (const Kind kind : {Kind::kSgd, Kind::kNesterov, Kind::kAdam, Kind::kAdamW}) {
    if (name == name_of(kind)) return kind;
  }
  return std::nullopt;
}

}  // namespace millrace
