#include "compute/cpu/bf16_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
// The intrinsics' own headers start from an undefined vector on purpose; GCC 12 warns of it where
// they are inlined.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

// Functions for processors that have the instructions; everything else in this file runs anywhere.
#define MILLRACE_DOT __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define MILLRACE_DOT_INLINE MILLRACE_DOT inline __attribute__((always_inline))
#define MILLRACE_TILES __attribute__((target("avx512f,amx-tile,amx-bf16")))

namespace millrace::cpu::bf16 {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kPairRow = 32;  // bfloat16 numbers of one row of a pair panel

struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t column_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Two by two blocks of c at a time: four tiles of sums, two of each side.
MILLRACE_TILES void multiply_tiles(const Multiply& op) {
  // In static memory: GCC 12's intrinsic tells the compiler of eight bytes that it reads, not of
  // all 64.
  static constexpr TileConfig kConfig;
  _tile_loadconfig(&kConfig);
  // Nor does it say that tile loads read memory: all stores before must be done by now.
  asm volatile("" ::: "memory");
  const std::size_t a_bytes = op.a_stride * sizeof(Bits);
  constexpr std::size_t kCBytes = kActPanel * sizeof(float);
  for (std::size_t n = 0; n < op.n_blocks; n += 2) {
    const Bits* b0 = op.b + n * op.b_panel_stride;
    const Bits* b1 = b0 + op.b_panel_stride;
    for (std::size_t m = 0; m < op.m_blocks; m += 2) {
      const Bits* a0 = op.a + m * kBlock * op.a_stride;
      const Bits* a1 = a0 + kBlock * op.a_stride;
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
      for (std::size_t k = 0; k < op.depth; k += 32) {
        _tile_loadd(4, a0 + k, a_bytes);
        _tile_loadd(6, b0 + k * kBlock, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, b1 + k * kBlock, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, a1 + k, a_bytes);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
      float* c0 = op.c + op.c_layout.offset(m * kBlock, n * kBlock);
      float* c1 = c0 + kBlock * kActPanel;
      _tile_stored(0, c0, kCBytes);
      _tile_stored(1, c0 + kBlock, kCBytes);
      _tile_stored(2, c1, kCBytes);
      _tile_stored(3, c1 + kBlock, kCBytes);
    }
  }
  _tile_release();
}

// kRows × kPanels vectors of sums: sixteen are enough for both pipes, and leave registers for the
// rest.
template <std::size_t kRows, std::size_t kPanels>
MILLRACE_DOT_INLINE void dot_block(const Multiply& op, std::size_t depth, std::size_t m,
                                   std::size_t n) {
  __m512 sums[kRows][kPanels];
#pragma GCC unroll 16
  for (auto& row : sums) {
#pragma GCC unroll 2
    for (__m512& sum : row) sum = _mm512_setzero_ps();
  }
  const Bits* a = op.a + m * op.a_stride;
  const Bits* b = op.b + n * op.b_panel_stride;
  for (std::size_t k = 0; k < depth; k += 2) {
    __m512bh x[kPanels];
#pragma GCC unroll 2
    for (std::size_t p = 0; p < kPanels; ++p) {
      x[p] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + p * op.b_panel_stride + k * kBlock));
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      std::int32_t pair = 0;
      std::memcpy(&pair, a + r * op.a_stride + k, sizeof(pair));
      const auto y = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
#pragma GCC unroll 2
      for (std::size_t p = 0; p < kPanels; ++p) {
        sums[r][p] = _mm512_dpbf16_ps(sums[r][p], y, x[p]);
      }
    }
  }
  float* c = op.c + op.c_layout.offset(m, n * kBlock);
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (std::size_t p = 0; p < kPanels; ++p) {
      _mm512_storeu_ps(c + r * kActPanel + p * kBlock, sums[r][p]);
    }
  }
}

// All rows from `m` on: kRows at a time, and those that are left by halves of that.
template <std::size_t kRows, std::size_t kPanels>
MILLRACE_DOT_INLINE void dot_rows(const Multiply& op, std::size_t depth, std::size_t m,
                                  std::size_t n) {
  for (; m + kRows <= op.rows; m += kRows) dot_block<kRows, kPanels>(op, depth, m, n);
  if constexpr (kRows > 1) dot_rows<kRows / 2, kPanels>(op, depth, m, n);
}

