#include "compute/cpu/binary_loss.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "compute/cpu/chains.h"

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/binary_loss.cpp"
#include "hwy/foreach_target.h"

// After foreach_target, which includes this file once for each instruction set.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millrace::cpu::binary::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr std::size_t kLanes = hn::MaxLanes(D());

// Multiplications and additions stay two everywhere: a fused one is not on all processors.
HWY_INLINE V constant(float value) { return hn::Set(D(), value); }
HWY_INLINE V times_plus(V a, V b, float c) { return hn::Add(hn::Mul(a, b), constant(c)); }

// exp(-size), for 0 <= size; from 87 on that of 87, of which nothing is left beside 1.
HWY_INLINE V exp_of_minus(V size) {
  const D d;
  const hn::RebindToSigned<D> di;
  constexpr float kWhole = 12582912.0F;  // 1.5 * 2^23: a sum with it has no fraction
  constexpr float kLog2E = 1.44269504F;
  // The logarithm of 2 in two parts, of which the first has zeros in its last bits: a multiple of
  // it is exact (W. J. Cody and W. Waite, "Software Manual for the Elementary Functions", 1980).
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  const V most = constant(87.0F);
  const V x = hn::IfThenElse(hn::Lt(size, most), size, most);
  const V shifted = times_plus(x, constant(kLog2E), kWhole);
  const V halvings = hn::Sub(shifted, constant(kWhole));
  const V rest = hn::Add(hn::Sub(hn::Mul(halvings, constant(kLn2High)), x),
                         hn::Mul(halvings, constant(kLn2Low)));  // within ±ln(2)/2
  // The Taylor series: its next term is below 2^-26.
  V sum = constant(1.0F / 5040.0F);
  sum = times_plus(sum, rest, 1.0F / 720.0F);
  sum = times_plus(sum, rest, 1.0F / 120.0F);
  sum = times_plus(sum, rest, 1.0F / 24.0F);
  sum = times_plus(sum, rest, 1.0F / 6.0F);
  sum = times_plus(sum, rest, 0.5F);
  sum = times_plus(sum, rest, 1.0F);
  sum = times_plus(sum, rest, 1.0F);
  const auto count = hn::Sub(hn::BitCast(di, shifted), hn::BitCast(di, constant(kWhole)));
  const auto exponent = hn::ShiftLeft<23>(hn::Sub(hn::Set(di, 127), count));
  return hn::Mul(sum, hn::BitCast(d, exponent));
}

// log(1 + u), for 0 <= u <= 1: 2 artanh(u / (2 + u)), whose argument is at most 1/3.
HWY_INLINE V log_of_one_and(V u) {
  const V s = hn::Div(u, hn::Add(constant(2.0F), u));
  const V square = hn::Mul(s, s);
  V sum = constant(1.0F / 15.0F);
  sum = times_plus(sum, square, 1.0F / 13.0F);
  sum = times_plus(sum, square, 1.0F / 11.0F);
  sum = times_plus(sum, square, 1.0F / 9.0F);
  sum = times_plus(sum, square, 1.0F / 7.0F);
  sum = times_plus(sum, square, 1.0F / 5.0F);
  sum = times_plus(sum, square, 1.0F / 3.0F);
  return hn::Mul(constant(2.0F), hn::Add(s, hn::Mul(hn::Mul(s, square), sum)));
}

constexpr std::size_t kChains = 8;

// Of a row.
struct Sums {
  Chains<kChains> loss;
  Chains<kChains> wrong;
};

// A panel of a row, of which `n` columns are labels; of a gradient, leaves it in z.
HWY_INLINE void judge(const TargetLoss& op, float* HWY_RESTRICT z, const std::int32_t* words,
                      std::size_t n, Sums& sums) {
  const D d;
  HWY_ALIGN float targets[kActPanel] = {};
  HWY_ALIGN float losses[kActPanel] = {};
  HWY_ALIGN float wrong[kActPanel] = {};
  std::memcpy(targets, words, n * sizeof(float));
  const V scale = constant(op.gradient_scale / static_cast<float>(op.targets));
  const V one = constant(1.0F);
  const V zero = hn::Zero(d);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const auto counts = hn::FirstN(d, std::min(kLanes, n - i));
    const V logit = hn::LoadU(d, z + i);
    const V target = hn::Load(d, targets + i);
    const V u = exp_of_minus(hn::Abs(logit));
    const auto yes = hn::Ge(logit, zero);
    const V loss =
        hn::Add(hn::Sub(hn::IfThenElseZero(yes, logit), hn::Mul(logit, target)), log_of_one_and(u));
    const V away = hn::Sub(hn::IfThenElseZero(yes, one), target);
    hn::Store(hn::IfThenElseZero(counts, loss), d, losses + i);
    hn::Store(hn::IfThenElseZero(counts, hn::Mul(away, away)), d, wrong + i);
    if (!op.gradient) continue;
    // Of sigmoid(z) - 1 the digits that are left, for sigmoid(-z) is its opposite.
    const auto with = hn::Ne(target, zero);
    const V part =
        hn::IfThenElse(with, hn::Neg(hn::IfThenElse(yes, u, one)), hn::IfThenElse(yes, one, u));
    // A NaN stays one.
    const V slope = hn::IfThenElse(hn::Eq(logit, logit), hn::Div(part, hn::Add(one, u)), logit);
    hn::StoreU(hn::IfThenElseZero(counts, hn::Mul(slope, scale)), d, z + i);
  }
  for (std::size_t i = 0; i < n; i += kChains) {
    for (std::size_t c = 0; c < kChains; ++c) {
      sums.loss.parts[c] += double{losses[i + c]};
      sums.wrong.parts[c] += double{wrong[i + c]};
    }
  }
}

void JudgeRows(const TargetLoss& op) {
  const double share = 1.0 / static_cast<double>(op.targets);
  for (std::size_t r = 0; r < op.rows; ++r) {
    const std::int32_t* words = op.source->targets(op.first + r);
    Sums sums;
    for (std::size_t t = 0; t < op.targets; t += kActPanel) {
      float* z = op.z + op.layout.offset(r, t);
      const std::size_t n = std::min(kActPanel, op.targets - t);
      judge(op, z, words + t, n, sums);
      if (op.gradient) std::fill(z + n, z + round_up(n, kPanel / 2), 0.0F);
    }
    op.losses[r] = static_cast<float>(sums.loss.sum() * share);
    op.squared_errors[r] = static_cast<float>(sums.wrong.sum());
  }
}

}  // namespace millrace::cpu::binary::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millrace::cpu {
namespace binary {

HWY_EXPORT(JudgeRows);

void judge_rows(const TargetLoss& op) { HWY_DYNAMIC_DISPATCH(JudgeRows)(op); }

}  // namespace binary

void binary_loss(const TargetLoss& op) { binary::judge_rows(op); }

}  // namespace millrace::cpu
#endif
