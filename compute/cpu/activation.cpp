#include "compute/cpu/activation.h"

#include <algorithm>
#include <array>
#include <cstdint>

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/activation.cpp"
#include "hwy/foreach_target.h"

// After foreach_target, which includes this file once for each instruction set.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millrace::cpu::activation::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr std::size_t kLanes = hn::MaxLanes(D());
constexpr std::size_t kGroup = 64;  // rows whose dropout is drawn at once

HWY_INLINE V constant(float value) { return hn::Set(D(), value); }

// c[0] + x * (c[1] + x * …), from the highest power down.
template <std::size_t N>
HWY_INLINE V polynomial(const std::array<float, N>& c, V x) {
  V sum = constant(c[N - 1]);
#pragma GCC unroll 16
  for (std::size_t i = N - 1; i-- > 0;) sum = hn::MulAdd(sum, x, constant(c[i]));
  return sum;
}

// e^x for x at most 0: 2^n e^r, |r| at most ln 2 / 2. Below -87 it stays at e^-87, which float32
// rounds away beside anything it is added to.
HWY_INLINE V exponential(V x) {
  const D d;
  const hn::Rebind<std::int32_t, D> di;
  // Least squares of (e^r - 1 - r) / r² over that interval: 4e-9 of e^r.
  constexpr std::array<float, 5> kRest{0.49999988527797146F, 0.1666651787023341F,
                                       0.041669544280667326F, 0.008368987231004476F,
                                       0.0013751150275695331F};
  // The NaN stands second: on x86 it is what a maximum of it and a number gives.
  x = hn::Max(constant(-87.0F), x);
  const V n = hn::Round(hn::Mul(x, constant(1.44269504F)));
  // ln 2 in two numbers, the first with few enough bits for n times it to be exact.
  const V r =
      hn::NegMulAdd(n, constant(-2.12194440e-4F), hn::NegMulAdd(n, constant(0.693359375F), x));
  const V e = hn::MulAdd(hn::Mul(r, r), polynomial(kRest, r), hn::Add(constant(1.0F), r));
  const auto biased = hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127));
  return hn::Mul(e, hn::BitCast(d, hn::ShiftLeft<23>(biased)));
}

// A hidden unit's output and the derivative there.
struct Point {
  V y;
  V slope;
};

// z times the normal distribution's Φ(z), whose tail is e^(-z²/2) R(|z|) / 2 with Mills' ratio R.
HWY_INLINE Point gelu(V z) {
  // Least squares of R as a multiple of u = 1 / (1 + 0.24 |z|), for |z| up to 14: 4e-9 of R.
  constexpr std::array<float, 10> kRatio{
      0.19148191953050525F, 0.19175718982956746F, 0.1775182191383366F,   0.17714565014260722F,
      0.051654393852786F,   0.2915182605036674F,  -0.29883731519682466F, 0.41863616750614757F,
      -0.2525215055582636F, 0.05164702405291585F};
  const V one = constant(1.0F);
  const V e = exponential(hn::Mul(hn::Mul(z, z), constant(-0.5F)));
  const V u = hn::Div(one, hn::MulAdd(hn::Abs(z), constant(0.24F), one));
  const V tail = hn::Mul(hn::Mul(e, constant(0.5F)), hn::Mul(u, polynomial(kRatio, u)));
  const V share = hn::IfThenElse(hn::Lt(z, hn::Zero(D())), tail, hn::Sub(one, tail));
  const V density = hn::Mul(e, constant(0.398942280F));
  return {hn::Mul(z, share), hn::MulAdd(z, density, share)};
}

