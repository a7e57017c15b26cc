#include <algorithm>
#include <memory>
#include <vector>

#include "compute/cpu/aligned_array.h"
#include "compute/cpu/bf16_kernels.h"
#include "compute/cpu/cpu_net.h"
#include "compute/cpu/layered_net.h"

namespace millrace::cpu {
namespace {

using bf16::Bits;

constexpr std::size_t kBlock = 16;
constexpr std::size_t kPairRow = 32;
constexpr std::size_t kSquare = 32 * 32;
// Rows of a lane and of one evaluate() call: two blocks, as a multiplication takes them.
constexpr std::uint32_t kLaneRows = 32;
// Inputs × outputs of one tile of weights, at most.
constexpr std::size_t kTileIn = 256;
constexpr std::size_t kTileOut = 64;
// Outputs of a first layer whose weights stay in the first-level cache, range by range.
constexpr std::size_t kNarrow = 64;

std::size_t pad(std::size_t n) { return round_up(n, 32); }

// Inputs and outputs are padded to multiples of 32; the first layer's inputs range by range.
struct Layer {
  std::size_t in = 0, out = 0;
  std::size_t ranges = 1;
  std::size_t depth = 0;  // padded inputs of one range
  std::size_t outs = 0;   // padded outputs
  float scale = 1.0F;     // of the input
  AlignedArray<float>
      weights;  // blocks [outs / 16][ranges * depth / 16] of [16 outputs][16 inputs]
  AlignedArray<float> momentum;   // the same, Adam's first moment; empty without momentum
  AlignedArray<float> second;     // the same, Adam's second moment; empty without
  AlignedArray<float> average;    // the same; empty without
  AlignedArray<float> gradients;  // where they are kept: [outs / 32][ins / 32][32][32]
  ParameterVector bias;           // [outs]; all zeros where there is a norm
  std::unique_ptr<NormLayer> norm;
  AlignedArray<float> slopes;   // activations [samples, outs]: of one other than ReLU; or empty
  AlignedArray<Bits> dz_rows;   // by row: [samples][outs]; empty without norm
  AlignedArray<Bits> forward;   // pair panels of outputs: [ranges][outs / 16][depth / 2][16][2]
  AlignedArray<Bits> averaged;  // as `forward`, of the average; empty without
  AlignedArray<Bits>
      backward;  // pair panels of inputs: [depth / 16][outs / 2][16][2]; empty for the first layer
  AlignedArray<Bits> x;  // the input: [ranges][samples][depth]
  AlignedArray<Bits>
      x_pairs;  // the same as pair panels over samples: [ranges][depth / 16][samples / 2][16][2]
  AlignedArray<Bits> dz;  // by column: [outs][samples]

