#include "compute/cpu/norm.h"

#include <algorithm>
#include <cmath>

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/norm.cpp"
#include "hwy/foreach_target.h"

// After foreach_target, which includes this file once for each instruction set.
#include "formats/philox.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millrace::cpu::norm::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr std::size_t kLanes = hn::MaxLanes(D());
constexpr std::size_t kChains = 4;
constexpr std::uint32_t kDropoutStream = 0x64726F70;

// The high and the low halves of 32-bit products.
struct Product {
  hn::Vec<hn::Rebind<std::uint32_t, D>> high, low;
};
template <class U>
HWY_INLINE Product multiply(U a, U b) {
  const hn::Rebind<std::uint32_t, D> du;
  Product product;
#if HWY_TARGET == HWY_SCALAR
  const std::uint64_t wide = std::uint64_t{hn::GetLane(a)} * hn::GetLane(b);
  product.low = hn::Set(du, static_cast<std::uint32_t>(wide));
  product.high = hn::Set(du, static_cast<std::uint32_t>(wide >> 32U));
#else
  const hn::Repartition<std::uint64_t, decltype(du)> du64;
  const auto even = hn::MulEven(a, b);
  const auto upper = [&](U v) HWY_ATTR {
    return hn::BitCast(du, hn::ShiftRight<32>(hn::BitCast(du64, v)));
  };
  const auto odd = hn::MulEven(upper(a), upper(b));
  product.low = hn::OddEven(hn::BitCast(du, hn::ShiftLeft<32>(odd)), hn::BitCast(du, even));
  product.high = hn::OddEven(hn::BitCast(du, odd), hn::BitCast(du, hn::ShiftRight<32>(even)));
#endif
  return product;
}

// Block 4 * row + q holds the bits of columns 8 * q … 8 * q + 7 of a row: word j of Philox at
// (block, step, layer and panel) gives columns j and, by its upper half, j + 4.
void Kept(const Dropout& dropout, std::size_t panel, std::size_t first, std::size_t rows,
          std::uint32_t* bits) {
  const hn::Rebind<std::uint32_t, D> du;
  constexpr std::size_t kGroup = 16;  // rows
  HWY_ALIGN std::uint32_t bytes[kGroup * 4];
  const auto threshold = hn::Set(du, dropout.threshold());
  const auto key = Philox::key_of(dropout.seed);
  for (std::size_t r = 0; r < rows; r += kGroup) {
    const std::size_t group = std::min(kGroup, rows - r);
    for (std::size_t b = 0; b < group * 4; b += kLanes) {
      auto c0 = hn::Iota(du, static_cast<std::uint32_t>((first + r) * 4 + b));
      auto c1 = hn::Set(du, kDropoutStream);
      auto c2 = hn::Set(du, static_cast<std::uint32_t>(dropout.step));
      auto c3 = hn::Set(du, static_cast<std::uint32_t>(dropout.layer << 20U | panel));
      std::uint32_t k0 = key[0];
      std::uint32_t k1 = key[1];
      for (int round = 0; round < Philox::kRounds; ++round) {
        const Product p0 = multiply(hn::Set(du, Philox::kMultiplier0), c0);
        const Product p1 = multiply(hn::Set(du, Philox::kMultiplier1), c2);
        c0 = hn::Xor(hn::Xor(p1.high, c1), hn::Set(du, k0));
        c1 = p1.low;
        c2 = hn::Xor(hn::Xor(p0.high, c3), hn::Set(du, k1));
        c3 = p0.low;
        k0 += Philox::kWeyl0;
        k1 += Philox::kWeyl1;
      }
      auto all = hn::Zero(du);
      const auto add = [&](decltype(c0) word, std::uint32_t column) HWY_ATTR {
        const auto lower = hn::And(word, hn::Set(du, 0xFFFFU));
        const auto upper = hn::ShiftRight<16>(word);
        // Not below the threshold: kept.
        const auto bit = [&](decltype(c0) number, std::uint32_t at) HWY_ATTR {
          const auto below = hn::VecFromMask(du, hn::Lt(number, threshold));
          return hn::AndNot(below, hn::Set(du, 1U << at));
        };
        all = hn::Or(all, hn::Or(bit(lower, column), bit(upper, column + 4)));
      };
      add(c0, 0);
      add(c1, 1);
      add(c2, 2);
      add(c3, 3);
      hn::Store(all, du, bytes + b);
    }
    for (std::size_t i = 0; i < group; ++i) {
      const std::uint32_t* of = bytes + i * 4;
      bits[r + i] = of[0] | of[1] << 8U | of[2] << 16U | of[3] << 24U;
    }
  }
}