HWY_INLINE Point hyperbolic_tangent(V z) {
  // Least squares of (tanh(z) / z - 1) / z² for |z| below 0.625: 5e-9 of tanh.
  constexpr std::array<float, 5> kSmall{-0.3333327920837052F, 0.13331381354359037F,
                                        -0.053735318849370245F, 0.02062629182308625F,
                                        -0.00569198566305051F};
  const V one = constant(1.0F);
  const V size = hn::Abs(z);
  const V square = hn::Mul(z, z);
  const V small = hn::MulAdd(hn::Mul(z, square), polynomial(kSmall, square), z);
  const V e = exponential(hn::Mul(size, constant(-2.0F)));
  const V large = hn::CopySign(hn::Div(hn::Sub(one, e), hn::Add(one, e)), z);
  const V y = hn::IfThenElse(hn::Lt(size, constant(0.625F)), small, large);
  return {y, hn::NegMulAdd(y, y, one)};
}

HWY_INLINE Point sigmoid(V z) {
  const V one = constant(1.0F);
  const V e = exponential(hn::Neg(hn::Abs(z)));
  const V upper = hn::Div(one, hn::Add(one, e));
  const V lower = hn::Mul(e, upper);
  const V y = hn::IfThenElse(hn::Lt(z, hn::Zero(D())), lower, upper);
  return {y, hn::Mul(upper, lower)};
}

HWY_INLINE Point leaky_relu(V z) {
  const V slope = hn::IfThenElse(hn::Gt(z, hn::Zero(D())), constant(1.0F), constant(kLeakySlope));
  return {hn::Mul(z, slope), slope};
}

HWY_INLINE Point relu(V z) {
  const V zero = hn::Zero(D());
  return {hn::Max(zero, z), hn::IfThenElseZero(hn::Gt(z, zero), constant(1.0F))};
}

template <class F>
HWY_INLINE void each(const Forward& op, const F& f) {
  const D d;
  const bool dropping = op.dropout.rate > 0.0F;
  const float factor = op.dropout.factor();
  std::uint32_t bits[kGroup];
  HWY_ALIGN float kept[kActPanel];
  for (std::size_t panel = 0; panel < op.layout.panels(); ++panel) {
    const std::size_t begin = panel * kActPanel;
    const std::size_t width = op.columns > begin ? std::min(kActPanel, op.columns - begin) : 0;
    for (std::size_t r = 0; r < op.rows; ++r) {
      if (dropping && r % kGroup == 0) {
        norm::kept(op.dropout, op.panel + panel, op.first + r, std::min(kGroup, op.rows - r), bits);
      }
      for (std::size_t c = 0; dropping && c < kActPanel; ++c) {
        kept[c] = (bits[r % kGroup] >> c & 1U) != 0 ? factor : 0.0F;
      }
      for (std::size_t c = 0; c < kActPanel; c += kLanes) {
        float* at = op.y + op.layout.offset(r, begin + c);
        Point point = f(hn::LoadU(d, at));
        if (dropping) {
          const V times = hn::Load(d, kept + c);
          point = {hn::Mul(point.y, times), hn::Mul(point.slope, times)};
        }
        const auto counts = hn::FirstN(d, width > c ? std::min(kLanes, width - c) : 0);
        hn::StoreU(hn::IfThenElseZero(counts, point.y), d, at);
        if (op.slopes == nullptr) continue;
        hn::StoreU(hn::IfThenElseZero(counts, point.slope), d,
                   op.slopes + op.slopes_layout.offset(r, begin + c));
      }
    }
  }
}

void ForwardRows(const Forward& op) {
  switch (op.kind) {
    case Activation::kRelu:
      return each(op, [](V z) HWY_ATTR { return relu(z); });
    case Activation::kGelu:
      return each(op, [](V z) HWY_ATTR { return gelu(z); });
    case Activation::kTanh:
      return each(op, [](V z) HWY_ATTR { return hyperbolic_tangent(z); });
    case Activation::kSigmoid:
      return each(op, [](V z) HWY_ATTR { return sigmoid(z); });
    case Activation::kLeakyRelu:
      return each(op, [](V z) HWY_ATTR { return leaky_relu(z); });
  }
}

}  // namespace millrace::cpu::activation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millrace::cpu::activation {

HWY_EXPORT(ForwardRows);

void forward(const Forward& op) { HWY_DYNAMIC_DISPATCH(ForwardRows)(op); }

}  // namespace millrace::cpu::activation
#endif