MILLRACE_DOT void multiply_dot(const Multiply& op) {
  const std::size_t panels = div_up(op.columns, kBlock);
  const std::size_t depth = round_up(op.terms, 2);
  for (std::size_t n = 0; n + 1 < panels; n += 2) {
    dot_rows<8, 2>(op, depth, 0, n);
  }
  if (panels % 2 != 0) dot_rows<16, 1>(op, depth, 0, panels - 1);
  for (std::size_t n = 0; n < op.n_blocks; ++n) {
    for (std::size_t m = n < panels ? op.rows : 0; m < op.m_blocks * kBlock; ++m) {
      _mm512_storeu_ps(op.c + op.c_layout.offset(m, n * kBlock), _mm512_setzero_ps());
    }
  }
}

// 32 numbers rounded to nearest even: the first 16, then the second.
MILLRACE_DOT_INLINE __m512i round_pair(__m512 first, __m512 second) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
}

// Where the numbers of a row of a pair panel come from: 16 from `first` on, and from `second` on,
// in turn.
struct alignas(64) Turns {
  std::uint16_t at[32] = {};
  constexpr Turns(std::uint16_t first, std::uint16_t second) {
    for (std::uint16_t i = 0; i < 16; ++i) {
      at[2 * i] = first + i;
      at[2 * i + 1] = second + i;
    }
  }
};
constexpr Turns kHalvesInTurn(0, 16);
constexpr Turns kRowsInTurn[2] = {{0, 32}, {16, 48}};

// A row of a pair panel from one vector: number i beside 16 + i.
MILLRACE_DOT_INLINE __m512i interleave_halves(__m512i x) {
  return _mm512_permutexvar_epi16(_mm512_load_si512(&kHalvesInTurn), x);
}
// From the first or the second 16 of two rows.
MILLRACE_DOT_INLINE __m512i interleave_rows(__m512i a, __m512i b, std::size_t half) {
  return _mm512_permutex2var_epi16(a, _mm512_load_si512(&kRowsInTurn[half]), b);
}

// rows[i] becomes column i of what the rows were; 32-bit elements.
MILLRACE_DOT_INLINE void transpose(__m512i (&r)[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0x88);
    t[4 + i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0xDD);
    t[8 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0x88);
    t[12 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0xDD);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0x88);
    r[8 + i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0xDD);
    r[4 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0x88);
    r[12 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0xDD);
  }
}

