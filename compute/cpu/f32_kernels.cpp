#include "compute/cpu/f32_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>

// Vectors of a length that only the processor knows cannot be members of arrays and structs: there
// NEON is used.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/f32_kernels.cpp"
#include "hwy/foreach_target.h"

// After foreach_target, which includes this file once for each instruction set.
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millrace::cpu::f32::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;

// Register tile: kMr rows × kNv vectors of sums, one row of B and a broadcast of A must fit the
// registers.
#if HWY_TARGET <= HWY_AVX3
constexpr std::size_t kMr = 12;
#elif HWY_ARCH_ARM_A64
constexpr std::size_t kMr = 12;
#else
constexpr std::size_t kMr = 6;
#endif
constexpr std::size_t kLanes = hn::MaxLanes(D());
constexpr std::size_t kNv = 2;

template <std::size_t MR, std::size_t NV>
struct Sums {
  // Written out: an implicit constructor is not compiled for the target, and may not call the
  // vectors' then.
  HWY_INLINE Sums() {}  // NOLINT(modernize-use-equals-default)
  V v[MR][NV];
};

template <std::size_t MR, std::size_t NV>
HWY_INLINE void clear(Sums<MR, NV>& sums) {
  const D d;
#pragma GCC unroll 16
  for (std::size_t m = 0; m < MR; ++m) {
#pragma GCC unroll 2
    for (std::size_t n = 0; n < NV; ++n) sums.v[m][n] = hn::Zero(d);
  }
}

template <std::size_t MR, std::size_t NV>
HWY_INLINE void load(Sums<MR, NV>& sums, const float* HWY_RESTRICT from, std::size_t stride) {
  const D d;
#pragma GCC unroll 16
  for (std::size_t m = 0; m < MR; ++m) {
#pragma GCC unroll 2
    for (std::size_t n = 0; n < NV; ++n)
      sums.v[m][n] = hn::LoadU(d, from + m * stride + n * kLanes);
  }
}

// sums[m, n] += a[m * ARow] * b[n]
template <std::size_t MR, std::size_t NV, std::size_t ARow>
HWY_INLINE void multiply_add(Sums<MR, NV>& sums, const float* HWY_RESTRICT a,
                             const float* HWY_RESTRICT b) {
  const D d;
  V row[NV];
#pragma GCC unroll 2
  for (std::size_t n = 0; n < NV; ++n) row[n] = hn::LoadU(d, b + n * kLanes);
#pragma GCC unroll 16
  for (std::size_t m = 0; m < MR; ++m) {
    const V x = hn::Set(d, a[m * ARow]);
#pragma GCC unroll 2
    for (std::size_t n = 0; n < NV; ++n) sums.v[m][n] = hn::MulAdd(x, row[n], sums.v[m][n]);
  }
}

// sums[m, n] += sum over k of a[m * ARow + k * AK] * b[k * BK + n]; one prefetch every `Every` k.
template <std::size_t MR, std::size_t NV, std::size_t ARow, std::size_t AK, std::size_t BK,
          std::size_t Every>
HWY_INLINE void accumulate(Sums<MR, NV>& sums, const float* HWY_RESTRICT a,
                           const float* HWY_RESTRICT b, std::size_t depth, Prefetcher& prefetch) {
  Sums<MR, NV> s = sums;
  std::size_t k = 0;
  for (; k + Every <= depth; k += Every) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < Every; ++i) {
      multiply_add<MR, NV, ARow>(s, a, b);
      a += AK;
      b += BK;
    }
    prefetch.one();
  }
  for (; k < depth; ++k) {
    multiply_add<MR, NV, ARow>(s, a, b);
    a += AK;
    b += BK;
  }
  sums = s;
}

// Calls f<MR>(first) for groups of rows of nearly equal size, none above kMr.
template <std::size_t MR, class F>
HWY_INLINE void with_rows(std::size_t rows, const F& f) {
  if constexpr (MR > 1) {
    if (rows != MR) return with_rows<MR - 1>(rows, f);
  }
  f(std::integral_constant<std::size_t, MR>());
}

template <class F>
HWY_INLINE void each_row_group(std::size_t rows, const F& f) {
  std::size_t groups = (rows + kMr - 1) / kMr;
  std::size_t first = 0;
  for (; groups > 0; --groups) {
    const std::size_t take = (rows - first + groups - 1) / groups;
    with_rows<kMr>(take, [&](auto mr) HWY_ATTR { f(mr, first); });
    first += take;
  }
}

