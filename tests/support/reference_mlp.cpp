#include "tests/support/reference_mlp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

namespace millrace::test {

double activated(Activation activation, double z) {
  switch (activation) {
    case Activation::kGelu:
      return z * std::erfc(-z / std::numbers::sqrt2) / 2.0;
    case Activation::kTanh:
      return std::tanh(z);
    case Activation::kSigmoid:
      return 1.0 / (1.0 + std::exp(-z));
    case Activation::kLeakyRelu:
      return z > 0.0 ? z : double{kLeakySlope} * z;
    case Activation::kRelu:
      break;
  }
  return z < 0.0 ? 0.0 : z;
}

double activation_slope(Activation activation, double z) {
  switch (activation) {
    case Activation::kGelu:
      return std::erfc(-z / std::numbers::sqrt2) / 2.0 +
             z * std::exp(-z * z / 2.0) / std::sqrt(2.0 * std::numbers::pi);
    case Activation::kTanh:
      return 1.0 - std::tanh(z) * std::tanh(z);
    case Activation::kSigmoid:
      return activated(activation, z) * activated(activation, -z);
    case Activation::kLeakyRelu:
      return z > 0.0 ? 1.0 : double{kLeakySlope};
    case Activation::kRelu:
      break;
  }
  return z > 0.0 ? 1.0 : 0.0;
}

ReferenceMlp::ReferenceMlp(const Parameters& initial, double margin, Activation activation)
    : margin_(margin), activation_(activation) {
  widths_.push_back(initial.at(0).shape.at(1));
  for (const Tensor& tensor : initial) {
    parameters_.emplace_back(tensor.values.begin(), tensor.values.end());
    gradients_.emplace_back(tensor.values.size());
    if (tensor.shape.size() == 2) widths_.push_back(tensor.shape[0]);
  }
  momentum_ = gradients_;
}

ReferenceMlp::ReferenceMlp(const Parameters& initial, const MlpSpec& model, double margin)
    : ReferenceMlp(initial, margin, model.activation) {
  loss_ = model.loss;
  scales_ = model.target_scales;
}

ReferenceMlp::Activations ReferenceMlp::activations(std::span<const double> sample,
                                                    Activations* sums) const {
  Activations all{{sample.begin(), sample.end()}};
  const std::size_t layers = widths_.size() - 1;
  for (std::size_t l = 0; l < layers; ++l) {
    const auto& weight = parameters_[2 * l];
    const auto& bias = parameters_[2 * l + 1];
    std::vector<double> out(widths_[l + 1]);
    for (std::size_t o = 0; o < out.size(); ++o) {
      double sum = bias[o];
      for (std::size_t i = 0; i < widths_[l]; ++i) sum += weight[o * widths_[l] + i] * all[l][i];
      out[o] = sum;
    }
    if (sums != nullptr) sums->push_back(out);
    if (l + 1 < layers) {
      for (double& z : out) z = activated(activation_, z);
    }
    all.push_back(std::move(out));
  }
  return all;
}

std::vector<double> ReferenceMlp::outputs(std::span<const double> sample) const {
  return activations(sample).back();
}

std::vector<double> ReferenceMlp::judge(const std::vector<double>& outputs,
                                        std::span<const std::int32_t> labels, std::size_t row,
                                        Result& result) const {
  const auto words = labels.subspan(row * label_words(), label_words());
  return loss_ == Loss::kCrossEntropy
             ? judge_class(outputs, static_cast<std::size_t>(words[0]), result)
             : judge_targets(outputs, words, result);
}

std::vector<double> ReferenceMlp::judge_targets(const std::vector<double>& outputs,
                                                std::span<const std::int32_t> words,
                                                Result& result) const {
  const auto count = static_cast<double>(outputs.size());
  std::vector<double> gradient(outputs.size());
  for (std::size_t t = 0; t < outputs.size(); ++t) {
    double target = std::bit_cast<float>(words[t]);
    if (loss_ == Loss::kBinaryCrossEntropy) {
      const double yes = 1.0 / (1.0 + std::exp(-outputs[t]));
      result.loss_sum += (std::log1p(std::exp(-std::abs(outputs[t]))) + std::max(outputs[t], 0.0) -
                          outputs[t] * target) /
                         count;
      result.squared_error_sum += std::abs((outputs[t] >= 0.0 ? 1.0 : 0.0) - target);
      if (std::abs(outputs[t]) < margin_) ++result.close;
      gradient[t] = (yes - target) / count;
      continue;
    }
    if (!scales_.empty()) {
      target = (target - double{scales_[t].mean}) / double{scales_[t].deviation};
    }
    const double e = outputs[t] - target;
    const double sign = e > 0.0 ? 1.0 : e < 0.0 ? -1.0 : 0.0;
    if (loss_ == Loss::kSquaredError) {
      result.loss_sum += e * e / count;
      gradient[t] = 2.0 * e / count;
    } else if (loss_ == Loss::kHuber && std::abs(e) <= 1.0) {
      result.loss_sum += 0.5 * e * e / count;
      gradient[t] = e / count;
    } else {
      result.loss_sum += (std::abs(e) - (loss_ == Loss::kHuber ? 0.5 : 0.0)) / count;
      gradient[t] = sign / count;
    }
    result.squared_error_sum += e * e / count;
  }
  return gradient;
}

std::vector<double> ReferenceMlp::judge_class(const std::vector<double>& logits, std::size_t label,
                                              Result& result) const {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  double best_other = -std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < logits.size(); ++c) {
    sum += std::exp(logits[c] - largest);
    if (c != label) best_other = std::max(best_other, logits[c]);
  }
  result.loss_sum += std::log(sum) + largest - logits[label];
  if (logits[label] > best_other) ++result.correct;
  if (std::abs(logits[label] - best_other) < margin_) ++result.close;