// The columns' bits of one row as a mask of the vector that begins at column c.
HWY_INLINE hn::Mask<D> mask_of(std::uint32_t bits, std::size_t c) {
  const D d;
  const hn::Rebind<std::uint32_t, D> du;
  const auto wanted = hn::Shl(hn::Set(du, 1U), hn::Iota(du, static_cast<std::uint32_t>(c)));
  return hn::RebindMask(d, hn::TestBit(hn::Set(du, bits), wanted));
}

HWY_INLINE std::uint32_t bits_of(hn::Mask<D> mask) {
  const D d;
  HWY_ALIGN std::uint8_t bytes[8] = {};
  hn::StoreMaskBits(d, mask, bytes);
  return static_cast<std::uint32_t>(bytes[0] | bytes[1] << 8U);
}

void Drop(const Dropout& dropout, std::size_t first, std::size_t rows, float* y, ActLayout layout) {
  const D d;
  constexpr std::size_t kGroup = 64;
  std::uint32_t bits[kGroup];
  const V factor = hn::Set(d, dropout.factor());
  for (std::size_t panel = 0; panel < layout.panels(); ++panel) {
    for (std::size_t r = 0; r < rows; r += kGroup) {
      const std::size_t group = std::min(kGroup, rows - r);
      Kept(dropout, panel, first + r, group, bits);
      float* at = y + panel * layout.panel_stride() + r * kActPanel;
      for (std::size_t i = 0; i < group; ++i) {
        for (std::size_t c = 0; c < kActPanel; c += kLanes) {
          float* p = at + i * kActPanel + c;
          // The NaN stands second, as in the forward pass.
          const V x = hn::Mul(hn::Max(hn::Zero(d), hn::LoadU(d, p)), factor);
          hn::StoreU(hn::IfThenElseZero(mask_of(bits[i], c), x), d, p);
        }
      }
    }
  }
}

// The sums over the rows of f(row) for the vector of columns at c.
template <class F>
HWY_INLINE V sum_rows(std::size_t rows, const F& f) {
  const D d;
  V a = hn::Zero(d);
  V b = hn::Zero(d);
  V e = hn::Zero(d);
  V g = hn::Zero(d);
  std::size_t r = 0;
  for (; r + kChains <= rows; r += kChains) {
    a = f(r, a);
    b = f(r + 1, b);
    e = f(r + 2, e);
    g = f(r + 3, g);
  }
  if (r < rows) a = f(r, a);
  if (r + 1 < rows) b = f(r + 1, b);
  if (r + 2 < rows) e = f(r + 2, e);
  return hn::Add(hn::Add(a, b), hn::Add(e, g));
}

HWY_INLINE V inverse_deviation(V variance) {
  const D d;
  return hn::Div(hn::Set(d, 1.0F), hn::Sqrt(hn::Add(variance, hn::Set(d, kNormEpsilon))));
}