// Rows of x that a multiplication reads: columns k … k + Run of them lie together, with a stride of
// `Stride` from row to row; those after lie `next` floats further.
template <std::size_t Stride, std::size_t Run>
struct Rows {
  static constexpr std::size_t kStride = Stride;
  static constexpr std::size_t kRun = Run;
  const float* at;
  std::size_t next;
};

// y = x · w for one panel and all rows; the sums go on from y if `add`, and `finish(row, column,
// sum)` makes what is stored of them if `last`.
template <std::size_t PanelWidth, std::size_t Every, class X, class Finish>
HWY_INLINE void multiply_panel(X x, const float* HWY_RESTRICT panel, std::size_t depth, bool add,
                               bool last, float* HWY_RESTRICT y, std::size_t rows,
                               Prefetcher& prefetch, const Finish& finish) {
  const D d;
  constexpr std::size_t kWidth = std::min(kNv * kLanes, PanelWidth);
  constexpr std::size_t kVectors = kWidth / kLanes;
  for (std::size_t c = 0; c < PanelWidth; c += kWidth) {
    each_row_group(rows, [&](auto mr, std::size_t first) HWY_ATTR {
      constexpr std::size_t kRows = decltype(mr)::value;
      float* out = y + first * kActPanel + c;
      Sums<kRows, kVectors> sums;
      if (add) {
        load(sums, out, kActPanel);
      } else {
        clear(sums);
      }
      const float* from = x.at + first * X::kStride;
      for (std::size_t k = 0; k < depth; k += X::kRun) {
        accumulate<kRows, kVectors, X::kStride, 1, PanelWidth, Every>(
            sums, from, panel + k * PanelWidth + c, std::min(X::kRun, depth - k), prefetch);
        from += x.next;
      }
#pragma GCC unroll 16
      for (std::size_t m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
        for (std::size_t n = 0; n < kVectors; ++n) {
          V value = sums.v[m][n];
          if (last) value = finish(first + m, c + n * kLanes, value);
          hn::StoreU(value, d, out + m * kActPanel + n * kLanes);
        }
      }
    });
  }
}

// Depth of the part of a weight panel that is used for all rows before the next, from the
// first-level cache.
constexpr std::size_t kDepth = 256;

// One panel of activations · w. Half of the weights were updated by other cores and come from their
// caches, out of the hardware's sight: while one panel is multiplied the next is on its way.
template <std::size_t PanelWidth, class Finish>
HWY_INLINE void multiply_activations(const float* x, ActLayout x_layout, const float* weights,
                                     PanelLayout w_layout, std::size_t panel, float* y,
                                     std::size_t rows, const Finish& finish) {
  const std::size_t depth = w_layout.depth;
  Prefetcher next;
  if (panel + 1 < w_layout.panels()) {
    const float* following = weights + w_layout.panel_offset(panel + 1);
    next.at = reinterpret_cast<const std::byte*>(following);
    next.stop =
        reinterpret_cast<const std::byte*>(following + depth * w_layout.panel_width(panel + 1));
  }
  const float* w = weights + w_layout.panel_offset(panel);
  for (std::size_t k = 0; k < depth; k += kDepth) {
    const Rows<kActPanel, kActPanel> from{x + k / kActPanel * x_layout.panel_stride(),
                                          x_layout.panel_stride()};
    const std::size_t part = std::min(kDepth, depth - k);
    multiply_panel<PanelWidth, 1>(from, w + k * PanelWidth, part, k > 0, k + part == depth, y, rows,
                                  next, finish);
  }
}

// max(floor, sum + bias). The sum stands second in the maximum: on x86 that of a number and a NaN
// is the second operand, and a NaN must reach the loss.
struct Activate {
  V floor;
  const float* bias;

  HWY_INLINE Activate(const Forward& op, std::size_t column)
      : floor(op.relu ? hn::Zero(D()) : hn::Set(D(), -INFINITY)), bias(op.bias + column) {}
  HWY_INLINE V operator()(std::size_t, std::size_t c, V sum) const {
    return hn::Max(floor, hn::Add(sum, hn::LoadU(D(), bias + c)));
  }
};