  std::size_t ins() const { return ranges * depth; }
  std::size_t block(std::size_t output, std::size_t input) const {
    return (output / kBlock * (ins() / kBlock) + input / kBlock) * kBlock * kBlock;
  }
  Bits* forward_at(std::size_t output, std::size_t input) {
    return forward.data() + forward_place(output, input);
  }
  std::size_t forward_place(std::size_t output, std::size_t input) const {
    const std::size_t panel = input / depth * (outs / kBlock) + output / kBlock;
    return (panel * depth / 2 + input % depth / 2) * kPairRow;
  }
  // `panel` is what a pair panel over samples takes; a range's lie apart from the next one's.
  Bits* pairs_at(std::size_t input, std::size_t panel) {
    return x_pairs.data() + input / kBlock * panel + input / depth * (kApart / sizeof(Bits));
  }
  float* gradient_at(std::size_t output, std::size_t input) {
    return gradients.data() + (output / 32 * (ins() / 32) + input / 32) * kSquare;
  }
  Bits* backward_at(std::size_t output, std::size_t input) {
    if (backward.empty()) return nullptr;
    return backward.data() + (input / kBlock * (outs / 2) + output / 2) * kPairRow;
  }
};

struct Tile {
  std::uint32_t layer;
  std::size_t in_begin, in_end;  // padded
  std::size_t out_begin, out_end;
};

struct Scratch {
  AlignedArray<float> sums;  // a lane's products: one range's or one layer's
  AlignedArray<float> logits;
  AlignedArray<Bits> rows;       // a lane's gradient by row
  AlignedArray<Bits> evaluated;  // evaluation: input of this layer
  AlignedArray<Bits> next;       // and of the next
  AlignedArray<float> y;         // one panel's outputs of a normalised layer
  AlignedArray<float> z;         // a lane's sums before normalisation or dropout
};

class Bf16Net final : public LayeredNet<Bf16Net, Layer> {
 public:
  Bf16Net(const MlpSpec& model, const TrainSpec& train, std::uint32_t members, bf16::Unit unit)
      : LayeredNet(model, train, members), unit_(unit), samples_(pad(train.rows_at_once())) {
    const auto widths = model.widths();
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) layers_.push_back(make_layer(widths, l));
    make_state();
    if (options_.averaged()) {
      for (Layer& layer : layers_) layer.averaged = AlignedArray<Bits>(layer.forward.size());
    }
    sums_layout_ = {samples_, layers_.front().outs};
    sums_ = AlignedArray<float>(layers_.front().ranges * sums_layout_.size());
    std::size_t widest = 0;
    for (const Layer& layer : layers_) widest = std::max({widest, layer.outs, layer.depth});
    scratch_.resize(members);
    for (Scratch& scratch : scratch_) {
      scratch.sums =
          AlignedArray<float>(layers_.front().ranges * ActLayout{kLaneRows, widest}.size());
      scratch.logits = AlignedArray<float>(ActLayout{kLaneRows, layers_.back().outs}.size());
      scratch.rows = AlignedArray<Bits>(kLaneRows * widest);
      scratch.evaluated = AlignedArray<Bits>(kLaneRows * widest);
      scratch.next = AlignedArray<Bits>(kLaneRows * widest);
      if (model.batch_norm) scratch.y = AlignedArray<float>(samples_ * kActPanel);
      scratch.z = AlignedArray<float>(ActLayout{kLaneRows, widest}.size());
    }
    make_tiles();
    squares_.resize(tiles_.size());
    set_parameters(initial_parameters(model, train.seed, train.initializer));
  }

  std::uint32_t evaluate_limit() const override { return kLaneRows; }

  std::uint32_t pieces(std::uint32_t phase, const StepBatch& batch) const override {
    const Stage& stage = options_.stages[phase];
    switch (stage.kind) {
      case Stage::Kind::kInput:
        return static_cast<std::uint32_t>(layers_.front().ranges *
                                          div_up(batch.rows, input_rows(batch)));
      case Stage::Kind::kNorm:
      case Stage::Kind::kNormBackward:
        return static_cast<std::uint32_t>(layers_[stage.layer].outs / kActPanel);
      case Stage::Kind::kTiles:
      case Stage::Kind::kGradients:
        return static_cast<std::uint32_t>(tiles_.size());
      case Stage::Kind::kUpdate:
        return batch.last ? static_cast<std::uint32_t>(tiles_.size()) : 1;
      default:
        return static_cast<std::uint32_t>(div_up(batch.rows, kLaneRows));
    }
  }

  void run(std::uint32_t member, std::uint32_t phase, std::uint32_t piece,
           const StepBatch& batch) override {
    const Stage& stage = options_.stages[phase];
    Scratch& scratch = scratch_[member];
    switch (stage.kind) {
      case Stage::Kind::kInput:
        return run_input(batch, piece);
      case Stage::Kind::kLanes:
        return run_lane(scratch, batch, piece * kLaneRows);
      case Stage::Kind::kNorm:
        return run_norm(scratch, batch, stage.layer, piece);
      case Stage::Kind::kForward:
        return run_forward(stage.layer, piece * kLaneRows);
      case Stage::Kind::kTop:
        return run_top(scratch, batch, piece * kLaneRows);
      case Stage::Kind::kNormBackward:
        return run_norm_backward(batch, stage.layer, piece);
      case Stage::Kind::kBackward:
        return run_backward(stage.layer, piece * kLaneRows);
      case Stage::Kind::kTiles:
        return run_tile(scratch, batch, tiles_[piece]);
      case Stage::Kind::kGradients:
        return run_gradients(scratch, batch, piece);
      case Stage::Kind::kUpdate:
        if (batch.last) run_update(tiles_[piece]);
        return;
    }
  }