void ForwardPanel(const Forward& op) {
  const D d;
  const V zero = hn::Zero(d);
  const auto rows = static_cast<float>(op.rows);
  const bool dropping = !op.linear && op.dropout.rate > 0.0F;
  const V floor = op.linear ? hn::Set(d, -INFINITY) : zero;
  if (dropping) Kept(op.dropout, op.panel, op.first, op.rows, op.gates);
  const V factor = hn::Set(d, op.dropout.factor());
  for (std::size_t c = 0; c < kActPanel; c += kLanes) {
    float* z = op.z + c;
    const V mean = hn::Mul(
        sum_rows(op.rows, [&](std::size_t r, V sum)
                              HWY_ATTR { return hn::Add(sum, hn::LoadU(d, z + r * kActPanel)); }),
        hn::Set(d, 1.0F / rows));
    const V squares = sum_rows(op.rows, [&](std::size_t r, V sum) HWY_ATTR {
      const V x = hn::Sub(hn::LoadU(d, z + r * kActPanel), mean);
      return hn::MulAdd(x, x, sum);
    });
    const V variance = hn::Mul(squares, hn::Set(d, 1.0F / rows));
    const V inverse = inverse_deviation(variance);
    hn::StoreU(inverse, d, op.columns.inverse + c);
    if (op.rows > 1) {
      const V share = hn::Set(d, kNormMomentum);
      const V rest = hn::Set(d, 1.0F - kNormMomentum);
      float* running = op.columns.running_mean + c;
      hn::StoreU(hn::MulAdd(rest, hn::LoadU(d, running), hn::Mul(share, mean)), d, running);
      running = op.columns.running_var + c;
      const V sample = hn::Mul(squares, hn::Set(d, 1.0F / (rows - 1.0F)));
      hn::StoreU(hn::MulAdd(rest, hn::LoadU(d, running), hn::Mul(share, sample)), d, running);
    }
    const V gamma = hn::LoadU(d, op.columns.gamma + c);
    const V beta = hn::LoadU(d, op.columns.beta + c);
    for (std::size_t r = 0; r < op.rows; ++r) {
      const V x = hn::Mul(hn::Sub(hn::LoadU(d, z + r * kActPanel), mean), inverse);
      hn::StoreU(x, d, z + r * kActPanel);
      // The NaN stands second: it must reach the loss.
      V y = hn::Max(floor, hn::MulAdd(gamma, x, beta));
      if (dropping) {
        y = hn::IfThenElseZero(mask_of(op.gates[r], c), hn::Mul(y, factor));
      }
      hn::StoreU(y, d, op.y + r * kActPanel + c);
    }
  }
  if (op.linear) return;
  for (std::size_t r = 0; r < op.rows; ++r) {
    std::uint32_t bits = 0;
    for (std::size_t c = 0; c < kActPanel; c += kLanes) {
      bits |= bits_of(hn::Gt(hn::LoadU(d, op.y + r * kActPanel + c), zero)) << c;
    }
    op.gates[r] = bits;
  }
}

// One step of 32 parameters: too few for vectors to matter.
void take_step(const OptimizerStep& step, const float* gradient, float* values, float* first,
               float* second) {
  for (std::size_t i = 0; i < kActPanel; ++i) {
    float g = step.weight_decay * values[i] + gradient[i];
    if (second != nullptr) {
      first[i] = step.beta1 * first[i] + (1.0F - step.beta1) * g;
      second[i] = step.beta2 * second[i] + (1.0F - step.beta2) * (g * g);
      const float below = std::sqrt(second[i]) * step.root + step.epsilon;
      values[i] = values[i] * step.shrink - step.step_size * first[i] / below;
      continue;
    }
    if (first != nullptr) {
      first[i] = step.momentum * first[i] + g;
      g = step.kind == OptimizerSpec::Kind::kNesterov ? step.momentum * first[i] + g : first[i];
    }
    values[i] -= step.learning_rate * g;
  }
}

