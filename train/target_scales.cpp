#include "train/target_scales.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <stdexcept>

#include "formats/error.h"

namespace millrace {
namespace {

// Calls look(target, value) for all targets of all samples, one sample after the other.
template <typename Look>
void for_each_target(const Dataset& data, const Subset& subset, const Look& look) {
  const std::span<const std::int32_t> labels = data.labels();
  if (labels.empty()) {
    throw std::invalid_argument(data.name() + ": expected data whose targets are at hand");
  }
  const std::size_t targets = data.targets();
  std::array<std::uint64_t, 1024> block{};
  for (std::uint64_t first = 0; first < subset.size(); first += block.size()) {
    const auto ids = std::span(block).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), subset.size() - first)));
    std::iota(ids.begin(), ids.end(), first);
    subset.map(ids, ids);
    for (const std::uint64_t id : ids) {
      const auto words = labels.subspan(id * targets, targets);
      for (std::size_t t = 0; t < targets; ++t) look(t, double{target_of(words[t])});
    }
  }
}

struct Moments {
  std::vector<double> means;
  std::vector<double> variances;
};

Moments moments_of(const Dataset& data, const Subset& subset) {
  const auto n = static_cast<double>(subset.size());
  Moments found{std::vector<double>(data.targets()), std::vector<double>(data.targets())};
  if (subset.size() == 0) return found;
  for_each_target(data, subset, [&](std::size_t t, double value) { found.means[t] += value; });
  for (double& mean : found.means) mean /= n;
  for_each_target(data, subset, [&](std::size_t t, double value) {
    const double away = value - found.means[t];
    found.variances[t] += away * away;
  });
  for (double& variance : found.variances) variance /= n;
  return found;
}

}  // namespace

std::vector<TargetScale> fit_target_scales(const Dataset& data, const Subset& subset) {
  const Moments found = moments_of(data, subset);
  std::vector<TargetScale> scales;
  for (std::size_t t = 0; t < found.means.size(); ++t) {
    const double deviation = std::sqrt(found.variances[t]);
    TargetScale scale{static_cast<float>(found.means[t]), static_cast<float>(deviation)};
    if (!std::isfinite(scale.mean) || !std::isfinite(scale.deviation)) {
      throw DataError(
          data.name(), std::nullopt,
          "numbers as target " + std::to_string(t) + " whose deviation is finite as float32",
          std::to_string(deviation));
    }
    if (!(scale.deviation > 0.0F)) scale.deviation = 1.0F;
    scales.push_back(scale);
  }
  return scales;
}

std::vector<TargetScale> target_scales(const RunSpec& spec, const RunPlan& plan,
                                       const Dataset& train, const FoundCheckpoint* found,
                                       const std::function<void(const std::string&)>& notice) {
  if (!plan.model.regression()) return {};
  const std::size_t targets = plan.model.classes;
  if (found != nullptr) {
    const auto& kept = found->checkpoint.state.options.target_scales;
    // Whether the checkpoint is one of this run is looked at later.
    if (spec.standardize_targets && kept.size() == targets) return kept;
  } else if (!spec.init.empty()) {
    const auto file = checkpoint_meant(spec.init);
    if (auto kept = load_target_scales(file, targets); !kept.empty()) {
      if (!spec.standardize_targets) {
        throw DataError(
            file, "was trained on standardised targets: expected --standardize-targets on with it");
      }
      notice("targets are standardised as those of " + file.string() + " were");
      return kept;
    }
  }
  if (!spec.standardize_targets) return {};
  return fit_target_scales(train, plan.split.train);
}

double target_spread(const Dataset& data, const Subset& subset,
                     std::span<const TargetScale> scales) {
  const Moments found = moments_of(data, subset);
  double spread = 0.0;
  for (std::size_t t = 0; t < found.variances.size(); ++t) {
    const double deviation = scales.empty() ? 1.0 : double{scales[t].deviation};
    spread += found.variances[t] / (deviation * deviation);
  }
  return spread / static_cast<double>(std::max<std::size_t>(1, found.variances.size()));
}

double r2(double mean_squared_error, double spread) noexcept {
  if (spread > 0.0) return 1.0 - mean_squared_error / spread;
  return mean_squared_error == 0.0 ? 1.0 : 0.0;
}

}  // namespace millrace
