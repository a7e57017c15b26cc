#include "train/model_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "train/byte_counts.h"

namespace millrace {
namespace {

// In doubles: the widest model's is no overflow.
double moments(const OptimizerSpec& optimizer) {
  return optimizer.adaptive() ? 2.0 : optimizer.momentum != 0.0F ? 1.0 : 0.0;
}

// Columns are padded to whole panels.
double padded(std::uint32_t width) { return std::ceil(width / 32.0) * 32.0; }

struct EngineBytes {
  double weights = 0.0;
  double batch = 0.0;
};

// Of the CPU engine: its weights in all their forms, with what belongs to them, and a batch on its
// way through the layers.
EngineBytes engine_bytes(const MlpSpec& model, const TrainSpec& train, std::uint32_t threads) {
  const bool bf16 = train.precision == Precision::kBFloat16;
  const bool averaged = train.optimizer.ema > 0.0F;
  const bool buffered = train.optimizer.clip_norm > 0.0F || train.rows_at_once() < train.batch;
  const double kept = moments(train.optimizer) + (averaged ? 1.0 : 0.0) + (buffered ? 1.0 : 0.0);
  // Of the first layer's sums there are as many as its inputs have parts.
  const double parts = std::ceil(model.features / (bf16 ? 200.0 : 400.0));
  const auto widths = model.widths();
  double weights = 0.0;
  double row = 0.0;
  double widest = 0.0;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const double in = padded(widths[l]);
    const double out = padded(widths[l + 1]);
    const bool hidden = l + 2 < widths.size();
    // In float32, and transposed; in bfloat16 as they are multiplied forward and backward.
    double each = sizeof(float) * (1.0 + kept);
    if (bf16) each += averaged ? 4.0 : 2.0;
    if (l > 0) each += bf16 ? 2.0 : sizeof(float);
    weights += in * out * each;
    // Inputs twice and gradients in bfloat16, or outputs and gradients in float32.
    row += bf16 ? 4.0 * in + 2.0 * out : sizeof(float) * (l == 0 ? in : 0.0);
    if (!bf16) row += sizeof(float) * out * (hidden ? 2.0 : 1.0);
    if (hidden && model.activation != Activation::kRelu) row += sizeof(float) * out;
    if (hidden && model.batch_norm) row += (bf16 ? 10.0 : 4.0) * out;
    widest = std::max({widest, in, out});
  }
  const double bottom = sizeof(float) * parts * padded(widths[1]);
  // What a thread evaluates some rows in.
  const double scratch = bf16 ? 32.0 * (sizeof(float) * parts + 10.0) * widest
                              : 64.0 * (bottom + 2.0 * sizeof(float) * widest);
  return {weights, (row + bottom) * train.rows_at_once() + scratch * threads};
}

}  // namespace

std::uint64_t state_bytes(const MlpSpec& model, const OptimizerSpec& optimizer) {
  // Of each parameter: itself, momentum or Adam's moments, and what an average is taken of.
  const double each = 1.0 + moments(optimizer) + (optimizer.ema > 0.0F ? 1.0 : 0.0);
  double count = 0.0;
  const auto widths = model.widths();
  for (std::size_t i = 1; i < widths.size(); ++i) count += (widths[i - 1] + 1.0) * widths[i];
  return whole_bytes(count * sizeof(float) * each);
}

std::uint64_t least_memory(const MlpSpec& model, const TrainSpec& train, std::uint32_t threads) {
  const auto state = static_cast<double>(state_bytes(model, train.optimizer));
  if (threads == 0) return whole_bytes(state);
  const auto engine = engine_bytes(model, train, threads);
  // And what is small: threads, chunks, the allocator's own.
  constexpr double kRest = 8e6;
  constexpr double kPadding = 1.02;
  return whole_bytes((state + engine.weights + engine.batch) * kPadding + kRest);
}

void check_memory(const MlpSpec& model, const TrainSpec& train, std::uint32_t threads,
                  std::uint64_t bytes) {
  const std::uint64_t least = least_memory(model, train, threads);
  if (least <= bytes) return;
  const auto engine = engine_bytes(model, train, threads);
  const bool wide = threads == 0 || engine.weights > engine.batch;
  throw std::invalid_argument(
      fmt::format("{}: expected {} that fits in the {} of memory at hand, found one that needs {}",
                  wide ? "--hidden" : "--batch", wide ? "a model" : "a batch", size_text(bytes),
                  size_text(least)));
}

}  // namespace millrace