  std::vector<double> gradient(logits.size());
  for (std::size_t c = 0; c < logits.size(); ++c) {
    gradient[c] = std::exp(logits[c] - largest) / sum - (c == label ? 1.0 : 0.0);
  }
  return gradient;
}

ReferenceMlp::Result ReferenceMlp::forward(std::span<const double> samples,
                                           std::span<const std::int32_t> labels) const {
  Result result;
  for (std::size_t r = 0; r < labels.size() / label_words(); ++r) {
    judge(outputs(samples.subspan(r * widths_[0], widths_[0])), labels, r, result);
  }
  return result;
}

ReferenceMlp::Result ReferenceMlp::backward(std::span<const double> samples,
                                            std::span<const std::int32_t> labels) {
  for (auto& tensor : gradients_) std::fill(tensor.begin(), tensor.end(), 0.0);
  Result result;
  const std::size_t rows = labels.size() / label_words();
  for (std::size_t r = 0; r < rows; ++r) {
    Activations sums;
    const auto all = activations(samples.subspan(r * widths_[0], widths_[0]), &sums);
    std::vector<double> delta = judge(all.back(), labels, r, result);
    for (double& d : delta) d /= static_cast<double>(rows);
    for (std::size_t l = widths_.size() - 1; l-- > 0;) {
      const auto& weight = parameters_[2 * l];
      const std::vector<double>& in = all[l];
      std::vector<double> below(in.size());
      for (std::size_t o = 0; o < delta.size(); ++o) {
        gradients_[2 * l + 1][o] += delta[o];
        for (std::size_t i = 0; i < in.size(); ++i) {
          gradients_[2 * l][o * in.size() + i] += delta[o] * in[i];
          below[i] += delta[o] * weight[o * in.size() + i];
        }
      }
      for (std::size_t i = 0; l > 0 && i < below.size(); ++i) {
        below[i] *= activation_slope(activation_, sums[l - 1][i]);
      }
      delta = std::move(below);
    }
  }
  return result;
}

ReferenceMlp::Result ReferenceMlp::step(std::span<const double> samples,
                                        std::span<const std::int32_t> labels,
                                        const OptimizerSpec& sgd) {
  const Result result = backward(samples, labels);
  for (std::size_t t = 0; t < parameters_.size(); ++t) {
    for (std::size_t i = 0; i < parameters_[t].size(); ++i) {
      double& w = parameters_[t][i];
      double& m = momentum_[t][i];
      m = double{sgd.momentum} * m + gradients_[t][i] + double{sgd.weight_decay} * w;
      w -= double{sgd.learning_rate} * m;
    }
  }
  return result;
}

double distance(std::span<const float> a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < b.size(); ++i) sum += std::pow(double{a[i]} - b[i], 2.0);
  return std::sqrt(sum);
}

void expect_near(const std::vector<Tensor>& found, const ReferenceMlp::Tensors& expected,
                 const std::vector<Tensor>* begin, double bound) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t t = 0; t < found.size(); ++t) {
    ASSERT_EQ(found[t].values.size(), expected[t].size());
    const double error = distance(found[t].values, expected[t]);
    const std::vector<float> zero(expected[t].size());
    const double change = distance(begin != nullptr ? (*begin)[t].values : zero, expected[t]);
    EXPECT_TRUE(error <= bound * change + 1e-9)
        << found[t].name << ": error " << error << " of " << change;
  }
}

}  // namespace millrace::test
