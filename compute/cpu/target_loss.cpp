#include "compute/cpu/target_loss.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "compute/cpu/binary_loss.h"
#include "compute/cpu/chains.h"
#include "compute/target_units.h"

namespace millrace::cpu {
namespace {

constexpr double kMostSquared = std::numeric_limits<float>::max();

// The error is the same number for all of these, and a NaN stays one.
template <Loss kLoss>
double loss_of(double e) {
  const double size = std::abs(e);
  if constexpr (kLoss == Loss::kSquaredError) return e * e;
  if constexpr (kLoss == Loss::kAbsoluteError) return size;
  return size <= 1.0 ? 0.5 * e * e : size - 0.5;
}

template <Loss kLoss>
float slope_of(float e) {
  if constexpr (kLoss == Loss::kSquaredError) return 2.0F * e;
  constexpr float kSloping = kLoss == Loss::kHuber ? 1.0F : 0.0F;
  if (e > kSloping) return 1.0F;
  return e < -kSloping ? -1.0F : e;
}

// e = z - scaled(target), of targets t … t + n of a row.
void errors_of(const TargetLoss& op, const float* z, const std::int32_t* words, std::size_t t,
               std::size_t n, float* e) {
  if (op.scales.empty()) {
    for (std::size_t i = 0; i < n; ++i) e[i] = z[i] - std::bit_cast<float>(words[t + i]);
  } else {
    for (std::size_t i = 0; i < n; ++i) {
      e[i] = z[i] - scaled(op.scales[t + i], std::bit_cast<float>(words[t + i]));
    }
  }
}

template <Loss kLoss, std::size_t kChains>
void judge_rows(const TargetLoss& op) {
  const double share = 1.0 / static_cast<double>(op.targets);
  const float scale = op.gradient_scale / static_cast<float>(op.targets);
  for (std::size_t r = 0; r < op.rows; ++r) {
    const std::int32_t* words = op.source->targets(op.first + r);
    Chains<kChains> losses;
    Chains<kChains> squares;
    for (std::size_t t = 0; t < op.targets; t += kActPanel) {
      float* z = op.z + op.layout.offset(r, t);
      const std::size_t n = std::min(kActPanel, op.targets - t);
      float errors[kActPanel];
      errors_of(op, z, words, t, n, errors);
      // Zeros add nothing, and a panel is a whole number of turns.
      const std::size_t turns = round_up(n, kChains);
      std::fill(errors + n, errors + turns, 0.0F);
      for (std::size_t i = 0; i < turns; i += kChains) {
        for (std::size_t c = 0; c < kChains; ++c) {
          const double e = errors[i + c];
          losses.parts[c] += loss_of<kLoss>(e);
          squares.parts[c] += e * e;
        }
      }
      if (!op.gradient) continue;
      for (std::size_t i = 0; i < n; ++i) z[i] = slope_of<kLoss>(errors[i]) * scale;
      std::fill(z + n, z + round_up(n, kPanel / 2), 0.0F);
    }
    op.losses[r] = static_cast<float>(losses.sum() * share);
    // Not beyond float32, where the loss itself is not.
    op.squared_errors[r] = static_cast<float>(std::min(squares.sum() * share, kMostSquared));
  }
}

template <Loss kLoss>
void judge(const TargetLoss& op) {
  constexpr std::size_t kFew = 8;  // targets, of which one chain is done before eight are added up
  return op.targets <= kFew ? judge_rows<kLoss, 1>(op) : judge_rows<kLoss, 8>(op);
}

}  // namespace

void target_loss(const TargetLoss& op) {
  // Targets lie anywhere in the data set: all at once they take as long as one.
  for (std::size_t r = 0; r < op.rows; ++r) __builtin_prefetch(op.source->targets(op.first + r));
  switch (op.loss) {
    case Loss::kAbsoluteError:
      return judge<Loss::kAbsoluteError>(op);
    case Loss::kHuber:
      return judge<Loss::kHuber>(op);
    case Loss::kBinaryCrossEntropy:
      return binary_loss(op);
    default:
      return judge<Loss::kSquaredError>(op);
  }
}

}  // namespace millrace::cpu