template <std::size_t PanelWidth>
HWY_INLINE void forward_panel(const Forward& op, std::size_t panel) {
  const std::size_t column = panel * kPanel;
  multiply_activations<PanelWidth>(op.x, op.x_layout, op.weights, op.w_layout, panel,
                                   op.y + op.y_layout.offset(0, column), op.rows,
                                   Activate(op, column));
}

void ForwardLane(const Forward& op) {
  for (std::size_t panel = 0; panel < op.w_layout.panels(); ++panel) {
    if (op.w_layout.panel_width(panel) == kPanel) {
      forward_panel<kPanel>(op, panel);
    } else {
      forward_panel<kPanel / 2>(op, panel);
    }
  }
}

template <std::size_t PanelWidth>
HWY_INLINE void backward_panel(const Backward& op, std::size_t panel) {
  const D d;
  const std::size_t at = op.layout.offset(0, panel * kPanel);
  if (op.slopes != nullptr) {
    const float* slopes = op.slopes + at;
    multiply_activations<PanelWidth>(
        op.dy, op.dy_layout, op.weights_t, op.wt_layout, panel, op.dx + at, op.rows,
        [&](std::size_t row, std::size_t c, V sum)
            HWY_ATTR { return hn::Mul(sum, hn::LoadU(d, slopes + row * kActPanel + c)); });
    return;
  }
  if (op.h == nullptr) {
    multiply_activations<PanelWidth>(op.dy, op.dy_layout, op.weights_t, op.wt_layout, panel,
                                     op.dx + at, op.rows,
                                     [](std::size_t, std::size_t, V sum) HWY_ATTR { return sum; });
    return;
  }
  const float* h = op.h + at;
  const V factor = hn::Set(d, op.factor);
  multiply_activations<PanelWidth>(
      op.dy, op.dy_layout, op.weights_t, op.wt_layout, panel, op.dx + at, op.rows,
      [&](std::size_t row, std::size_t c, V sum) HWY_ATTR {
        const V x = hn::LoadU(d, h + row * kActPanel + c);
        return hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), hn::Mul(sum, factor));
      });
}

void BackwardLane(const Backward& op) {
  for (std::size_t panel = 0; panel < op.wt_layout.panels(); ++panel) {
    if (op.wt_layout.panel_width(panel) == kPanel) {
      backward_panel<kPanel>(op, panel);
    } else {
      backward_panel<kPanel / 2>(op, panel);
    }
  }
}

HWY_INLINE V widen(const std::uint8_t* from) {
  const D d;
  const hn::Rebind<std::uint8_t, D> d8;
  const hn::Rebind<std::int32_t, D> d32;
  return hn::ConvertTo(d, hn::PromoteTo(d32, hn::LoadU(d8, from)));
}
HWY_INLINE V widen(const float* from) { return hn::LoadU(D(), from); }

// to[0, n) = from[0, n) as floats. The last vector overlaps the one before rather than reading too
// far.
template <class T>
HWY_INLINE void widen_run(const T* HWY_RESTRICT from, std::size_t n, float* HWY_RESTRICT to) {
  const D d;
  if (n < kLanes) {
    for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<float>(from[i]);
    return;
  }
  for (std::size_t i = 0; i + kLanes <= n; i += kLanes) hn::StoreU(widen(from + i), d, to + i);
  hn::StoreU(widen(from + n - kLanes), d, to + n - kLanes);
}

// x[r, 0 … n) = elements k … k + n of row first + r, as floats.
template <class T>
HWY_INLINE void load_part(const RowSource& source, std::size_t first, std::size_t rows,
                          std::size_t k, std::size_t n, float* HWY_RESTRICT x) {
  for (std::size_t r = 0; r < rows; ++r) {
    widen_run(reinterpret_cast<const T*>(source.data(first + r)) + k, n, x + r * kRangeStride);
  }
}