void BackwardPanel(const Backward& op) {
  const D d;
  HWY_ALIGN float gamma_gradient[kActPanel];
  HWY_ALIGN float beta_gradient[kActPanel];
  const V factor = hn::Set(d, op.factor);
  const V part = hn::Set(d, 1.0F / static_cast<float>(op.rows));
  for (std::size_t c = 0; c < kActPanel; c += kLanes) {
    const float* z = op.z + c;
    float* dy = op.dy + c;
    const V shifts = sum_rows(op.rows, [&](std::size_t r, V sum) HWY_ATTR {
      float* at = dy + r * kActPanel;
      const V g =
          op.slopes != nullptr
              ? hn::Mul(hn::LoadU(d, at), hn::LoadU(d, op.slopes + r * kActPanel + c))
              : hn::IfThenElseZero(mask_of(op.gates[r], c), hn::Mul(hn::LoadU(d, at), factor));
      hn::StoreU(g, d, at);
      return hn::Add(sum, g);
    });
    const V factors = sum_rows(op.rows, [&](std::size_t r, V sum) HWY_ATTR {
      return hn::MulAdd(hn::LoadU(d, dy + r * kActPanel), hn::LoadU(d, z + r * kActPanel), sum);
    });
    hn::Store(shifts, d, beta_gradient + c);
    hn::Store(factors, d, gamma_gradient + c);
    const V scale =
        hn::Mul(hn::LoadU(d, op.columns.gamma + c), hn::LoadU(d, op.columns.inverse + c));
    const V mean = hn::Mul(shifts, part);
    const V slope = hn::Mul(factors, part);
    for (std::size_t r = 0; r < op.rows; ++r) {
      float* at = dy + r * kActPanel;
      const V centred = hn::Sub(hn::LoadU(d, at), mean);
      const V x = hn::NegMulAdd(slope, hn::LoadU(d, z + r * kActPanel), centred);
      hn::StoreU(hn::Mul(x, scale), d, at);
    }
  }
  if (op.gradients[0] != nullptr) {
    for (std::size_t i = 0; i < kActPanel; ++i) {
      op.gradients[0][i] = gamma_gradient[i] + (op.add ? op.gradients[0][i] : 0.0F);
      op.gradients[1][i] = beta_gradient[i] + (op.add ? op.gradients[1][i] : 0.0F);
    }
    return;
  }
  take_step(op.step, gamma_gradient, op.columns.gamma, op.moments.first[0], op.moments.second[0]);
  take_step(op.step, beta_gradient, op.columns.beta, op.moments.first[1], op.moments.second[1]);
}

void ApplyRows(const Apply& op) {
  const D d;
  const V floor = op.linear ? hn::Set(d, -INFINITY) : hn::Zero(d);
  for (std::size_t panel = 0; panel < op.layout.panels(); ++panel) {
    for (std::size_t c = 0; c < kActPanel; c += kLanes) {
      const std::size_t column = panel * kActPanel + c;
      const V variance = hn::LoadU(d, op.running_var + column);
      const V inverse = inverse_deviation(variance);
      const V gamma = hn::LoadU(d, op.gamma + column);
      const V beta = hn::LoadU(d, op.beta + column);
      const V mean = hn::LoadU(d, op.running_mean + column);
      float* y = op.y + panel * op.layout.panel_stride() + c;
      for (std::size_t r = 0; r < op.rows; ++r) {
        const V x = hn::Mul(hn::Sub(hn::LoadU(d, y + r * kActPanel), mean), inverse);
        hn::StoreU(hn::Max(floor, hn::MulAdd(gamma, x, beta)), d, y + r * kActPanel);
      }
    }
  }
}

}  // namespace millrace::cpu::norm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millrace::cpu::norm {

HWY_EXPORT(Kept);
HWY_EXPORT(Drop);
HWY_EXPORT(ForwardPanel);
HWY_EXPORT(BackwardPanel);
HWY_EXPORT(ApplyRows);

void kept(const Dropout& dropout, std::size_t panel, std::size_t first, std::size_t rows,
          std::uint32_t* bits) {
  HWY_DYNAMIC_DISPATCH(Kept)(dropout, panel, first, rows, bits);
}
void drop(const Dropout& dropout, std::size_t first, std::size_t rows, float* y, ActLayout layout) {
  HWY_DYNAMIC_DISPATCH(Drop)(dropout, first, rows, y, layout);
}
void forward(const Forward& op) { HWY_DYNAMIC_DISPATCH(ForwardPanel)(op); }
void backward(const Backward& op) { HWY_DYNAMIC_DISPATCH(BackwardPanel)(op); }
void apply(const Apply& op) { HWY_DYNAMIC_DISPATCH(ApplyRows)(op); }

}  // namespace millrace::cpu::norm
#endif