MILLRACE_DOT_INLINE __m512 widen(__m128i bytes) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
}
MILLRACE_DOT_INLINE __m512 load_elements(const std::uint8_t* from) {
  return widen(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
MILLRACE_DOT_INLINE __m512 load_elements(const std::uint8_t* from, __mmask16 mask) {
  return widen(_mm_maskz_loadu_epi8(mask, from));
}
MILLRACE_DOT_INLINE __m512 load_elements(const float* from) { return _mm512_loadu_ps(from); }
MILLRACE_DOT_INLINE __m512 load_elements(const float* from, __mmask16 mask) {
  return _mm512_maskz_loadu_ps(mask, from);
}

// Elements c … c + 32 of a row of `width`, and zeros after its end. No row: all zeros.
template <class T>
MILLRACE_DOT_INLINE __m512i load_run(const T* row, std::size_t c, std::size_t width) {
  if (row == nullptr) return _mm512_setzero_si512();
  if (c + kPairRow <= width) {
    return round_pair(load_elements(row + c), load_elements(row + c + kBlock));
  }
  const std::uint32_t mask = (std::uint32_t{1} << (width - c)) - 1U;
  return round_pair(load_elements(row + c, static_cast<__mmask16>(mask)),
                    load_elements(row + c + kBlock, static_cast<__mmask16>(mask >> kBlock)));
}

template <class T>
MILLRACE_DOT void load_rows(const Load& op) {
  const RowSource source = *op.source;
  const std::size_t width = op.end - op.begin;
  const std::size_t rows = round_up(op.rows, 32);
  const auto elements = [&](std::size_t r) {
    return r < op.rows ? reinterpret_cast<const T*>(source.data(op.first + r)) + op.begin : nullptr;
  };
  for (std::size_t r = 0; r < rows; r += 2) {
    for (std::size_t i = op.first + r; i < std::min(op.first + r + 2, op.next_rows); ++i) {
      const std::byte* soon = op.next->data(i) + op.begin * sizeof(T);
      for (std::size_t e = 0; e < width * sizeof(T) + 63; e += 64)
        __builtin_prefetch(soon + e, 0, 2);
    }
    const T* a = elements(r);
    const T* b = elements(r + 1);
    Bits* x = op.x + r * op.x_stride;
    for (std::size_t c = 0; c < width; c += kPairRow) {
      const __m512i of_a = load_run(a, c, width);
      const __m512i of_b = load_run(b, c, width);
      _mm512_storeu_si512(x + c, of_a);
      _mm512_storeu_si512(x + op.x_stride + c, of_b);
      if (op.pairs == nullptr) continue;
#pragma GCC unroll 2
      for (std::size_t h = 0; h < 2; ++h) {
        Bits* to = op.pairs + (c / kBlock + h) * op.pair_panel_stride + r * kBlock;
        _mm512_storeu_si512(to, interleave_rows(of_a, of_b, h));
      }
    }
  }
}

MILLRACE_DOT_INLINE __m512 finished(const Activate& op, std::size_t row, std::size_t column) {
  const float* at = op.sums + op.sums_layout.offset(row, column);
  __m512 sum = _mm512_loadu_ps(at);
  for (std::size_t range = 1; range < op.ranges; ++range) {
    sum = _mm512_add_ps(sum, _mm512_loadu_ps(at + range * op.range_stride));
  }
  const __m512 bias = op.bias != nullptr ? _mm512_loadu_ps(op.bias + column) : _mm512_setzero_ps();
  return _mm512_fmadd_ps(sum, _mm512_set1_ps(op.scale), bias);
}

MILLRACE_DOT void activate_rows(const Activate& op) {
  const std::size_t rows = round_up(op.rows, 32);
  const __m512 floor = _mm512_set1_ps(op.linear ? -INFINITY : 0.0F);
  for (std::size_t r = 0; r < rows; r += 2) {
    for (std::size_t c = 0; c < op.width; c += kPairRow) {
      __m512i rounded[2];
#pragma GCC unroll 2
      for (std::size_t i = 0; i < 2; ++i) {
        __m512 halves[2];
#pragma GCC unroll 2
        for (std::size_t h = 0; h < 2; ++h) {
          __m512 z = _mm512_setzero_ps();
          if (r + i < op.rows) z = finished(op, r + i, c + h * kBlock);
          if (op.logits != nullptr) {
            _mm512_storeu_ps(op.logits + op.logits_layout.offset(r + i, c + h * kBlock), z);
          }
          // z stands second, so that a NaN stays one.
          halves[h] = _mm512_max_ps(floor, z);
        }
        rounded[i] = round_pair(halves[0], halves[1]);
        if (op.y != nullptr) _mm512_storeu_si512(op.y + (r + i) * op.y_stride + c, rounded[i]);
      }
      if (op.pairs == nullptr) continue;
#pragma GCC unroll 2
      for (std::size_t h = 0; h < 2; ++h) {
        Bits* to = op.pairs + (c / kBlock + h) * op.pair_panel_stride + r * kBlock;
        _mm512_storeu_si512(to, interleave_rows(rounded[0], rounded[1], h));
      }
    }
  }
}

MILLRACE_DOT void gradient_rows(const Gradient& op) {
  for (std::size_t r = 0; r < op.rows; r += 32) {
    for (std::size_t c = 0; c < op.width; c += kBlock) {
      __m512i pairs[16];
#pragma GCC unroll 16
      for (std::size_t p = 0; p < 16; ++p) {
        __m512 values[2];
#pragma GCC unroll 2
        for (std::size_t i = 0; i < 2; ++i) {
          const std::size_t row = r + 2 * p + i;
          __m512 dz = _mm512_loadu_ps(op.dz + op.layout.offset(row, c));
          if (op.slopes != nullptr) {
            dz = _mm512_mul_ps(dz, _mm512_loadu_ps(op.slopes + op.slopes_layout.offset(row, c)));
          } else if (op.y != nullptr) {
            // y is zero or a positive number (or a NaN, which has reached the loss already).
            const __m256i y =
                _mm256_loadu_si256(reinterpret_cast<const __m256i*>(op.y + row * op.y_stride + c));
            dz = _mm512_maskz_mul_ps(_mm256_cmpgt_epi16_mask(y, _mm256_setzero_si256()), dz,
                                     _mm512_set1_ps(op.factor));
          }
          values[i] = dz;
        }
        const __m512i rounded = round_pair(values[0], values[1]);
        if (op.by_row != nullptr) {
          Bits* to = op.by_row + (r + 2 * p) * op.by_row_stride + c;
          _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(rounded));
          _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + op.by_row_stride),
                              _mm512_extracti64x4_epi64(rounded, 1));
        }
        pairs[p] = interleave_halves(rounded);
      }
      transpose(pairs);
#pragma GCC unroll 16
      for (std::size_t o = 0; o < 16; ++o) {
        _mm512_storeu_si512(op.by_column + (c + o) * op.by_column_stride + r, pairs[o]);
      }
    }
  }
}