void InputPiece(const Input& op) {
  // A narrow layer's rows are converted a register tile at a time, so that they stay in the
  // first-level cache; a wide one's all at once, so that its weights come from further out only
  // once.
  const RowSource source = *op.source;
  const std::size_t panels = op.w_layout.panels();
  const std::size_t blocks = panels <= 2 ? (op.rows + kMr - 1) / kMr : 1;
  const std::size_t depth = op.end - op.begin;
  Prefetcher next = op.next;
  const auto as_is = [](std::size_t, std::size_t, V sum) HWY_ATTR { return sum; };
  std::size_t row = 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::size_t rows = (op.rows - row + blocks - b - 1) / (blocks - b);
    float* x = op.x + row * kRangeStride;
    if (source.type == InputType::kUInt8) {
      load_part<std::uint8_t>(source, op.first + row, rows, op.begin, depth, x);
    } else {
      load_part<float>(source, op.first + row, rows, op.begin, depth, x);
    }
    for (std::size_t panel = 0; panel < panels; ++panel) {
      const std::size_t width = op.w_layout.panel_width(panel);
      const float* weights = op.weights + op.w_layout.panel_offset(panel) + op.begin * width;
      float* y = op.sums + op.sums_layout.offset(row, panel * kPanel);
      const Rows<kRangeStride, InputRanges::kLongest> from{x, 0};
      if (width == kPanel) {
        multiply_panel<kPanel, 4>(from, weights, depth, op.add, false, y, rows, next, as_is);
      } else {
        multiply_panel<kPanel / 2, 4>(from, weights, depth, op.add, false, y, rows, next, as_is);
      }
    }
    row += rows;
  }
}

void FinishLane(const Finish& op) {
  const D d;
  const V scale = hn::Set(d, op.scale);
  const V floor = op.relu ? hn::Zero(d) : hn::Set(d, -INFINITY);
  const std::size_t width = round_up(op.layout.width, 16);
  for (std::size_t r = 0; r < op.rows; ++r) {
    for (std::size_t c = 0; c < width; c += kLanes) {
      const std::size_t at = op.layout.offset(r, c);
      V sum = hn::LoadU(d, op.sums + at);
      for (std::size_t part = 1; part < op.parts; ++part) {
        sum = hn::Add(sum, hn::LoadU(d, op.sums + part * op.part_stride + at));
      }
      // The NaN stands second, as above.
      hn::StoreU(hn::Max(floor, hn::MulAdd(sum, scale, hn::LoadU(d, op.bias + c))), d, op.y + at);
    }
  }
}

// Sixteen partial sums combined as a fixed tree, the same for every vector length.
HWY_INLINE float tree_sum(float* lanes) {
#if HWY_TARGET != HWY_SCALAR
  const hn::CappedTag<float, 4> d4;
  const auto low = hn::Add(hn::Load(d4, lanes), hn::Load(d4, lanes + 8));
  const auto high = hn::Add(hn::Load(d4, lanes + 4), hn::Load(d4, lanes + 12));
  hn::Store(hn::Add(low, high), d4, lanes);
#else
  for (std::size_t i = 0; i < 8; ++i) lanes[i] += lanes[i + 8];
  for (std::size_t i = 0; i < 4; ++i) lanes[i] += lanes[i + 4];
#endif
  return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
}

// Calls f(pointer, column, n) for runs of at most one vector of the row's `classes` columns.
template <class F>
HWY_INLINE void each_vector(float* row, ActLayout layout, std::size_t classes, const F& f) {
  for (std::size_t c = 0; c < classes; c += kLanes) {
    f(row + c / kActPanel * layout.panel_stride() + c % kActPanel, c,
      std::min(kLanes, classes - c));
  }
}

