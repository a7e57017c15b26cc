#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "compute/cpu/layout.h"
#include "compute/cpu/prefetch.h"
#include "compute/cpu/row_source.h"

// The operations of a float32 step. Every output is one chain of fused multiply-adds in ascending order of
// the summed index, so that it does not depend on how rows and columns are shared out, nor on the vector
// length of the instruction set.
namespace millrace::cpu::f32 {

/// y = act(scale * (x · w) + bias), act = max(0, ·) or nothing.
struct Forward {
  const float* x;  ///< activations [rows, w.depth], at the lane's first row
  ActLayout x_layout;
  const float* weights;  ///< panels [in, out]
  PanelLayout w_layout;
  const float* bias;  ///< [out rounded up to 16]
  float scale;
  bool relu;
  float* y;  ///< activations [rows, out]
  ActLayout y_layout;
  std::size_t rows;
};
void forward(const Forward& op);

/// forward() of the first layer, whose input is rows first … of `source` and not `op.x`. `next` are samples
/// that the caller wants soon; scratch: kLoadScratch floats.
void forward_samples(const Forward& op, const RowSource& source, std::size_t first, Prefetcher next,
                     float* scratch);
inline constexpr std::size_t kMaxLane = 64;  ///< most rows of a call
inline constexpr std::size_t kLoadScratch = kMaxLane * kActStride;

/// dx = (dy · wt) where h > 0, else 0: the gradient of a ReLU layer's pre-activations.
struct Backward {
  const float* dy;  ///< activations [rows, wt.depth]
  ActLayout dy_layout;
  const float* weights_t;  ///< panels [out, in]
  PanelLayout wt_layout;
  const float* h;  ///< activations [rows, in], as forward() left them
  float* dx;       ///< activations [rows, in]
  ActLayout layout;  ///< of h and dx
  std::size_t rows;
};
void backward(const Backward& op);

/// Softmax cross-entropy of `rows` samples, rows first … of `source`.
struct Softmax {
  float* z;  ///< activations [rows, classes]: logits in, gradient · `gradient_scale` out if `gradient`
  ActLayout layout;
  std::size_t rows;
  std::size_t classes;
  const RowSource* source;
  std::size_t first;
  float gradient_scale;
  bool gradient;
  float* losses;          ///< [rows]
  std::uint8_t* correct;  ///< [rows], 1 where the largest logit (the first of equals) is the label's
};
void softmax(const Softmax& op);

/// SGD's constants for one step.
struct Sgd {
  float learning_rate;
  float momentum;
  float weight_decay;
};

/// Input columns [in_begin, in_end) × output panels [panel_begin, panel_end) of one layer: gradient over
/// the batch, and the update.
struct Update {
  const RowSource* source;  ///< the layer's input: samples if not null, else `x`
  Prefetcher next;          ///< samples that the caller wants soon
  const float* x;           ///< activations [batch, in]
  ActLayout x_layout;
  const float* dy;  ///< activations [batch, out]
  ActLayout dy_layout;
  std::size_t batch;
  std::size_t in_begin, in_end;
  std::size_t panel_begin, panel_end;
  float scale;  ///< of the input, as in forward()
  Sgd sgd;
  float* weights;   ///< panels [in, out]
  float* momentum;  ///< the same, or null
  PanelLayout w_layout;
  float* weights_t;  ///< panels [out, in], or null if no gradient goes further down
  PanelLayout wt_layout;
  float* bias;           ///< [out rounded up to 16]; updated by the piece with in_begin == 0
  float* bias_momentum;  ///< the same, or null
  float* scratch;        ///< kUpdateScratch floats of the calling thread
};
inline constexpr std::size_t kTileIn = 56;      ///< most input columns of one piece
inline constexpr std::size_t kTilePanels = 4;   ///< most output panels of one piece
inline constexpr std::size_t kTileBatch = 128;  ///< samples between two spills of the sums
inline constexpr std::size_t kUpdateScratch =
    kTileBatch * kTileIn + kTileIn * kTilePanels * kPanel + 64;
void update(const Update& op);

/// The instruction set in use, in Highway's words: "AVX3" is AVX-512.
const char* target_name();

}  // namespace millrace::cpu::f32
