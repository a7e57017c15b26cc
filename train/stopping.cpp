#include "train/stopping.h"

#include <fmt/format.h>

#include <algorithm>

#include "train/best.h"

namespace millrace {
namespace {

bool reaches(const EpochResult& epoch, float target) {
  // As float32, which the target is: 0.98 reaches 0.98.
  return epoch.val_acc && static_cast<float>(*epoch.val_acc) >= target;
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
  if (spec.target_accuracy <= 0.0F) return std::nullopt;
  double seconds = 0.0;
  for (const EpochResult& epoch : history) {
    seconds += epoch.train_s + epoch.val_s;
    if (reaches(epoch, spec.target_accuracy)) return seconds;
  }
  return std::nullopt;
}

std::optional<std::string> reason_to_stop(const StoppingSpec& spec,
                                          const std::vector<EpochResult>& history) {
  if (history.empty()) return std::nullopt;
  if (spec.target_accuracy > 0.0F && std::ranges::any_of(history, [&](const EpochResult& epoch) {
        return reaches(epoch, spec.target_accuracy);
      })) {
    return fmt::format("the target accuracy of {} is reached", spec.target_accuracy);
  }
  const std::uint64_t best = best_epoch(history);
  if (spec.patience > 0 && history.size() - 1 - best >= spec.patience) {
    return "no epoch was better than epoch " + std::to_string(best) + " in " +
           std::to_string(spec.patience) + " epochs";
  }
  return std::nullopt;
}

bool may_stop_next(const StoppingSpec& spec, const std::vector<EpochResult>& history) {
  if (spec.target_accuracy > 0.0F) return true;
  return spec.patience > 0 && !history.empty() &&
         history.size() - best_epoch(history) >= spec.patience;
}

}  // namespace millrace
