#include "train/input_standardizer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

#include "formats/error.h"
#include "train/finite_samples.h"

namespace millrace {
namespace {

std::shared_ptr<const Standardizer> fitted(const RunSpec& spec, const RunPlan& plan,
                                           const Dataset& train) {
  auto fitted = fit_standardizer(train, plan.split.train, spec.on_bad != OnBad::kFail);
  for (const std::span<const float> numbers :
       {std::span<const float>(fitted.mean), std::span<const float>(fitted.deviation)}) {
    const auto bad = std::ranges::find_if_not(numbers, [](float v) { return std::isfinite(v); });
    if (bad == numbers.end()) continue;
    check_finite_samples(train);
    throw DataError(train.name(), std::nullopt,
                    "values of element " + std::to_string(bad - numbers.begin()) +
                        " whose deviation is finite as float32",
                    std::to_string(*bad));
  }
  // What tells a category stays 0 or 1: of a rare one it would be large.
  const auto indicators = train.column_names().form.indicators();
  for (std::size_t f = 0; f < indicators.size(); ++f) {
    if (!indicators[f]) continue;
    fitted.mean[f] = 0.0F;
    fitted.deviation[f] = 1.0F;
  }
  return std::make_shared<const Standardizer>(std::move(fitted));
}

}  // namespace

std::shared_ptr<const Standardizer> input_standardizer(
    const RunSpec& spec, const RunPlan& plan, const Dataset& train, const FoundCheckpoint* found,
    const std::function<void(const std::string&)>& notice) {
  const std::size_t features = plan.model.features;
  if (found != nullptr) {
    const auto& kept = found->checkpoint.state.options.sample.standardizer;
    // Whether the checkpoint is one of this run is looked at later.
    if (spec.standardize && kept && kept->mean.size() == features) return kept;
  } else if (!spec.init.empty()) {
    const auto file = checkpoint_meant(spec.init);
    if (auto kept = load_standardizer(file, features)) {
      if (!spec.standardize) {
        throw DataError(file,
                        "was trained on standardised samples: expected --standardize on with it");
      }
      notice("samples are standardised as those of " + file.string() + " were");
      return kept;
    }
  }
  return spec.standardize ? fitted(spec, plan, train) : nullptr;
}

}  // namespace millrace