void SoftmaxLane(const Softmax& op) {
  const D d;
  constexpr std::size_t kBlock = 16;  // rows whose logarithms are taken at once
  HWY_ALIGN float sums[kBlock];
  HWY_ALIGN float rest[kBlock];
  HWY_ALIGN float weights[kBlock];
  std::fill(sums, sums + kBlock, 1.0F);
  std::fill(weights, weights + kBlock, 1.0F);
  // Labels lie anywhere in the data set: all at once they take as long as one.
  for (std::size_t r = 0; r < op.rows; ++r) {
    __builtin_prefetch(op.source->labels + op.source->sample(op.first + r));
  }
  for (std::size_t r = 0; r < op.rows; ++r) {
    float* row = op.z + r * kActPanel;
    const auto label = static_cast<std::size_t>(op.source->label(op.first + r));
    const float weight = op.class_weights != nullptr ? op.class_weights[label] : 1.0F;
    weights[r % kBlock] = weight;
    V largest = hn::Set(d, -INFINITY);
    each_vector(row, op.layout, op.classes,
                [&](const float* z, std::size_t, std::size_t n) HWY_ATTR {
                  const V x = hn::LoadU(d, z);
                  largest = hn::Max(largest, hn::IfThenElse(hn::FirstN(d, n), x, largest));
                });
    const V max = hn::MaxOfLanes(d, largest);

    HWY_ALIGN float partial[16] = {};
    std::size_t best = op.classes;
    float& label_cell = row[label / kActPanel * op.layout.panel_stride() + label % kActPanel];
    rest[r % kBlock] = hn::GetLane(max) - label_cell;
    if (op.smoothing != 0.0F) {
      HWY_ALIGN float totals[16] = {};
      each_vector(row, op.layout, op.classes,
                  [&](const float* z, std::size_t c, std::size_t n) HWY_ATTR {
                    float* total = totals + c % 16;
                    const V x = hn::IfThenElseZero(hn::FirstN(d, n), hn::LoadU(d, z));
                    hn::Store(hn::Add(hn::Load(d, total), x), d, total);
                  });
      const float mean = tree_sum(totals) / static_cast<float>(op.classes);
      rest[r % kBlock] =
          hn::GetLane(max) - ((1.0F - op.smoothing) * label_cell + op.smoothing * mean);
    }
    each_vector(row, op.layout, op.classes, [&](float* z, std::size_t c, std::size_t n) HWY_ATTR {
      const V x = hn::LoadU(d, z);
      const auto valid = hn::FirstN(d, n);
      if (best == op.classes) {
        const auto hit = hn::FindFirstTrue(d, hn::And(valid, hn::Eq(x, max)));
        if (hit >= 0) best = c + static_cast<std::size_t>(hit);
      }
      const V e = hn::IfThenElseZero(valid, hn::Exp(d, hn::Sub(x, max)));
      if (op.gradient) hn::StoreU(e, d, z);
      float* sum = partial + c % 16;
      hn::Store(hn::Add(hn::Load(d, sum), e), d, sum);
    });
    const float sum = tree_sum(partial);
    sums[r % kBlock] = sum;
    op.correct[r] = best == label ? 1 : 0;
    if (op.gradient) {
      const float scale = op.gradient_scale * weight;
      const V factor = hn::Set(d, scale / sum);
      const float share = scale * op.smoothing / static_cast<float>(op.classes);
      each_vector(row, op.layout, op.classes, [&](float* z, std::size_t, std::size_t n) HWY_ATTR {
        const V g = hn::Mul(hn::LoadU(d, z), factor);
        hn::StoreU(hn::Sub(g, hn::IfThenElseZero(hn::FirstN(d, n), hn::Set(d, share))), d, z);
      });
      label_cell -= scale * (1.0F - op.smoothing);
    }
    if (r % kBlock + 1 == kBlock || r + 1 == op.rows) {
      const std::size_t begin = r / kBlock * kBlock;
      for (std::size_t i = 0; i < kBlock; i += kLanes) {
        const V loss = hn::Add(hn::Log(d, hn::Load(d, sums + i)), hn::Load(d, rest + i));
        hn::Store(hn::Mul(loss, hn::Load(d, weights + i)), d, sums + i);
      }
      std::copy(sums, sums + (r + 1 - begin), op.losses + begin);
    }
  }
}

// What a weight's update reads and writes beside it.
// kStore and kAdd leave it be: `m` is where the gradient goes.
enum class Rule : std::uint8_t { kPlain, kMomentum, kNesterov, kAdam, kStore, kAdd };

