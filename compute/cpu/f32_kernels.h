#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "compute/cpu/layout.h"
#include "compute/cpu/prefetch.h"
#include "compute/cpu/row_source.h"
#include "compute/optimizer_step.h"

// The operations of a float32 step. Every output is one chain of fused multiply-adds in ascending
// order of the summed index, so that it does not depend on how rows and columns are shared out, nor
// on the vector length of the instruction set.
namespace millrace::cpu::f32 {

/// Input piece: columns [begin, end) of rows first … first + rows, as floats, and their product
/// with the first layer's weights.
struct Input {
  const RowSource* source = nullptr;
  std::size_t first = 0;
  std::size_t rows = 0;
  std::size_t begin = 0;
  std::size_t end = 0;             ///< at most InputRanges::kLongest from begin
  Prefetcher next;                 ///< samples that the caller wants soon
  float* x = nullptr;              ///< [rows, kRangeStride], out: the elements as they are stored
  const float* weights = nullptr;  ///< panels [in, out]
  PanelLayout w_layout;
  bool add = false;       ///< to what `sums` holds: a later range of the same part
  float* sums = nullptr;  ///< activations [rows, out], out
  ActLayout sums_layout;
};
void input(const Input& op);

/// y = act(scale * (sum of the parts' sums, in order) + bias): the first layer's output.
struct Finish {
  const float* sums = nullptr;  ///< of part 0, at the lane's first row
  std::size_t part_stride = 0;  ///< floats from one part's to the next
  std::size_t parts = 0;
  const float* bias = nullptr;
  float scale = 0.0F;
  bool relu = false;
  float* y = nullptr;  ///< may be `sums`
  ActLayout layout;    ///< of sums and y
  std::size_t rows = 0;
};
void finish(const Finish& op);

/// y = act(x · w + bias), act = max(0, ·) or nothing.
struct Forward {
  const float* x = nullptr;  ///< activations [rows, w.depth], at the lane's first row
  ActLayout x_layout;
  const float* weights = nullptr;  ///< panels [in, out]
  PanelLayout w_layout;
  const float* bias = nullptr;  ///< [out rounded up to 16]
  bool relu = false;
  float* y = nullptr;  ///< activations [rows, out]
  ActLayout y_layout;
  std::size_t rows = 0;
};
void forward(const Forward& op);

/// dx = factor * (dy · wt) where h > 0, else 0: the gradient of a ReLU layer's pre-activations; or
/// dx = slopes * (dy · wt): of any other's.
struct Backward {
  const float* dy = nullptr;  ///< activations [rows, wt.depth]
  ActLayout dy_layout;
  const float* weights_t = nullptr;  ///< panels [out, in]
  PanelLayout wt_layout;
  const float* h = nullptr;  ///< activations [rows, in], as forward() left them; null: all count
  float factor = 1.0F;
  float* dx = nullptr;  ///< activations [rows, in]
  ActLayout layout;     ///< of h, slopes and dx
  std::size_t rows = 0;
  const float* slopes = nullptr;  ///< activations [rows, in], in place of h; or null
};
void backward(const Backward& op);

/// Softmax cross-entropy of `rows` samples, rows first … of `source`.
struct Softmax {
  /// Activations [rows, classes]: logits in, gradient · `gradient_scale` out if `gradient`.
  float* z = nullptr;
  ActLayout layout;
  std::size_t rows = 0;
  std::size_t classes = 0;
  const RowSource* source = nullptr;
  std::size_t first = 0;
  float gradient_scale = 0.0F;
  float smoothing = 0.0F;  ///< of the labels
  bool gradient = false;
  float* losses = nullptr;          ///< [rows]
  std::uint8_t* correct = nullptr;  ///< [rows], 1 where the first largest logit is the label's
  /// [classes], by which losses and gradients of their samples are multiplied; null: by 1.
  const float* class_weights = nullptr;
};
void softmax(const Softmax& op);

/// Weights of input columns [in_begin, in_end) × output panels [panel_begin, panel_end): gradient
/// over the batch, and the update; or one of the two.
struct Update {
  enum class Mode : std::uint8_t {
    kAll,
    kStore,  ///< the gradient goes to `gradients`, and no weight changes
    kAdd,    ///< it is added to what is there
    kStep    ///< the update of the weights alone, by what is there, times `factor`
  };
  const float* x = nullptr;   ///< column in_begin of the layer's input, sample 0
  bool x_is_range = false;    ///< rows of x are kRangeStride apart, else kActPanel
  const float* dy = nullptr;  ///< activations [batch, out]
  ActLayout dy_layout;
  std::size_t batch = 0;
  std::size_t in_begin = 0, in_end = 0;
  std::size_t panel_begin = 0, panel_end = 0;
  float scale = 0.0F;  ///< of the input
  OptimizerStep step;
  float* weights = nullptr;   ///< panels [in, out]
  float* momentum = nullptr;  ///< the same, or null; Adam's first moment
  float* second = nullptr;    ///< the same: Adam's second moment, or null
  PanelLayout w_layout;
  float* weights_t = nullptr;  ///< panels [out, in], or null if no gradient goes further down
  PanelLayout wt_layout;
  /// [out rounded up to 16], updated by the piece with in_begin == 0; null: there is none.
  float* bias = nullptr;
  float* bias_momentum = nullptr;  ///< the same, or null
  float* bias_second = nullptr;    ///< the same, or null
  Mode mode = Mode::kAll;
  float* gradients = nullptr;       ///< panels [in, out]
  float* bias_gradients = nullptr;  ///< as `bias`
  float factor = 1.0F;
};
void update(const Update& op);

/// An update of `count` parameters, a multiple of 16, by factor * gradient.
struct Step {
  const float* gradient = nullptr;
  float factor = 1.0F;
  OptimizerStep step;
  float* values = nullptr;
  float* momentum = nullptr;  ///< Adam's first moment; or null
  float* second = nullptr;    ///< Adam's second moment; or null
  std::size_t count = 0;
};
void step(const Step& op);

/// average += share * (values - average), of `count` numbers, a multiple of 16.
void average(float* average, const float* values, std::size_t count, float share);

/// to = scale * from, or to += scale * from; `count` is a multiple of 16.
void collect(float* to, const float* from, std::size_t count, float scale, bool add);

/// The sum of the squares, in an order of `count` alone.
double squares(const float* values, std::size_t count);

/// The instruction set in use: "AVX-512".
const char* target_name();

}  // namespace millrace::cpu::f32
