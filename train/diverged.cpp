#include "train/diverged.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace millrace {
namespace {

std::string hint(const OptimizerSpec& optimizer) {
  std::array<char, 128> text{};
  if (optimizer.momentum > 0.0F) {
    std::snprintf(text.data(), text.size(), "try a learning rate below %g, or a momentum below %g",
                  static_cast<double>(optimizer.learning_rate),
                  static_cast<double>(optimizer.momentum));
  } else {
    std::snprintf(text.data(), text.size(), "try a learning rate below %g",
                  static_cast<double>(optimizer.learning_rate));
  }
  return text.data();
}

}  // namespace

DivergedError::DivergedError(std::uint64_t step, std::uint64_t epoch, const std::string& hint)
    : std::runtime_error("training diverged at step " + std::to_string(step) + " (epoch " +
                         std::to_string(epoch) + "): " + hint),
      step_(step) {}

void check_losses(const Metrics& metrics, std::uint64_t first_step, std::uint64_t epoch,
                  const OptimizerSpec& optimizer) {
  if (!metrics.first_nonfinite_step && std::isfinite(metrics.loss_sum)) return;
  throw DivergedError(first_step + metrics.first_nonfinite_step.value_or(0), epoch,
                      "its loss is not finite; " + hint(optimizer));
}

void check_evaluation(const Metrics& metrics, std::uint64_t last_step, std::uint64_t epoch,
                      const OptimizerSpec& optimizer) {
  if (std::isfinite(metrics.loss_sum)) return;
  throw DivergedError(last_step, epoch, "the loss after it is not finite; " + hint(optimizer));
}

void check_finite(const std::vector<Tensor>& tensors, std::uint64_t last_step, std::uint64_t epoch,
                  const OptimizerSpec& optimizer) {
  for (const Tensor& tensor : tensors) {
    if (std::ranges::all_of(tensor.values, [](float value) { return std::isfinite(value); })) {
      continue;
    }
    throw DivergedError(
        last_step, epoch,
        "it left values in " + tensor.name + " that are not finite; " + hint(optimizer));
  }
}

void check_state(const Parameters& parameters, const OptimizerState& state, std::uint64_t steps,
                 std::uint64_t steps_per_epoch, const OptimizerSpec& optimizer) {
  const std::uint64_t last = steps == 0 ? 0 : steps - 1;
  check_finite(parameters, last, last / steps_per_epoch, optimizer);
  check_finite(state, last, last / steps_per_epoch, optimizer);
}

}  // namespace millrace
