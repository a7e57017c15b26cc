#include "train/model_memory.h"

#include <fmt/format.h>

#include <limits>
#include <stdexcept>
#include <string>

namespace millrace {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

std::uint64_t sum(std::uint64_t a, std::uint64_t b) noexcept {
  return b > kMost - a ? kMost : a + b;
}

std::uint64_t product(std::uint64_t a, std::uint64_t b) noexcept {
  return a != 0 && b > kMost / a ? kMost : a * b;
}

std::uint64_t of_batch(const MlpSpec& model, const TrainSpec& train) {
  std::uint64_t outputs = 0;
  for (const std::uint32_t width : model.hidden) outputs += width;
  return product(product(train.rows_at_once(), outputs), sizeof(float));
}

std::string size_text(std::uint64_t bytes) {
  constexpr double kGigabyte = 1e9;
  return fmt::format("{:.1f} GB", static_cast<double>(bytes) / kGigabyte);
}

}  // namespace

std::uint64_t state_bytes(const MlpSpec& model, const OptimizerSpec& optimizer) {
  // Of each parameter: itself, momentum or Adam's moments, and what an average is taken of.
  const std::uint64_t moments = optimizer.adaptive() ? 2 : optimizer.momentum != 0.0F ? 1 : 0;
  const std::uint64_t each = 1 + moments + (optimizer.ema > 0.0F ? 1 : 0);
  std::uint64_t count = 0;
  const auto widths = model.widths();
  for (std::size_t i = 1; i < widths.size(); ++i) {
    count = sum(count, product(std::uint64_t{widths[i - 1]} + 1, widths[i]));
  }
  return product(count, sizeof(float) * each);
}

std::uint64_t least_memory(const MlpSpec& model, const TrainSpec& train, bool on_cpu) {
  const std::uint64_t parameters = state_bytes(model, train.optimizer);
  return on_cpu ? sum(product(parameters, 2), of_batch(model, train)) : parameters;
}

void check_memory(const MlpSpec& model, const TrainSpec& train, bool on_cpu, std::uint64_t bytes) {
  const std::uint64_t least = least_memory(model, train, on_cpu);
  if (least <= bytes) return;
  const bool wide = !on_cpu || state_bytes(model, train.optimizer) > of_batch(model, train);
  throw std::invalid_argument(
      fmt::format("{}: expected {} that fits in the {} of memory at hand, found one that needs {}",
                  wide ? "--hidden" : "--batch", wide ? "a model" : "a batch", size_text(bytes),
                  size_text(least)));
}

}  // namespace millrace