template <Rule R>
HWY_INLINE void apply(const OptimizerStep& step, V gradient, float* HWY_RESTRICT w,
                      float* HWY_RESTRICT m, float* HWY_RESTRICT v) {
  const D d;
  if constexpr (R == Rule::kStore || R == Rule::kAdd) {
    return hn::StoreU(R == Rule::kAdd ? hn::Add(hn::LoadU(d, m), gradient) : gradient, d, m);
  }
  V weight = hn::LoadU(d, w);
  V g = hn::MulAdd(hn::Set(d, step.weight_decay), weight, gradient);
  if constexpr (R == Rule::kAdam) {
    const V one = hn::Set(d, 1.0F);
    const V beta1 = hn::Set(d, step.beta1);
    const V beta2 = hn::Set(d, step.beta2);
    const V first = hn::MulAdd(beta1, hn::LoadU(d, m), hn::Mul(hn::Sub(one, beta1), g));
    const V second =
        hn::MulAdd(beta2, hn::LoadU(d, v), hn::Mul(hn::Sub(one, beta2), hn::Mul(g, g)));
    hn::StoreU(first, d, m);
    hn::StoreU(second, d, v);
    const V below = hn::MulAdd(hn::Sqrt(second), hn::Set(d, step.root), hn::Set(d, step.epsilon));
    weight = hn::Mul(weight, hn::Set(d, step.shrink));
    const V towards = hn::Mul(hn::Set(d, step.step_size), first);
    hn::StoreU(hn::Sub(weight, hn::Div(towards, below)), d, w);
    return;
  }
  if constexpr (R == Rule::kMomentum || R == Rule::kNesterov) {
    const V momentum = hn::Set(d, step.momentum);
    const V moved = hn::MulAdd(momentum, hn::LoadU(d, m), g);
    hn::StoreU(moved, d, m);
    g = R == Rule::kNesterov ? hn::MulAdd(momentum, moved, g) : moved;
  }
  hn::StoreU(hn::NegMulAdd(hn::Set(d, step.learning_rate), g, weight), d, w);
}

template <Rule R>
constexpr bool keeps() {
  return R == Rule::kStore || R == Rule::kAdd;
}

// Calls f(R) for the rule of an update. Chosen behind a tile's sums: those of each rule, compiled
// apart, are the same instructions and take twice as long to compile.
template <class F>
HWY_INLINE void with_rule(const Update& op, const F& f) {
  if (op.mode == Update::Mode::kStore) return f(std::integral_constant<Rule, Rule::kStore>());
  if (op.mode == Update::Mode::kAdd) return f(std::integral_constant<Rule, Rule::kAdd>());
  if (op.second != nullptr) return f(std::integral_constant<Rule, Rule::kAdam>());
  if (op.momentum == nullptr) return f(std::integral_constant<Rule, Rule::kPlain>());
  if (op.step.kind == OptimizerSpec::Kind::kNesterov) {
    return f(std::integral_constant<Rule, Rule::kNesterov>());
  }
  f(std::integral_constant<Rule, Rule::kMomentum>());
}

// Rows [begin, end) × `width` columns of a panel, written as columns of the transposed panels.
HWY_INLINE void transpose_rows(const Update& op, std::size_t panel, std::size_t width) {
  const float* from = op.weights + op.w_layout.panel_offset(panel);
  const std::size_t columns = std::min(width, op.w_layout.width - panel * kPanel);
  std::size_t i = op.in_begin;
#if HWY_TARGET != HWY_SCALAR
  const hn::CappedTag<float, 4> d4;
  using V4 = hn::Vec<decltype(d4)>;
  for (; i + 4 <= op.in_end; i += 4) {
    const std::size_t to_width = op.wt_layout.panel_width(i / kPanel);
    float* to = op.weights_t + op.wt_layout.offset(panel * kPanel, i);
    const float* r0 = from + i * width;
    std::size_t c = 0;
    for (; c + 4 <= columns; c += 4) {
      const V4 a = hn::LoadU(d4, r0 + c);
      const V4 b = hn::LoadU(d4, r0 + width + c);
      const V4 e = hn::LoadU(d4, r0 + 2 * width + c);
      const V4 f = hn::LoadU(d4, r0 + 3 * width + c);
      const V4 ab_lo = hn::InterleaveLower(d4, a, e);
      const V4 ab_hi = hn::InterleaveUpper(d4, a, e);
      const V4 ef_lo = hn::InterleaveLower(d4, b, f);
      const V4 ef_hi = hn::InterleaveUpper(d4, b, f);
      hn::StoreU(hn::InterleaveLower(d4, ab_lo, ef_lo), d4, to + (c + 0) * to_width);
      hn::StoreU(hn::InterleaveUpper(d4, ab_lo, ef_lo), d4, to + (c + 1) * to_width);
      hn::StoreU(hn::InterleaveLower(d4, ab_hi, ef_hi), d4, to + (c + 2) * to_width);
      hn::StoreU(hn::InterleaveUpper(d4, ab_hi, ef_hi), d4, to + (c + 3) * to_width);
    }
    for (; c < columns; ++c) {
      for (std::size_t j = 0; j < 4; ++j) to[c * to_width + j] = r0[j * width + c];
    }
  }
#endif
  for (; i < op.in_end; ++i) {
    for (std::size_t c = 0; c < columns; ++c) {
      op.weights_t[op.wt_layout.offset(panel * kPanel + c, i)] = from[i * width + c];
    }
  }
}