// The weight after a step; moments change in place.
MILLRACE_DOT_INLINE __m512 stepped(const OptimizerStep& step, __m512 gradient, __m512 weight,
                                   float* momentum, float* second) {
  __m512 g = _mm512_fmadd_ps(_mm512_set1_ps(step.weight_decay), weight, gradient);
  if (second != nullptr) {
    const __m512 m = _mm512_fmadd_ps(_mm512_set1_ps(step.beta1), _mm512_loadu_ps(momentum),
                                     _mm512_mul_ps(_mm512_set1_ps(1.0F - step.beta1), g));
    const __m512 v =
        _mm512_fmadd_ps(_mm512_set1_ps(step.beta2), _mm512_loadu_ps(second),
                        _mm512_mul_ps(_mm512_set1_ps(1.0F - step.beta2), _mm512_mul_ps(g, g)));
    _mm512_storeu_ps(momentum, m);
    _mm512_storeu_ps(second, v);
    const __m512 below =
        _mm512_fmadd_ps(_mm512_sqrt_ps(v), _mm512_set1_ps(step.root), _mm512_set1_ps(step.epsilon));
    const __m512 towards = _mm512_mul_ps(_mm512_set1_ps(step.step_size), m);
    return _mm512_sub_ps(_mm512_mul_ps(weight, _mm512_set1_ps(step.shrink)),
                         _mm512_div_ps(towards, below));
  }
  if (momentum != nullptr) {
    const __m512 factor = _mm512_set1_ps(step.momentum);
    const __m512 moved = _mm512_fmadd_ps(factor, _mm512_loadu_ps(momentum), g);
    _mm512_storeu_ps(momentum, moved);
    g = step.kind == OptimizerSpec::Kind::kNesterov ? _mm512_fmadd_ps(factor, moved, g) : moved;
  }
  return _mm512_fnmadd_ps(_mm512_set1_ps(step.learning_rate), g, weight);
}

template <bool WithStep>
MILLRACE_DOT void update_block(const Update& op) {
  const __m512 scale = _mm512_set1_ps(op.scale);
#pragma GCC unroll 2
  for (std::size_t half = 0; half < 2; ++half) {
    __m512i pairs[16];
#pragma GCC unroll 8
    for (std::size_t o = 0; o < kBlock; o += 2) {
#pragma GCC unroll 2
      for (std::size_t i = 0; i < 2; ++i) {
        __m512 values[2];
#pragma GCC unroll 2
        for (std::size_t h = 0; h < 2; ++h) {
          float* at = op.weights[half][h] + (o + i) * kBlock;
          __m512 weight = _mm512_loadu_ps(at);
          if constexpr (WithStep) {
            const float* g = op.gradient + (half * kBlock + o + i) * kActPanel + h * kBlock;
            const auto beside = [&](float* all) {
              return all != nullptr ? all + (o + i) * kBlock : nullptr;
            };
            weight = stepped(op.step, _mm512_mul_ps(_mm512_loadu_ps(g), scale), weight,
                             beside(op.momentum[half][h]), beside(op.second[half][h]));
            _mm512_storeu_ps(at, weight);
          }
          values[h] = weight;
        }
        pairs[o + i] = round_pair(values[0], values[1]);
      }
      if (op.backward[0] != nullptr) {
#pragma GCC unroll 2
        for (std::size_t h = 0; h < 2; ++h) {
          _mm512_storeu_si512(op.backward[h] + (half * kBlock + o) / 2 * kPairRow,
                              interleave_rows(pairs[o], pairs[o + 1], h));
        }
      }
    }
    transpose(pairs);
#pragma GCC unroll 16
    for (std::size_t p = 0; p < 16; ++p)
      _mm512_storeu_si512(op.forward[half] + p * kPairRow, pairs[p]);
  }
}

