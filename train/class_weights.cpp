#include "train/class_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <stdexcept>

#include "formats/class_sizes.h"

namespace millrace {
namespace {

[[noreturn]] void refuse(const std::string& expected, const std::string& found) {
  throw std::invalid_argument("--class-weights: expected " + expected + ", found " + found);
}

}  // namespace

std::vector<float> balanced_weights(std::span<const std::uint64_t> class_sizes) {
  const auto all = static_cast<double>(
      std::accumulate(class_sizes.begin(), class_sizes.end(), std::uint64_t{0}));
  const auto present = static_cast<double>(
      std::ranges::count_if(class_sizes, [](std::uint64_t size) { return size > 0; }));
  std::vector<float> weights;
  for (const std::uint64_t size : class_sizes) {
    weights.push_back(size == 0 ? 1.0F
                                : static_cast<float>(all / (present * static_cast<double>(size))));
  }
  return weights;
}

std::vector<float> resolve(const ClassWeights& weights, const Dataset& train) {
  if (!weights.balanced && weights.values.empty()) return {};
  const auto sizes = class_sizes(train);
  if (weights.balanced) {
    if (sizes.empty()) refuse("data whose labels are at hand to balance", train.name());
    return balanced_weights(sizes);
  }
  const auto& values = weights.values;
  if (values.size() != train.classes()) {
    refuse(fmt::format("{} numbers, one for each class of {}", train.classes(), train.name()),
           std::to_string(values.size()));
  }
  bool any = sizes.empty();
  for (std::size_t c = 0; c < values.size(); ++c) {
    if (!std::isfinite(values[c]) || values[c] < 0.0F) {
      refuse("finite numbers of at least 0", fmt::format("{}", values[c]));
    }
    any = any || (values[c] > 0.0F && sizes[c] > 0);
  }
  if (!any) refuse("a class with samples that weighs more than 0", "none");
  return values;
}

std::string describe_class_weights(std::span<const float> weights) {
  constexpr std::size_t kShown = 8;
  if (weights.empty()) return "none";
  const auto shown = weights.first(std::min(kShown, weights.size()));
  return fmt::format("{}{}", fmt::join(shown, ","), weights.size() > kShown ? ",…" : "");
}

}  // namespace millrace
