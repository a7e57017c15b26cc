#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compute/engine.h"
#include "compute/spec.h"

namespace millrace::test {

/// An activation and its derivative, by its definition in double precision.
double activated(Activation activation, double z);
double activation_slope(Activation activation, double z);

/// What an engine must compute, in double precision and loops that say it: Linear, activation, …,
/// Linear, the mean softmax cross-entropy of a batch or its mean loss of numbers, and stochastic
/// gradient descent as torch.optim.SGD documents it.
class ReferenceMlp {
 public:
  struct Result {
    double loss_sum = 0.0;
    double squared_error_sum = 0.0;  ///< of a loss of numbers
    std::uint64_t correct = 0;
    std::uint64_t close =
        0;  ///< samples whose label leads, or trails, the best other class by less than `margin`;
            ///< of binary cross-entropy labels whose logit is nearer than that to 0
    /// By how much a sum of squared errors may be off for those.
    double squared_error_margin(const MlpSpec& model) const {
      return model.multilabel() ? static_cast<double>(close) : 0.0;
    }
  };

  /// `initial` in state_dict order, as Engine::parameters() gives it.
  explicit ReferenceMlp(const Parameters& initial, double margin = 0.0,
                        Activation activation = Activation::kRelu);
  /// The model's activation and loss.
  ReferenceMlp(const Parameters& initial, const MlpSpec& model, double margin = 0.0);

  /// samples: [rows, features], already scaled; labels: [rows, label words].
  Result forward(std::span<const double> samples, std::span<const std::int32_t> labels) const;
  /// Also leaves the gradients of the batch's mean loss in gradients().
  Result backward(std::span<const double> samples, std::span<const std::int32_t> labels);
  Result step(std::span<const double> samples, std::span<const std::int32_t> labels,
              const OptimizerSpec& sgd);

  /// What the last layer says of one sample, [features]: logits, or targets as the network sees
  /// them.
  std::vector<double> outputs(std::span<const double> sample) const;

  /// One flat tensor each, in state_dict order: weights [out, in], biases [out].
  using Tensors = std::vector<std::vector<double>>;
  Tensors& parameters() { return parameters_; }
  const Tensors& gradients() const { return gradients_; }
  const Tensors& momentum() const { return momentum_; }

 private:
  using Activations =
      std::vector<std::vector<double>>;  // of one sample: the input, then each layer's output
  // `sums`: where the layers' outputs before the activation go; or null.
  Activations activations(std::span<const double> sample, Activations* sums = nullptr) const;
  // Add one sample, the row-th; return the gradient of its loss with respect to the outputs.
  std::vector<double> judge(const std::vector<double>& outputs,
                            std::span<const std::int32_t> labels, std::size_t row,
                            Result& result) const;
  std::vector<double> judge_class(const std::vector<double>& logits, std::size_t label,
                                  Result& result) const;
  std::vector<double> judge_targets(const std::vector<double>& outputs,
                                    std::span<const std::int32_t> words, Result& result) const;
  std::size_t label_words() const { return loss_ == Loss::kCrossEntropy ? 1 : widths_.back(); }

  double margin_;
  Activation activation_;
  Loss loss_ = Loss::kCrossEntropy;
  std::vector<TargetScale> scales_;
  std::vector<std::size_t> widths_;
  Tensors parameters_;
  Tensors gradients_;
  Tensors momentum_;
};

/// Euclidean, of the values of two tensors.
double distance(std::span<const float> a, std::span<const double> b);

/// The error of each tensor against how far it came from where it began (null: from zero). What is
/// not finite fails too.
void expect_near(const std::vector<Tensor>& found, const ReferenceMlp::Tensors& expected,
                 const std::vector<Tensor>* begin, double bound);

}  // namespace millrace::test