template <std::size_t XStride, std::size_t PanelWidth>
HWY_INLINE void update_panel(const Update& op, std::size_t panel) {
  constexpr std::size_t kWidth = std::min(kNv * kLanes, PanelWidth);
  constexpr std::size_t kVectors = kWidth / kLanes;
  const float* dy = op.dy + op.dy_layout.offset(0, panel * kPanel);
  const V scale = hn::Set(D(), op.scale);
  Prefetcher nothing;
  for (std::size_t c = 0; c < PanelWidth; c += kWidth) {
    each_row_group(op.in_end - op.in_begin, [&](auto mr, std::size_t row) HWY_ATTR {
      constexpr std::size_t kRows = decltype(mr)::value;
      const std::size_t at = op.w_layout.panel_offset(panel) + (op.in_begin + row) * PanelWidth + c;
      // Other cores may have read these weights in the forward pass: owning them again takes as
      // long as a miss.
      for (std::size_t i = 0; i < kRows * PanelWidth; i += 16)
        __builtin_prefetch(op.weights + at + i, 1, 3);
      Sums<kRows, kVectors> sums;
      clear(sums);
      accumulate<kRows, kVectors, 1, XStride, kActPanel, 2>(sums, op.x + row, dy + c, op.batch,
                                                            nothing);
      with_rule(op, [&](auto rule) HWY_ATTR {
        constexpr Rule R = decltype(rule)::value;
#pragma GCC unroll 16
        for (std::size_t m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
          for (std::size_t n = 0; n < kVectors; ++n) {
            const std::size_t w = at + m * PanelWidth + n * kLanes;
            apply<R>(op.step, hn::Mul(sums.v[m][n], scale), op.weights + w,
                     keeps<R>()          ? op.gradients + w
                     : R != Rule::kPlain ? op.momentum + w
                                         : nullptr,
                     R == Rule::kAdam ? op.second + w : nullptr);
          }
        }
      });
    });
  }
  if (op.mode == Update::Mode::kAll && op.weights_t != nullptr) {
    transpose_rows(op, panel, PanelWidth);
  }
}

template <Rule R>
HWY_INLINE void update_bias(const Update& op, std::size_t panel) {
  const D d;
  const std::size_t column = panel * kPanel;
  const float* dy = op.dy + op.dy_layout.offset(0, column);
  for (std::size_t c = 0; c < op.w_layout.panel_width(panel); c += kLanes) {
    V sum = hn::Zero(d);
    for (std::size_t b = 0; b < op.batch; ++b) {
      sum = hn::Add(sum, hn::LoadU(d, dy + b * kActPanel + c));
    }
    apply<R>(op.step, sum, op.bias + column + c,
             keeps<R>()          ? op.bias_gradients + column + c
             : R != Rule::kPlain ? op.bias_momentum + column + c
                                 : nullptr,
             R == Rule::kAdam ? op.bias_second + column + c : nullptr);
  }
}

template <std::size_t XStride>
HWY_INLINE void update_all(const Update& op) {
  for (std::size_t panel = op.panel_begin; panel < op.panel_end; ++panel) {
    if (op.w_layout.panel_width(panel) == kPanel) {
      update_panel<XStride, kPanel>(op, panel);
    } else {
      update_panel<XStride, kPanel / 2>(op, panel);
    }
    if (op.in_begin == 0 && op.bias != nullptr) {
      with_rule(op, [&](auto rule) HWY_ATTR { update_bias<decltype(rule)::value>(op, panel); });
    }
  }
}

template <Rule R>
HWY_INLINE void step_all(const Step& op) {
  const D d;
  const V factor = hn::Set(d, op.factor);
  for (std::size_t i = 0; i < op.count; i += kLanes) {
    apply<R>(op.step, hn::Mul(hn::LoadU(d, op.gradient + i), factor), op.values + i,
             R != Rule::kPlain ? op.momentum + i : nullptr,
             R == Rule::kAdam ? op.second + i : nullptr);
  }
}

void StepPiece(const Step& op) {
  if (op.second != nullptr) return step_all<Rule::kAdam>(op);
  if (op.momentum == nullptr) return step_all<Rule::kPlain>(op);
  if (op.step.kind == OptimizerSpec::Kind::kNesterov) return step_all<Rule::kNesterov>(op);
  step_all<Rule::kMomentum>(op);
}

