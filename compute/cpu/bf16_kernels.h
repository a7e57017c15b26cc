#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/cpu/f32_kernels.h"
#include "compute/cpu/layout.h"
#include "compute/cpu/row_source.h"

// The operations of a bfloat16 step: products of bfloat16 numbers summed in float32, by AMX tiles
// or by AVX512-BF16 dot products. A multiplication takes its left side row by row and its right
// side as *pair panels*: of each 16 columns, [depth / 2][16][2], two rows interleaved, as both
// instructions want it. Depths are padded with zeros to a multiple of 32, columns and rows to a
// multiple of 32 too.
namespace millrace::cpu::bf16 {

/// A bfloat16 number's bits: the upper half of a float32's.
using Bits = std::uint16_t;

enum class Unit : std::uint8_t { kNone, kDot, kTiles };

/// The best unit that this processor, and the system for tiles, lets the process use. Asks the
/// system for tiles once.
Unit available_unit();
/// "AMX-BF16", "AVX512-BF16", or "none".
const char* unit_name(Unit unit);

/// c[m, n] = sum over k of a[m, k] * b[k, n], for 16 * m_blocks rows and 16 * n_blocks columns,
/// both even.
struct Multiply {
  const Bits* a = nullptr;
  std::size_t a_stride = 0;  ///< between rows
  std::size_t m_blocks = 0;
  const Bits* b = nullptr;         ///< pair panels
  std::size_t b_panel_stride = 0;  ///< between panels
  std::size_t n_blocks = 0;
  std::size_t depth = 0;  ///< a multiple of 32
  float* c = nullptr;     ///< activations
  ActLayout c_layout;
  /// What is not padding. Dot products leave the rest out, and zeros in its place.
  std::size_t rows = 0, columns = 0, terms = 0;
};
void multiply(Unit unit, const Multiply& op);

/// Samples first … first + rows as bfloat16, columns begin … end. Rows up to a multiple of 32
/// become zeros.
struct Load {
  const RowSource* source = nullptr;
  std::size_t first = 0;
  std::size_t rows = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
  Bits* x = nullptr;  ///< [rows, x_stride], row-major; columns to a multiple of 32 become zeros
  std::size_t x_stride = 0;
  Bits* pairs = nullptr;  ///< pair panels over samples, at this first row; or null
  std::size_t pair_panel_stride = 0;
  const RowSource* next = nullptr;  ///< whose same rows the caller wants soon; or null
  std::size_t next_rows = 0;
};
void load(const Load& op);

/// y = act(scale * (sum of the ranges' products, in order) + bias) for one lane of a layer.
struct Activate {
  const float* sums = nullptr;   ///< activations
  std::size_t range_stride = 0;  ///< floats from one range's to the next
  std::size_t ranges = 0;
  ActLayout sums_layout;
  const float* bias = nullptr;
  float scale = 0.0F;
  std::size_t rows = 0;   ///< those that count; rows up to a multiple of 32 become zeros
  std::size_t width = 0;  ///< a multiple of 32
  /// Hidden layers: max(0, ·), rounded, in one or both forms (null: not wanted). A null bias is
  /// zero.
  Bits* y = nullptr;
  std::size_t y_stride = 0;
  Bits* pairs = nullptr;
  std::size_t pair_panel_stride = 0;
  /// The last layer: logits as they are, instead.
  float* logits = nullptr;
  ActLayout logits_layout;
  bool linear = false;  ///< no maximum: y as it is, rounded
};
void activate(const Activate& op);

/// Rounds a lane's gradient of the pre-activations and stores it as the two multiplications to come
/// want it.
struct Gradient {
  float* dz = nullptr;  ///< activations [rows up to a multiple of 32, width]; rows and columns
                        ///< beyond the true ones are zero
  ActLayout layout;
  std::size_t rows = 0;     ///< a multiple of 32
  std::size_t width = 0;    ///< a multiple of 32
  const Bits* y = nullptr;  ///< not null: dz becomes 0 where this is not above 0 first
  std::size_t y_stride = 0;
  float factor = 1.0F;  ///< of dz, with y
  /// Not null, in place of y: activations that dz is multiplied by first.
  const float* slopes = nullptr;
  ActLayout slopes_layout;
  Bits* by_row = nullptr;  ///< [rows, by_row_stride]; or null
  std::size_t by_row_stride = 0;
  Bits* by_column = nullptr;  ///< [width, by_column_stride], at the lane's first sample
  std::size_t by_column_stride = 0;
};
void gradient(const Gradient& op);

/// The update of a block of 32 × 32 weights, from its gradient.
struct Update {
  const float* gradient = nullptr;  ///< [32 outputs, 32 inputs], stride kActPanel
  float scale = 0.0F;               ///< of the input
  OptimizerStep step;
  float* weights[2][2] = {};   ///< [output half][input half]: blocks [16 outputs][16 inputs]
  float* momentum[2][2] = {};  ///< the same, or null; Adam's first moment
  float* second[2][2] = {};    ///< the same: Adam's second moment, or null
  Bits* forward[2] = {};       ///< of each 16 outputs: 16 pair rows of the forward pair panel
  Bits* backward[2] = {};  ///< of each 16 inputs: 16 pair rows of the backward pair panel; or null
};
void update(const Update& op);

/// The same packing without an update, for parameters that come from outside.
void pack(const Update& op);

/// bias[o] updated from the sum over `batch` samples of dz[o, :], [width, stride] as gradient()
/// stored it by column.
void update_bias(const Bits* by_column, std::size_t stride, std::size_t batch, std::size_t width,
                 const OptimizerStep& step, float* bias, float* momentum, float* second);

/// The same sum alone: gradient[o], or added to it.
void bias_gradient(const Bits* by_column, std::size_t stride, std::size_t batch, std::size_t width,
                   float* gradient, bool add);

}  // namespace millrace::cpu::bf16
