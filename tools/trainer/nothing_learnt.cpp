#include "tools/trainer/nothing_learnt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "formats/convert.h"
#include "formats/error.h"
#include "train/class_weights.h"
#include "train/sample_labels.h"

namespace millrace {
namespace {

// Of the loss of guessing, which one that is lost moves round.
constexpr double kHardlyBetter = 0.95;
// Networks of standard initial weights want values of about this size.
constexpr double kLargestUsual = 4.0;

// What may help, behind what was found.
std::string with_advice(const std::string& found, const RunSpec& spec, const Dataset& train) {
  auto text = fmt::format("hardly anything was learnt: {}; another --lr than {:g} may help", found,
                          spec.optimizer.learning_rate);
  if (const auto large = large_values_text(spec, train); !large.empty()) text += ", and " + large;
  return text;
}

// That hardly anything was learnt of targets, where R² says it.
std::string no_numbers_learnt_text(const RunSpec& spec, const EpochResult& last,
                                   const Dataset& train) {
  constexpr double kHardlyAny = 1.0 - kHardlyBetter;
  if (!last.train_r2 || *last.train_r2 > kHardlyAny) return {};
  if (last.val_r2 && *last.val_r2 > kHardlyAny) return {};
  return with_advice(
      fmt::format("train_r2 is {:.4g}, and 0 where the mean is predicted of each sample",
                  *last.train_r2),
      spec, train);
}

// And of labels, where most may be right without any having been learnt.
std::string no_labels_learnt_text(const RunSpec& spec, const EpochResult& last,
                                  const Dataset& train) {
  const double guessing = guessing_loss_of_labels(label_shares(train));
  if (guessing == 0.0 || last.train_loss < kHardlyBetter * guessing) return {};
  if (last.val_loss && *last.val_loss < kHardlyBetter * guessing) return {};
  return with_advice(
      fmt::format("train_loss is {:.4f}, and {:.4f} where each label is given as often as it comes",
                  last.train_loss, guessing),
      spec, train);
}

}  // namespace

std::optional<double> guessing_loss(std::span<const std::uint64_t> class_sizes, double smoothing,
                                    std::span<const float> class_weights) {
  double samples = 0.0;
  double all = 0.0;  // that they weigh
  std::vector<double> weights;
  for (std::size_t c = 0; c < class_sizes.size(); ++c) {
    const auto size = static_cast<double>(class_sizes[c]);
    samples += size;
    weights.push_back(class_weights.empty() ? size : size * double{class_weights[c]});
    all += weights.back();
  }
  if (std::ranges::count_if(weights, [](double w) { return w > 0.0; }) < 2) return std::nullopt;
  double loss = 0.0;
  for (const double weight : weights) {
    const double share =
        (1.0 - smoothing) * weight / all + smoothing / static_cast<double>(class_sizes.size());
    if (share > 0.0) loss -= share * std::log(share);
  }
  return loss * (all / samples);
}

double largest_value(const Dataset& data) {
  constexpr std::uint64_t kMostSamples = 256;
  const auto samples = std::min(data.size(), kMostSamples);
  std::vector<std::byte> bytes(data.sample_bytes());
  std::vector<float> values(data.shape().elements());
  std::vector<std::int32_t> label(data.label_words());
  double largest = 0.0;
  for (std::uint64_t i = 0; i < samples; ++i) {
    const std::uint64_t id = i * (data.size() / samples);
    try {
      data.read({&id, 1}, bytes, label);
    } catch (const DataError&) {
      return 0.0;  // told by the run itself
    }
    to_float32(data.dtype(), bytes, values);
    for (const float value : values) largest = std::max(largest, std::abs(double{value}));
  }
  return largest;
}

std::string large_values_text(const RunSpec& spec, const Dataset& data) {
  // Bytes of images are divided by 255.
  if (spec.standardize || data.dtype() == DType::kUInt8) return {};
  const double largest = largest_value(data);
  if (largest <= kLargestUsual) return {};
  return fmt::format("--standardize on: values reach {:g} and are taken as they are", largest);
}

std::string nothing_learnt_text(const RunSpec& spec, const RunResult& result, const Dataset& train,
                                std::span<const std::uint64_t> class_sizes) {
  if (result.history.size() < 2) return {};
  const auto& last = result.history.back();
  if (spec.loss == Loss::kBinaryCrossEntropy) return no_labels_learnt_text(spec, last, train);
  if (train.task() == Task::kRegression) return no_numbers_learnt_text(spec, last, train);
  const auto weights = resolve(spec.class_weights, train);
  const auto guessing = guessing_loss(class_sizes, spec.label_smoothing, weights);
  if (!guessing || last.train_loss < kHardlyBetter * *guessing) return {};
  if (last.val_loss && *last.val_loss < kHardlyBetter * *guessing_loss(class_sizes, 0.0)) return {};
  return with_advice(
      fmt::format(
          "train_loss is {:.4f}, and {:.4f} where each class is guessed as often as it comes{}",
          last.train_loss, *guessing, weights.empty() ? "" : " and weighs"),
      spec, train);
}

}  // namespace millrace