  void begin_evaluation() override {
    if (!options_.averaged() || average_packed_) return;
    for (Layer& layer : layers_) {
      each_block(layer, [&](std::size_t o, std::size_t i) {
        bf16::Update op{};
        for (std::size_t half = 0; half < 2; ++half) {
          for (std::size_t h = 0; h < 2; ++h) {
            op.weights[half][h] =
                layer.average.data() + layer.block(o + half * kBlock, i + h * kBlock);
          }
          op.forward[half] = layer.averaged.data() + layer.forward_place(o + half * kBlock, i);
        }
        bf16::pack(op);
      });
    }
    average_packed_ = true;
  }

  void evaluate(std::uint32_t member, const RowSource& source, std::uint32_t first,
                std::uint32_t rows, const Judgements& judgements, float* logits) override {
    Scratch& scratch = scratch_[member];
    const Layer& bottom = layers_.front();
    ActLayout layout{kLaneRows, bottom.outs};
    for (std::size_t range = 0; range < bottom.ranges; ++range) {
      bf16::load({&source, first, rows, ranges_.begin(range), ranges_.end(range),
                  scratch.evaluated.data(), bottom.depth, nullptr, 0});
      multiply_layer(bottom, options_.averaged(), range, scratch.evaluated.data(), bottom.depth,
                     rows, scratch.sums.data() + range * layout.size(), layout);
    }
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      Layer& layer = layers_[l];
      if (l > 0) {
        layout = {kLaneRows, layer.outs};
        multiply_layer(layer, options_.averaged(), 0, scratch.evaluated.data(), layer.depth, rows,
                       scratch.sums.data(), layout);
      }
      bf16::Activate op = activation(l, scratch.sums.data(), layout, layout.size(), rows, scratch);
      if (options_.averaged() && layer.norm == nullptr) op.bias = layer.bias.average.data();
      if (l + 1 < layers_.size() && (layer.norm != nullptr || !options_.relu())) {
        const ActLayout own{kLaneRows, layer.outs};
        op.logits = scratch.z.data();
        op.logits_layout = own;
        bf16::activate(op);
        if (layer.norm != nullptr) {
          layer.norm->apply(scratch.z.data(), own, kLaneRows, !options_.relu());
        }
        if (!options_.relu()) {
          activation::Forward act = activated(layer, 0, scratch.z.data(), own, rows);
          act.dropout.rate = 0.0F;
          act.slopes = nullptr;
          activation::forward(act);
        }
        op = as_is(scratch.z.data(), own, layer.outs, rows);
      }
      if (l + 1 < layers_.size()) {
        op.y = scratch.next.data();
        op.y_stride = layers_[l + 1].depth;
      }
      bf16::activate(op);
      std::swap(scratch.evaluated, scratch.next);
    }
    const ActLayout top{kLaneRows, layers_.back().outs};
    if (logits != nullptr) hand_out(scratch.logits.data(), top, rows, logits);
    judge({scratch.logits.data(), top, first, rows, source, judgements, 0});
  }

  void begin_step(const OptimizerSpec& optimizer, std::uint64_t step) override {
    options_.begin(optimizer, step);
    average_packed_ = false;
  }

  std::string instruction_set() const override { return bf16::unit_name(unit_); }

 private:
  friend LayeredNet;

  // Calls f(output, input) for each block of 32 x 32 weights.
  template <class F>
  static void each_block(const Layer& layer, const F& f) {
    for (std::size_t o = 0; o < layer.outs; o += 32) {
      for (std::size_t i = 0; i < layer.ins(); i += 32) f(o, i);
    }
  }

  void pack() {
    average_packed_ = false;
    for (Layer& layer : layers_) {
      each_block(layer, [&](std::size_t o, std::size_t i) {
        bf16::pack(update_of(layer, o, i, nullptr));
      });
    }
  }

