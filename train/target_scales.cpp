#include "train/target_scales.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "formats/error.h"
#include "formats/in_quotes.h"

namespace millrace {
namespace {

// Calls look(target, value) for all targets of all samples, one sample after the other.
// Samples that are left out are passed over.
template <typename Look>
void for_each_target(const Dataset& data, const Subset& subset,
                     const std::set<std::uint64_t>& left_out, const Look& look) {
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
      if (!left_out.empty() && left_out.contains(id)) continue;
      const auto words = labels.subspan(id * targets, targets);
      for (std::size_t t = 0; t < targets; ++t) look(t, double{target_of(words[t])});
    }
  }
}

struct Moments {
  std::vector<double> means;
  std::vector<double> variances;
  std::vector<double> farthest;  // from the mean
};

Moments moments_of(const Dataset& data, const Subset& subset,
                   const std::set<std::uint64_t>& left_out) {
  const std::vector<double> none(data.targets());
  Moments found{none, none, none};
  std::uint64_t values = 0;
  for_each_target(data, subset, left_out, [&](std::size_t t, double value) {
    found.means[t] += value;
    ++values;
  });
  if (values == 0) return found;
  const double n = static_cast<double>(values) / static_cast<double>(data.targets());
  for (double& mean : found.means) mean /= n;
  for_each_target(data, subset, left_out, [&](std::size_t t, double value) {
    const double away = value - found.means[t];
    found.variances[t] += away * away;
    found.farthest[t] = std::max(found.farthest[t], std::abs(away));
  });
  for (double& variance : found.variances) variance /= n;
  return found;
}

// Where float32 has few steps for what a target varies by, most of what there was to learn is gone
// before anybody saw it.
void tell_coarse(const Dataset& data, std::span<const TargetScale> scales,
                 const std::function<void(const std::string&)>& notice) {
  constexpr float kMostOfDeviation = 0.01F;
  const auto& names = data.column_names().targets;
  for (std::size_t t = 0; t < scales.size(); ++t) {
    const float size = std::abs(scales[t].mean);
    const float step = std::nextafter(size, std::numeric_limits<float>::infinity()) - size;
    if (!(step > kMostOfDeviation * scales[t].deviation)) continue;
    notice(
        fmt::format("target {} varies by {:g}, and float32 holds numbers near {:g} in steps of "
                    "{:g}: take a constant from all of them before they are stored",
                    names.empty() ? std::to_string(t) : in_quotes(names[t]), scales[t].deviation,
                    scales[t].mean, step));
  }
}

// A model that learnt nothing would be said to be perfect.
void refuse_tiny(const Dataset& data, const Subset& subset) {
  constexpr double kLeast = 1e-12;
  const double spread = target_spread(data, subset, {});
  if (spread == 0.0 || spread >= kLeast) return;
  throw std::invalid_argument(
      fmt::format("--standardize-targets: expected on for targets that vary by less than {:g}, "
                  "found off for some that vary by {:.2g}",
                  std::sqrt(kLeast), std::sqrt(spread)));
}

}  // namespace

std::vector<TargetScale> fit_target_scales(const Dataset& data, const Subset& subset) {
  const Moments found = moments_of(data, subset, {});
  std::vector<TargetScale> scales;
  for (std::size_t t = 0; t < found.means.size(); ++t) {
    const double deviation = std::sqrt(found.variances[t]);
    TargetScale scale{static_cast<float>(found.means[t]), static_cast<float>(deviation)};
    if (!std::isfinite(scale.mean) || !std::isfinite(scale.deviation) ||
        found.farthest[t] > double{std::numeric_limits<float>::max()}) {
      throw DataError(data.name(), std::nullopt,
                      "numbers as target " + std::to_string(t) +
                          " whose distance from their mean is finite as float32",
                      fmt::format("{:g}", found.farthest[t]));
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
    if (spec.standardize_targets) {
      notice(file.string() + " says nothing of targets: they are standardised by those of " +
             train.name());
    }
  }
  if (!spec.standardize_targets) {
    refuse_tiny(train, plan.split.train);
    return {};
  }
  auto scales = fit_target_scales(train, plan.split.train);
  tell_coarse(train, scales, notice);
  return scales;
}

double target_spread(const Dataset& data, const Subset& subset, std::span<const TargetScale> scales,
                     const std::set<std::uint64_t>& left_out) {
  const Moments found = moments_of(data, subset, left_out);
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
