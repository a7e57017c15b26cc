#include "train/stopping.h"

#include <fmt/format.h>

#include <algorithm>

#include "train/best.h"

namespace millrace {
namespace {

bool has_target(const StoppingSpec& spec) {
  return spec.target_accuracy > 0.0F || spec.target_r2 > 0.0F;
}

bool reaches(const EpochResult& epoch, const StoppingSpec& spec) {
  // As float32, which the target is: 0.98 reaches 0.98.
  const auto reached = [](const std::optional<double>& found, float target) {
    return target > 0.0F && found && static_cast<float>(*found) >= target;
  };
  return reached(epoch.val_acc, spec.target_accuracy) || reached(epoch.val_r2, spec.target_r2);
}

// The first of the epochs that none is better than.
std::uint64_t best_epoch(const std::vector<EpochResult>& history) {
  std::uint64_t best = 0;
  for (std::uint64_t i = 1; i < history.size(); ++i) {
    if (is_better(history[i], history[best])) best = i;
  }
  return best;
}

}  // namespace

std::optional<double> time_to_target(const StoppingSpec& spec,
                                     const std::vector<EpochResult>& history) {
  if (!has_target(spec)) return std::nullopt;
  double seconds = 0.0;
  for (const EpochResult& epoch : history) {
    seconds += epoch.train_s + epoch.val_s;
    if (reaches(epoch, spec)) return seconds;
  }
  return std::nullopt;
}

std::optional<std::string> reason_to_stop(const StoppingSpec& spec,
                                          const std::vector<EpochResult>& history) {
  if (history.empty()) return std::nullopt;
  if (std::ranges::any_of(history,
                          [&](const EpochResult& epoch) { return reaches(epoch, spec); })) {
    const bool accuracy = spec.target_accuracy > 0.0F;
    return fmt::format("the target {} of {} is reached", accuracy ? "accuracy" : "R²",
                       accuracy ? spec.target_accuracy : spec.target_r2);
  }
  const std::uint64_t best = best_epoch(history);
  if (spec.patience > 0 && history.size() - 1 - best >= spec.patience) {
    return "no epoch was better than epoch " + std::to_string(best) + " in " +
           std::to_string(spec.patience) + " epochs";
  }
  return std::nullopt;
}

bool may_stop_next(const StoppingSpec& spec, const std::vector<EpochResult>& history) {
  if (has_target(spec)) return true;
  return spec.patience > 0 && !history.empty() &&
         history.size() - best_epoch(history) >= spec.patience;
}

}  // namespace millrace