// sums[o] of 16 rows of dz by column, from row c on.
MILLRACE_DOT_INLINE void sum_columns(const Bits* by_column, std::size_t stride, std::size_t batch,
                                     std::size_t c, float* sums) {
  for (std::size_t o = 0; o < kBlock; ++o) {
    const Bits* row = by_column + (c + o) * stride;
    __m512 sum = _mm512_setzero_ps();
    for (std::size_t b = 0; b < batch; b += kBlock) {
      const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + b));
      sum = _mm512_add_ps(sum,
                          _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16)));
    }
    sums[o] = _mm512_reduce_add_ps(sum);
  }
}

MILLRACE_DOT void bias_gradients(const Bits* by_column, std::size_t stride, std::size_t batch,
                                 std::size_t width, float* gradient, bool add) {
  alignas(64) float sums[kBlock];
  for (std::size_t c = 0; c < width; c += kBlock) {
    sum_columns(by_column, stride, batch, c, sums);
    const __m512 sum = _mm512_load_ps(sums);
    _mm512_storeu_ps(gradient + c, add ? _mm512_add_ps(_mm512_loadu_ps(gradient + c), sum) : sum);
  }
}

MILLRACE_DOT void update_biases(const Bits* by_column, std::size_t stride, std::size_t batch,
                                std::size_t width, const OptimizerStep& step, float* bias,
                                float* momentum, float* second) {
  alignas(64) float sums[kBlock];
  for (std::size_t c = 0; c < width; c += kBlock) {
    sum_columns(by_column, stride, batch, c, sums);
    float* m = momentum != nullptr ? momentum + c : nullptr;
    float* v = second != nullptr ? second + c : nullptr;
    _mm512_storeu_ps(bias + c,
                     stepped(step, _mm512_load_ps(sums), _mm512_loadu_ps(bias + c), m, v));
  }
}

bool system_allows_tiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool has_tiles() {
  // CPUID leaf 7, EDX: bit 22 AMX-BF16, bit 24 AMX-TILE.
  unsigned a = 7;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return (d >> 22U & 1U) != 0 && (d >> 24U & 1U) != 0;
}

Unit find_unit() {
  __builtin_cpu_init();
  const bool dot =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
      __builtin_cpu_supports("avx512bf16") != 0;
  if (!dot) return Unit::kNone;
  return has_tiles() && system_allows_tiles() ? Unit::kTiles : Unit::kDot;
}

}  // namespace

void multiply(Unit unit, const Multiply& op) {
  unit == Unit::kTiles ? multiply_tiles(op) : multiply_dot(op);
}
void load(const Load& op) {
  op.source->type == InputType::kUInt8 ? load_rows<std::uint8_t>(op) : load_rows<float>(op);
}
void activate(const Activate& op) { activate_rows(op); }
void gradient(const Gradient& op) { gradient_rows(op); }
void update(const Update& op) { update_block<true>(op); }
void pack(const Update& op) { update_block<false>(op); }
void update_bias(const Bits* by_column, std::size_t stride, std::size_t batch, std::size_t width,
                 const OptimizerStep& step, float* bias, float* momentum, float* second) {
  update_biases(by_column, stride, batch, width, step, bias, momentum, second);
}
void bias_gradient(const Bits* by_column, std::size_t stride, std::size_t batch, std::size_t width,
                   float* gradient, bool add) {
  bias_gradients(by_column, stride, batch, width, gradient, add);
}

}  // namespace millrace::cpu::bf16

#else

namespace millrace::cpu::bf16 {
namespace {

Unit find_unit() { return Unit::kNone; }
[[noreturn]] void missing() {
  throw std::logic_error("bfloat16 kernels called on a processor that has none");
}

}  // namespace

void multiply(Unit, const Multiply&) { missing(); }
void load(const Load&) { missing(); }
void activate(const Activate&) { missing(); }
void gradient(const Gradient&) { missing(); }
void update(const Update&) { missing(); }
void pack(const Update&) { missing(); }
void bias_gradient(const Bits*, std::size_t, std::size_t, std::size_t, float*, bool) { missing(); }
void update_bias(const Bits*, std::size_t, std::size_t, std::size_t, const OptimizerStep&, float*,
                 float*, float*) {
  missing();
}

}  // namespace millrace::cpu::bf16

#endif

namespace millrace::cpu::bf16 {

Unit available_unit() {
  static const Unit unit = find_unit();
  return unit;
}

const char* unit_name(Unit unit) {
  switch (unit) {
    case Unit::kTiles:
      return "AMX-BF16";
    case Unit::kDot:
      return "AVX512-BF16";
    case Unit::kNone:
      break;
  }
  return "none";
}

}  // namespace millrace::cpu::bf16