  Layer make_layer(const std::vector<std::uint32_t>& widths, std::size_t l) const {
    Layer layer;
    layer.in = widths[l];
    layer.out = widths[l + 1];
    layer.outs = pad(layer.out);
    layer.ranges = l == 0 ? ranges_.count() : 1;
    layer.depth = l == 0 ? pad(ranges_.longest()) : pad(layer.in);
    layer.scale = l == 0 ? model_.input_scale : 1.0F;
    layer.weights = AlignedArray<float>(layer.outs * layer.ins());
    layer.bias = ParameterVector(layer.outs);
    if (model_.batch_norm && l + 2 < widths.size()) {
      layer.norm = std::make_unique<NormLayer>(samples_, layer.outs);
      layer.dz_rows = AlignedArray<Bits>(samples_ * layer.outs);
    }
    if (!options_.relu() && l + 2 < widths.size()) {
      layer.slopes = AlignedArray<float>(ActLayout{samples_, layer.outs}.size());
    }
    layer.forward = AlignedArray<Bits>(layer.outs * layer.ins());
    if (l > 0) layer.backward = AlignedArray<Bits>(layer.outs * layer.ins());
    layer.x = AlignedArray<Bits>(samples_ * layer.ins());
    layer.x_pairs = AlignedArray<Bits>(layer.ins() / kBlock * pair_panel() +
                                       layer.ranges * (kApart / sizeof(Bits)));
    layer.dz = AlignedArray<Bits>(samples_ * layer.outs);
    return layer;
  }

  // Rows of one input piece: all, unless there are fewer ranges than members.
  std::uint32_t input_rows(const StepBatch& batch) const {
    const std::size_t parts = div_up(members_, layers_.front().ranges);
    return static_cast<std::uint32_t>(pad(div_up(batch.rows, parts)));
  }

  void run_input(const StepBatch& batch, std::uint32_t piece) {
    Layer& bottom = layers_.front();
    const std::uint32_t rows_each = input_rows(batch);
    const auto parts = static_cast<std::uint32_t>(div_up(batch.rows, rows_each));
    const std::size_t range = piece / parts;
    const std::uint32_t first = piece % parts * rows_each;
    const std::uint32_t end = std::min(first + rows_each, batch.rows);
    // Nobody reads samples by row later, so those of a narrow layer stay in the first-level cache.
    const std::uint32_t rows_at_once = bottom.outs <= kNarrow ? kLaneRows : rows_each;
    Bits* x = bottom.x.data() + (range * samples_ + first) * bottom.depth;
    for (std::uint32_t at = first; at < end; at += rows_at_once) {
      const std::uint32_t rows = std::min(rows_at_once, end - at);
      bf16::load({&batch.source, at, rows, ranges_.begin(range), ranges_.end(range), x,
                  bottom.depth, bottom.pairs_at(range * bottom.depth, pair_panel()) + at * kBlock,
                  pair_panel(), &batch.next, batch.next_rows});
      multiply_layer(bottom, false, range, x, bottom.depth, rows,
                     sums_.data() + range * sums_layout_.size() + std::size_t{at} * kActPanel,
                     sums_layout_);
    }
  }