// The update of a tile by the gradients that are there.
HWY_INLINE void step_tile(const Update& op) {
  const auto beside = [](float* all, std::size_t at) {
    return all != nullptr ? all + at : nullptr;
  };
  for (std::size_t panel = op.panel_begin; panel < op.panel_end; ++panel) {
    const std::size_t width = op.w_layout.panel_width(panel);
    const std::size_t at = op.w_layout.panel_offset(panel) + op.in_begin * width;
    StepPiece({op.gradients + at, op.factor, op.step, op.weights + at, beside(op.momentum, at),
               beside(op.second, at), (op.in_end - op.in_begin) * width});
    if (op.weights_t != nullptr) transpose_rows(op, panel, width);
  }
}

void AverageRange(float* average, const float* values, std::size_t count, float share) {
  const D d;
  const V by = hn::Set(d, share);
  for (std::size_t i = 0; i < count; i += kLanes) {
    const V old = hn::LoadU(d, average + i);
    hn::StoreU(hn::MulAdd(by, hn::Sub(hn::LoadU(d, values + i), old), old), d, average + i);
  }
}

void CollectRange(float* to, const float* from, std::size_t count, float scale, bool add) {
  const D d;
  const V by = hn::Set(d, scale);
  for (std::size_t i = 0; i < count; i += kLanes) {
    const V x = hn::Mul(by, hn::LoadU(d, from + i));
    hn::StoreU(add ? hn::Add(hn::LoadU(d, to + i), x) : x, d, to + i);
  }
}

void UpdatePiece(const Update& op) {
  if (op.mode == Update::Mode::kStep) return step_tile(op);
  op.x_is_range ? update_all<kRangeStride>(op) : update_all<kActPanel>(op);
}

const char* TargetName() {
  switch (HWY_TARGET) {
#if HWY_ARCH_X86
    case HWY_AVX3:
    case HWY_AVX3_DL:
      return "AVX-512";
    case HWY_AVX2:
      return "AVX2";
    case HWY_SSE4:
      return "SSE4.2";
#endif
    default:
      return hwy::TargetName(HWY_TARGET);
  }
}

}  // namespace millrace::cpu::f32::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millrace::cpu::f32 {

HWY_EXPORT(InputPiece);
HWY_EXPORT(FinishLane);
HWY_EXPORT(ForwardLane);
HWY_EXPORT(BackwardLane);
HWY_EXPORT(SoftmaxLane);
HWY_EXPORT(UpdatePiece);
HWY_EXPORT(StepPiece);
HWY_EXPORT(AverageRange);
HWY_EXPORT(CollectRange);
HWY_EXPORT(TargetName);

void input(const Input& op) { HWY_DYNAMIC_DISPATCH(InputPiece)(op); }
void finish(const Finish& op) { HWY_DYNAMIC_DISPATCH(FinishLane)(op); }
void forward(const Forward& op) { HWY_DYNAMIC_DISPATCH(ForwardLane)(op); }
void backward(const Backward& op) { HWY_DYNAMIC_DISPATCH(BackwardLane)(op); }
void softmax(const Softmax& op) { HWY_DYNAMIC_DISPATCH(SoftmaxLane)(op); }
void update(const Update& op) { HWY_DYNAMIC_DISPATCH(UpdatePiece)(op); }
void step(const Step& op) { HWY_DYNAMIC_DISPATCH(StepPiece)(op); }
void average(float* average, const float* values, std::size_t count, float share) {
  HWY_DYNAMIC_DISPATCH(AverageRange)(average, values, count, share);
}
void collect(float* to, const float* from, std::size_t count, float scale, bool add) {
  HWY_DYNAMIC_DISPATCH(CollectRange)(to, from, count, scale, add);
}

double squares(const float* values, std::size_t count) {
  // Chains that a compiler may take side by side.
  double chains[8] = {};
  for (std::size_t i = 0; i < count; ++i) chains[i % 8] += double{values[i]} * double{values[i]};
  return ((chains[0] + chains[1]) + (chains[2] + chains[3])) +
         ((chains[4] + chains[5]) + (chains[6] + chains[7]));
}

const char* target_name() { return HWY_DYNAMIC_DISPATCH(TargetName)(); }

}  // namespace millrace::cpu::f32
#endif