  void run_lane(Scratch& scratch, const StepBatch& batch, std::uint32_t first) {
    const std::uint32_t rows = std::min(kLaneRows, batch.rows - first);
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const ActLayout own{kLaneRows, layers_[l].outs};
      bf16::Activate op = l == 0 ? activation(l, sums_.data() + std::size_t{first} * kActPanel,
                                              sums_layout_, sums_layout_.size(), rows, scratch)
                                 : activation(l, scratch.sums.data(), own, 0, rows, scratch);
      if (l > 0) multiply_lane(l, first, scratch.sums.data(), own);
      if (l + 1 < layers_.size()) {
        if (options_.dropout.rate > 0.0F || !options_.relu()) {
          op.logits = scratch.z.data();
          op.logits_layout = own;
          bf16::activate(op);
          if (options_.relu()) {
            norm::drop(options_.dropout_of(l), batch.first + first, rows, scratch.z.data(), own);
          } else {
            activation::Forward act = activated(layers_[l], l, scratch.z.data(), own, rows);
            act.first = batch.first + first;
            act.slopes += std::size_t{first} * kActPanel;
            activation::forward(act);
          }
          op = as_is(scratch.z.data(), own, layers_[l].outs, rows);
        }
        Layer& next = layers_[l + 1];
        op.y = next.x.data() + first * next.depth;
        op.y_stride = next.depth;
        op.pairs = next.pairs_at(0, pair_panel()) + first * kBlock;
        op.pair_panel_stride = pair_panel();
      }
      bf16::activate(op);
    }
    loss(scratch, batch, first, rows);
    float* dz = scratch.logits.data();
    for (std::size_t l = layers_.size(); l-- > 0;) {
      bf16::Gradient op = gradient(l, dz, {kLaneRows, layers_[l].outs}, first);
      if (l + 1 < layers_.size()) {
        op.y = layers_[l + 1].x.data() + first * layers_[l + 1].depth;
        op.y_stride = layers_[l + 1].depth;
        op.factor = options_.dropout.factor();
        if (!options_.relu()) {
          op.slopes = layers_[l].slopes.data() + std::size_t{first} * kActPanel;
          op.slopes_layout = {samples_, layers_[l].outs};
        }
      }
      if (l > 0) {
        op.by_row = scratch.rows.data();
        op.by_row_stride = layers_[l].outs;
      }
      bf16::gradient(op);
      if (l == 0) break;
      multiply_back(l, scratch.rows.data(), scratch.sums.data(), {kLaneRows, layers_[l].depth});
      dz = scratch.sums.data();
    }
  }

  // All rows of one panel of hidden layer l.
  void run_norm(Scratch& scratch, const StepBatch& batch, std::size_t l, std::size_t panel) {
    Layer& layer = layers_[l];
    const ActLayout own{samples_, kActPanel};
    if (l == 0) {
      bf16::Activate op =
          as_is(sums_.data() + panel * sums_layout_.panel_stride(), own, kActPanel, batch.rows);
      op.ranges = layer.ranges;
      op.range_stride = sums_layout_.size();
      op.scale = layer.scale;
      op.logits = layer.norm->z_panel(panel);
      op.logits_layout = own;
      bf16::activate(op);
    }
    layer.norm->forward(panel, batch.first, batch.rows, options_.dropout_of(l), !options_.relu(),
                        scratch.y.data());
    if (!options_.relu()) {
      activation::Forward act = activated(layer, l, scratch.y.data(), own, batch.rows);
      act.first = batch.first;
      act.panel = panel;
      act.columns = layer.out > panel * kActPanel ? layer.out - panel * kActPanel : 0;
      act.slopes += panel * act.slopes_layout.panel_stride();
      activation::forward(act);
    }
    Layer& next = layers_[l + 1];
    bf16::Activate op = as_is(scratch.y.data(), own, kActPanel, batch.rows);
    op.y = next.x.data() + panel * kActPanel;
    op.y_stride = next.depth;
    op.pairs = next.pairs_at(panel * kActPanel, pair_panel());
    op.pair_panel_stride = pair_panel();
    bf16::activate(op);
  }

  void run_forward(std::size_t l, std::uint32_t first) {
    NormLayer& norm = *layers_[l].norm;
    multiply_lane(l, first, norm.z.data() + std::size_t{first} * kActPanel, norm.layout);
  }

  void run_top(Scratch& scratch, const StepBatch& batch, std::uint32_t first) {
    const std::uint32_t rows = std::min(kLaneRows, batch.rows - first);
    const std::size_t l = layers_.size() - 1;
    const ActLayout own{kLaneRows, layers_[l].outs};
    multiply_lane(l, first, scratch.sums.data(), own);
    bf16::activate(activation(l, scratch.sums.data(), own, 0, rows, scratch));
    loss(scratch, batch, first, rows);
    bf16::Gradient op = gradient(l, scratch.logits.data(), own, first);
    op.by_row = scratch.rows.data();
    op.by_row_stride = layers_[l].outs;
    bf16::gradient(op);
    NormLayer& below = *layers_[l - 1].norm;
    multiply_back(l, scratch.rows.data(), below.dy.data() + std::size_t{first} * kActPanel,
                  below.layout);
  }

  void run_norm_backward(const StepBatch& batch, std::size_t l, std::size_t panel) {
    Layer& layer = layers_[l];
    const float* slopes =
        options_.relu()
            ? nullptr
            : layer.slopes.data() + panel * ActLayout{samples_, kActPanel}.panel_stride();
    layer.norm->backward(panel, batch.rows, options_.dropout.factor(), options_.step, slopes,
                         batch.first != 0);
    bf16::Gradient op{};
    op.dz = layer.norm->dy_panel(panel);
    op.layout = {samples_, kActPanel};
    op.rows = pad(batch.rows);
    op.width = kActPanel;
    if (l > 0) {
      op.by_row = layer.dz_rows.data() + panel * kActPanel;
      op.by_row_stride = layer.outs;
    }
    op.by_column = layer.dz.data() + panel * kActPanel * samples_;
    op.by_column_stride = samples_;
    bf16::gradient(op);
  }

  void run_backward(std::size_t l, std::uint32_t first) {
    NormLayer& below = *layers_[l - 1].norm;
    multiply_back(l, layers_[l].dz_rows.data() + first * layers_[l].outs,
                  below.dy.data() + std::size_t{first} * kActPanel, below.layout);
  }

  // The sums of layer l, above the first, of a lane.
  void multiply_lane(std::size_t l, std::uint32_t first, float* sums, ActLayout layout) const {
    multiply_layer(layers_[l], false, 0, layers_[l].x.data() + first * layers_[l].depth,
                   layers_[l].depth, kLaneRows, sums, layout);
  }

  // The gradient of the outputs below layer l from that of its sums, by row.
  void multiply_back(std::size_t l, const Bits* by_row, float* sums, ActLayout layout) const {
    const Layer& layer = layers_[l];
    bf16::multiply(unit_, {by_row, layer.outs, kLaneRows / kBlock, layer.backward.data(),
                           layer.outs / 2 * kPairRow, layer.depth / kBlock, layer.outs, sums,
                           layout, kLaneRows, layer.in, layer.out});
  }

  // Leaves the gradient of the logits in their place.
  void loss(Scratch& scratch, const StepBatch& batch, std::uint32_t first,
            std::uint32_t rows) const {
    const Layer& top = layers_.back();
    const ActLayout layout{kLaneRows, top.outs};
    judge({scratch.logits.data(), layout, first, rows, batch.source, batch.judgements.from(first),
           batch.step_rows});
    // Rows and columns beyond the true ones hold zeros or logits: neither may count as a gradient.
    clear_padding(scratch.logits.data(), layout, rows, top.out);
  }

  // Of a lane of layer l.
  bf16::Gradient gradient(std::size_t l, float* dz, ActLayout layout, std::uint32_t first) {
    Layer& layer = layers_[l];
    bf16::Gradient op{};
    op.dz = dz;
    op.layout = layout;
    op.rows = kLaneRows;
    op.width = layer.outs;
    op.by_column = layer.dz.data() + first;
    op.by_column_stride = samples_;
    return op;
  }

  // The activation of hidden layer l's sums in `y`, which begins with the batch's first row and the
  // layer's first panel, as its slopes do.
  activation::Forward activated(Layer& layer, std::size_t l, float* y, ActLayout layout,
                                std::uint32_t rows) const {
    activation::Forward op{};
    op.kind = options_.activation;
    op.dropout = options_.dropout_of(l);
    op.rows = rows;
    op.columns = layer.out;
    op.y = y;
    op.layout = layout;
    op.slopes = layer.slopes.data();
    op.slopes_layout = {samples_, layer.outs};
    return op;
  }

  // What the activation left, rounded: a ReLU's is its own maximum with 0.
  bf16::Activate as_is(const float* values, ActLayout layout, std::size_t width,
                       std::uint32_t rows) const {
    bf16::Activate op{};
    op.sums = values;
    op.sums_layout = layout;
    op.ranges = 1;
    op.scale = 1.0F;
    op.rows = rows;
    op.width = width;
    op.linear = !options_.relu();
    return op;
  }

  // Calls use(output, input, gradient) for each block of a tile, the gradient [32][32] and without
  // the input's scale.
  template <class F>
  void multiply_tile(Scratch& scratch, const StepBatch& batch, const Tile& tile, const F& use) {
    Layer& layer = layers_[tile.layer];
    const std::size_t batch_rows = pad(batch.rows);
    const ActLayout sums_layout{kLaneRows, tile.in_end - tile.in_begin};
    const std::size_t columns =
        std::min(tile.in_end - tile.in_begin,
                 inputs(layer, tile.in_begin / layer.depth) - tile.in_begin % layer.depth);
    for (std::size_t o = tile.out_begin; o < tile.out_end; o += 32) {
      bf16::multiply(
          unit_,
          {layer.dz.data() + o * samples_, samples_, 2, layer.pairs_at(tile.in_begin, pair_panel()),
           pair_panel(), (tile.in_end - tile.in_begin) / kBlock, batch_rows, scratch.sums.data(),
           sums_layout, std::min<std::size_t>(32, layer.out - o), columns, batch.rows});
      for (std::size_t i = tile.in_begin; i < tile.in_end; i += 32) {
        use(o, i, scratch.sums.data() + sums_layout.offset(0, i - tile.in_begin));
      }
    }
  }

  void run_gradients(Scratch& scratch, const StepBatch& batch, std::size_t number) {
    const Tile& tile = tiles_[number];
    Layer& layer = layers_[tile.layer];
    const bool add = batch.first != 0;
    const bool measured = batch.last && options_.clip_norm > 0.0F;
    double sum = 0.0;
    multiply_tile(scratch, batch, tile, [&](std::size_t o, std::size_t i, const float* gradient) {
      float* to = layer.gradient_at(o, i);
      f32::collect(to, gradient, kSquare, layer.scale, add);
      if (measured) sum += f32::squares(to, kSquare);
    });
    if (tile.in_begin == 0) {
      const std::size_t o = tile.out_begin;
      if (layer.norm == nullptr) {
        bf16::bias_gradient(layer.dz.data() + o * samples_, samples_, pad(batch.rows),
                            tile.out_end - o, layer.bias.gradient_at(o), add);
      }
      if (measured) sum += vector_squares(layer, o, tile.out_end);
    }
    squares_[number] = sum;
  }

  void run_update(const Tile& tile) {
    Layer& layer = layers_[tile.layer];
    for (std::size_t o = tile.out_begin; o < tile.out_end; o += 32) {
      for (std::size_t i = tile.in_begin; i < tile.in_end; i += 32) {
        bf16::Update op = update_of(layer, o, i, layer.gradient_at(o, i));
        op.scale = options_.factor;
        bf16::update(op);
      }
    }
    if (tile.in_begin == 0) {
      step_vectors(layer, tile.out_begin, tile.out_end, options_.step, options_.factor);
    }
    average(tile);
  }

  void average(const Tile& tile) {
    if (!options_.averaged()) return;
    Layer& layer = layers_[tile.layer];
    const float share = options_.step.average;
    for (std::size_t o = tile.out_begin; o < tile.out_end; o += kBlock) {
      // Blocks of 16 outputs and all inputs lie together.
      const std::size_t at = layer.block(o, tile.in_begin);
      f32::average(layer.average.data() + at, layer.weights.data() + at,
                   (tile.in_end - tile.in_begin) * kBlock, share);
    }
    if (tile.in_begin == 0) average_vectors(layer, tile.out_begin, tile.out_end, share);
  }

  void run_tile(Scratch& scratch, const StepBatch& batch, const Tile& tile) {
    Layer& layer = layers_[tile.layer];
    multiply_tile(scratch, batch, tile, [&](std::size_t o, std::size_t i, const float* gradient) {
      bf16::update(update_of(layer, o, i, gradient));
    });
    if (tile.in_begin == 0 && layer.norm == nullptr) {
      const std::size_t o = tile.out_begin;
      bf16::update_bias(layer.dz.data() + o * samples_, samples_, pad(batch.rows), tile.out_end - o,
                        options_.step, layer.bias.values.data() + o, layer.bias.first_at(o),
                        layer.bias.second_at(o));
    }
    average(tile);
  }

  bf16::Update update_of(Layer& layer, std::size_t o, std::size_t i, const float* gradient) {
    bf16::Update op{};
    op.gradient = gradient;
    op.scale = layer.scale;
    op.step = options_.step;
    for (std::size_t half = 0; half < 2; ++half) {
      for (std::size_t h = 0; h < 2; ++h) {
        const std::size_t at = layer.block(o + half * kBlock, i + h * kBlock);
        op.weights[half][h] = layer.weights.data() + at;
        op.momentum[half][h] = layer.momentum.empty() ? nullptr : layer.momentum.data() + at;
        op.second[half][h] = layer.second.empty() ? nullptr : layer.second.data() + at;
      }
      op.forward[half] = layer.forward_at(o + half * kBlock, i);
      op.backward[half] = layer.backward_at(o, i + half * kBlock);
    }
    return op;
  }

  // c = x · w of one range of the layer; rows up to a multiple of 32 are padding.
  void multiply_layer(const Layer& layer, bool averaged, std::size_t range, const Bits* x,
                      std::size_t x_stride, std::size_t rows, float* c, ActLayout c_layout) const {
    const std::size_t panel_stride = layer.depth / 2 * kPairRow;
    bf16::multiply(unit_, {x, x_stride, pad(rows) / kBlock,
                           (averaged ? layer.averaged : layer.forward).data() +
                               range * (layer.outs / kBlock) * panel_stride,
                           panel_stride, layer.outs / kBlock, layer.depth, c, c_layout, rows,
                           layer.out, inputs(layer, range)});
  }

  // Of a range, without padding.
  std::size_t inputs(const Layer& layer, std::size_t range) const {
    return &layer == &layers_.front() ? ranges_.end(range) - ranges_.begin(range) : layer.in;
  }

  bf16::Activate activation(std::size_t l, const float* sums, ActLayout layout,
                            std::size_t range_stride, std::uint32_t rows, Scratch& scratch) const {
    const Layer& layer = layers_[l];
    bf16::Activate op{};
    op.sums = sums;
    op.sums_layout = layout;
    op.ranges = layer.ranges;
    op.range_stride = range_stride;
    op.bias = layer.bias.values.data();
    op.scale = layer.scale;
    op.rows = rows;
    op.width = layer.outs;
    if (l + 1 == layers_.size()) {
      op.logits = scratch.logits.data();
      op.logits_layout = {kLaneRows, layer.outs};
    }
    return op;
  }

  // Between two pair panels over samples. Samples are written across all panels at a time; a power
  // of two between these would send all of them to the same few lines of a first-level cache.
  std::size_t pair_panel() const { return (samples_ / 2 + 1) * kPairRow; }

  static void clear_padding(float* z, ActLayout layout, std::size_t rows, std::size_t columns) {
    for (std::size_t r = 0; r < kLaneRows; ++r) {
      for (std::size_t c = r < rows ? columns : 0; c < layout.width; ++c)
        z[layout.offset(r, c)] = 0.0F;
    }
  }

  void make_tiles() {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const Layer& layer = layers_[l];
      // The first layer's tiles are its ranges, which the same members have converted.
      const std::size_t step = l == 0 ? layer.depth : kTileIn;
      for (std::size_t i = 0; i < layer.ins(); i += step) {
        for (std::size_t o = 0; o < layer.outs; o += kTileOut) {
          tiles_.push_back({static_cast<std::uint32_t>(l), i, std::min(layer.ins(), i + step), o,
                            std::min(layer.outs, o + kTileOut)});
        }
      }
    }
    spread_layers(tiles_);
  }

  // The padded place of input i of layer l.
  std::size_t padded(std::size_t l, std::size_t i) const {
    if (l > 0) return i;
    const std::size_t range = i / ranges_.longest();
    return range * layers_.front().depth + (i - ranges_.begin(range));
  }
  static std::size_t within_block(std::size_t output, std::size_t input) {
    return output % kBlock * kBlock + input % kBlock;
  }

  // The place of a weight of layer l among its blocks.
  std::size_t place(std::size_t l, std::size_t output, std::size_t input) const {
    const std::size_t at = padded(l, input);
    return layers_[l].block(output, at) + within_block(output, at);
  }

  bf16::Unit unit_;
  std::size_t samples_;  // of a batch, padded
  std::vector<Tile> tiles_;
  bool average_packed_ = false;
  AlignedArray<float> sums_;  // [ranges] activations of the first layer
  ActLayout sums_layout_;
  std::vector<Scratch> scratch_;
};

}  // namespace

std::unique_ptr<CpuNet> make_bf16_net(const MlpSpec& model, const TrainSpec& train,
                                      std::uint32_t members) {
  const bf16::Unit unit = bf16::available_unit();
  if (unit == bf16::Unit::kNone) return nullptr;
  return std::make_unique<Bf16Net>(model, train, members, unit);
}

}  // namespace millrace::cpu
