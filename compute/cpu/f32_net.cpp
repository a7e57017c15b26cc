#include <algorithm>
#include <memory>
#include <vector>

#include "compute/cpu/aligned_array.h"
#include "compute/cpu/cpu_net.h"
#include "compute/cpu/f32_kernels.h"
#include "compute/cpu/layered_net.h"

namespace millrace::cpu {
namespace {

// Rows of one evaluate() call.
constexpr std::uint32_t kEvaluateRows = 64;
// Input columns and output panels of one tile.
constexpr std::uint32_t kTileIn = 64;
constexpr std::uint32_t kTilePanels = 4;

struct Layer {
  std::uint32_t in = 0;
  std::uint32_t out = 0;
  float scale = 1.0F;  // of the input
  PanelLayout w;
  PanelLayout wt;
  AlignedArray<float> weights;
  AlignedArray<float> weights_t;  // empty for the first layer
  AlignedArray<float> momentum;   // Adam's first moment; empty without momentum
  AlignedArray<float> second;     // Adam's second moment; empty without
  AlignedArray<float> average;    // empty without
  AlignedArray<float> gradients;  // where they are kept; empty elsewhere
  ParameterVector bias;           // all zeros where there is a norm
  std::unique_ptr<NormLayer> norm;
  ActLayout act;               // of y and dy, for the whole batch
  AlignedArray<float> y;       // hidden layers: the output
  AlignedArray<float> slopes;  // hidden layers: of an activation other than ReLU; or empty
  AlignedArray<float> dy;  // gradient of the pre-activations; the last layer's logits before that
};

struct Tile {
  std::uint32_t layer;
  std::uint32_t in_begin, in_end;
  std::uint32_t panel_begin, panel_end;
};

// What a member needs to evaluate some rows by itself.
struct Scratch {
  AlignedArray<float> x;      // one range of samples as floats
  AlignedArray<float> sums;   // the ranges' products
  AlignedArray<float> front;  // activations of this layer
  AlignedArray<float> back;   // and of the one before
};

class F32Net final : public LayeredNet<F32Net, Layer> {
 public:
  F32Net(const MlpSpec& model, const TrainSpec& train, std::uint32_t members)
      : LayeredNet(model, train, members) {
    const auto widths = model.widths();
    std::uint32_t widest = 0;
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
      Layer layer;
      layer.in = widths[l];
      layer.out = widths[l + 1];
      layer.scale = l == 0 ? model.input_scale : 1.0F;
      layer.w = {layer.in, layer.out};
      layer.wt = {layer.out, layer.in};
      layer.weights = AlignedArray<float>(layer.w.size());
      layer.bias = ParameterVector(layer.out);
      if (l > 0) layer.weights_t = AlignedArray<float>(layer.wt.size());
      layer.act = {train.rows_at_once(), layer.out};
      const bool hidden = l + 2 < widths.size();
      if (hidden) layer.y = AlignedArray<float>(layer.act.size());
      if (hidden && !options_.relu()) layer.slopes = AlignedArray<float>(layer.act.size());
      if (hidden && model.batch_norm) {
        layer.norm = std::make_unique<NormLayer>(train.rows_at_once(), layer.out);
      }
      if (layer.norm == nullptr) layer.dy = AlignedArray<float>(layer.act.size());
      widest = std::max(widest, layer.out);
      layers_.push_back(std::move(layer));
    }
    make_state();
    const std::size_t batch = train.rows_at_once();
    x_stride_ = batch * kRangeStride + kApart / sizeof(float);
    x_ = AlignedArray<float>(ranges_.count() * x_stride_);
    sums_stride_ = layers_.front().act.size() + kApart / sizeof(float);
    sums_ = AlignedArray<float>(ranges_.parts() * sums_stride_);
    scratch_.resize(members);
    for (Scratch& scratch : scratch_) {
      const std::size_t activations = ActLayout{kEvaluateRows, widest}.size();
      scratch.x = AlignedArray<float>(kEvaluateRows * kRangeStride);
      scratch.sums = AlignedArray<float>(ranges_.parts() *
                                         ActLayout{kEvaluateRows, layers_.front().out}.size());
      scratch.front = AlignedArray<float>(activations);
      scratch.back = AlignedArray<float>(activations);
    }
    make_tiles();
    squares_.resize(tiles_.size());
    set_parameters(initial_parameters(model, train.seed, train.initializer));
  }

  std::uint32_t evaluate_limit() const override { return kEvaluateRows; }

  std::uint32_t pieces(std::uint32_t phase, const StepBatch& batch) const override {
    const Stage& stage = options_.stages[phase];
    switch (stage.kind) {
      case Stage::Kind::kInput:
        return static_cast<std::uint32_t>(ranges_.parts() * div_up(batch.rows, input_rows(batch)));
      case Stage::Kind::kNorm:
      case Stage::Kind::kNormBackward:
        return static_cast<std::uint32_t>(layers_[stage.layer].act.panels());
      case Stage::Kind::kTiles:
      case Stage::Kind::kGradients:
        return static_cast<std::uint32_t>(tiles_.size());
      case Stage::Kind::kUpdate:
        return batch.last ? static_cast<std::uint32_t>(tiles_.size()) : 1;
      default:
        return static_cast<std::uint32_t>(div_up(batch.rows, lane_rows(batch)));
    }
  }

  void run(std::uint32_t, std::uint32_t phase, std::uint32_t piece,
           const StepBatch& batch) override {
    const Stage& stage = options_.stages[phase];
    switch (stage.kind) {
      case Stage::Kind::kInput:
        return run_input(batch, piece);
      case Stage::Kind::kLanes:
        return run_lane(batch, lane(batch, piece));
      case Stage::Kind::kNorm:
        return run_norm(batch, stage.layer, piece);
      case Stage::Kind::kForward: {
        const Lane rows = lane(batch, piece);
        return forward(false, stage.layer, layers_[stage.layer - 1].y.data() + rows.at(),
                       layers_[stage.layer - 1].act,
                       layers_[stage.layer].norm->z.data() + rows.at(), layers_[stage.layer].act,
                       rows.rows);
      }
      case Stage::Kind::kTop: {
        const Lane rows = lane(batch, piece);
        const std::size_t l = layers_.size() - 1;
        forward(false, l, layers_[l - 1].y.data() + rows.at(), layers_[l - 1].act,
                layers_[l].dy.data() + rows.at(), layers_[l].act, rows.rows);
        loss(batch, rows);
        return backward(l, rows);
      }
      case Stage::Kind::kNormBackward:
        return run_norm_backward(batch, stage.layer, piece);
      case Stage::Kind::kBackward:
        return backward(stage.layer, lane(batch, piece));
      case Stage::Kind::kTiles:
        return run_tile(batch, tiles_[piece]);
      case Stage::Kind::kGradients:
        return run_gradients(batch, piece);
      case Stage::Kind::kUpdate:
        if (batch.last) run_update(tiles_[piece]);
        return;
    }
  }

  void begin_evaluation() override {}

  void evaluate(std::uint32_t member, const RowSource& source, std::uint32_t first,
                std::uint32_t rows, const Judgements& judgements, float* logits) override {
    Scratch& scratch = scratch_[member];
    Layer& bottom = layers_.front();
    ActLayout layout{kEvaluateRows, bottom.out};
    for (std::size_t range = 0; range < ranges_.count(); ++range) {
      f32::Input op{};
      op.source = &source;
      op.first = first;
      op.rows = rows;
      op.begin = ranges_.begin(range);
      op.end = ranges_.end(range);
      op.x = scratch.x.data();
      op.weights = weights_of(bottom, options_.averaged()).data();
      op.w_layout = bottom.w;
      op.add = range % ranges_.per_part() != 0;
      op.sums = scratch.sums.data() + range / ranges_.per_part() * layout.size();
      op.sums_layout = layout;
      f32::input(op);
    }
    finish(options_.averaged(), scratch.sums.data(), layout.size(), scratch.back.data(), layout,
           rows);
    if (layers_.size() > 1) activate_evaluated(bottom, scratch.back.data(), layout, rows);
    for (std::size_t l = 1; l < layers_.size(); ++l) {
      const ActLayout below = layout;
      layout = {kEvaluateRows, layers_[l].out};
      forward(options_.averaged(), l, scratch.back.data(), below, scratch.front.data(), layout,
              rows);
      if (l + 1 < layers_.size()) {
        activate_evaluated(layers_[l], scratch.front.data(), layout, rows);
      }
      std::swap(scratch.front, scratch.back);
    }
    if (logits != nullptr) hand_out(scratch.back.data(), layout, rows, logits);
    judge({scratch.back.data(), layout, first, rows, source, judgements, 0});
  }

  void begin_step(const OptimizerSpec& optimizer, std::uint64_t step) override {
    options_.begin(optimizer, step);
  }

  std::string instruction_set() const override { return f32::target_name(); }

 private:
  friend LayeredNet;

  void pack() {
    for (Layer& layer : layers_) {
      if (layer.weights_t.empty()) continue;
      for (std::size_t i = 0; i < layer.in; ++i) {
        for (std::size_t o = 0; o < layer.out; ++o) {
          layer.weights_t[layer.wt.offset(o, i)] = layer.weights[layer.w.offset(i, o)];
        }
      }
    }
  }

  // Rows of one input piece: all, so that a narrow layer's member keeps to its own weights, unless
  // there are fewer parts than members; a wide layer's pieces take long enough to be shared out
  // more finely.
  std::uint32_t input_rows(const StepBatch& batch) const {
    constexpr std::uint32_t kWide = 256;
    const std::size_t wanted = layers_.front().out >= kWide ? 4 * std::size_t{members_} : members_;
    const std::size_t cuts = div_up(wanted, ranges_.parts());
    return std::max(16U, static_cast<std::uint32_t>(div_up(batch.rows, cuts)));
  }

  // Rows of one lane. Two lanes a member, so that one that lost its core for a while holds back
  // little.
  std::uint32_t lane_rows(const StepBatch& batch) const {
    const std::size_t lanes = members_ == 1 ? 1 : 2 * std::size_t{members_};
    return std::clamp(static_cast<std::uint32_t>(div_up(batch.rows, lanes)), 16U, 64U);
  }

  void run_input(const StepBatch& batch, std::uint32_t piece) {
    const std::uint32_t rows_each = input_rows(batch);
    const auto cuts = static_cast<std::uint32_t>(div_up(batch.rows, rows_each));
    // Pieces of one part follow each other, so that a member gets whole parts where it can.
    const std::size_t part = piece / cuts;
    const std::uint32_t first = piece % cuts * rows_each;
    const std::uint32_t rows = std::min(rows_each, batch.rows - first);
    const std::size_t element = size_of(model_.input);
    for (std::size_t i = 0; i < ranges_.per_part(); ++i) {
      const std::size_t range = part * ranges_.per_part() + i;
      f32::Input op{};
      op.source = &batch.source;
      op.first = first;
      op.rows = rows;
      op.begin = ranges_.begin(range);
      op.end = ranges_.end(range);
      if (first < batch.next_rows) {
        op.next = {&batch.next, first, std::min(batch.next_rows, first + rows), op.begin * element,
                   (op.end - op.begin) * element};
      }
      op.x = range_samples(range) + std::size_t{first} * kRangeStride;
      op.weights = layers_.front().weights.data();
      op.w_layout = layers_.front().w;
      op.add = i != 0;
      op.sums = sums_.data() + part * sums_stride_ + std::size_t{first} * kActPanel;
      op.sums_layout = layers_.front().act;
      f32::input(op);
    }
  }

  // Rows of a batch that one piece takes through some layers.
  struct Lane {
    std::uint32_t first;
    std::uint32_t rows;
    std::size_t at() const { return std::size_t{first} * kActPanel; }
  };
  Lane lane(const StepBatch& batch, std::uint32_t piece) const {
    const std::uint32_t first = piece * lane_rows(batch);
    return {first, std::min(lane_rows(batch), batch.rows - first)};
  }

  void run_lane(const StepBatch& batch, const Lane& rows) {
    const std::size_t at = rows.at();
    finish(false, sums_.data() + at, sums_stride_, output(0).data() + at, layers_.front().act,
           rows.rows);
    activate(0, batch, rows);
    for (std::size_t l = 1; l < layers_.size(); ++l) {
      forward(false, l, output(l - 1).data() + at, layers_[l - 1].act, output(l).data() + at,
              layers_[l].act, rows.rows);
      activate(l, batch, rows);
    }
    loss(batch, rows);
    for (std::size_t l = layers_.size() - 1; l > 0; --l) backward(l, rows);
  }

  // All rows of one panel of hidden layer l.
  void run_norm(const StepBatch& batch, std::size_t l, std::size_t panel) {
    Layer& layer = layers_[l];
    if (l == 0) {
      const std::size_t at = panel * layer.act.panel_stride();
      f32::finish({sums_.data() + at,
                   sums_stride_,
                   ranges_.parts(),
                   layer.bias.values.data(),
                   layer.scale,
                   false,
                   layer.norm->z.data() + at,
                   {layer.act.rows, kActPanel},
                   batch.rows});
    }
    const std::size_t at = panel * layer.act.panel_stride();
    layer.norm->forward(panel, batch.first, batch.rows, options_.dropout_of(l), !options_.relu(),
                        layer.y.data() + at);
    if (options_.relu()) return;
    activation::Forward op{};
    op.kind = options_.activation;
    op.dropout = options_.dropout_of(l);
    op.first = batch.first;
    op.rows = batch.rows;
    op.panel = panel;
    op.columns = layer.out - panel * kActPanel;
    op.y = layer.y.data() + at;
    op.layout = {layer.act.rows, kActPanel};
    op.slopes = layer.slopes.data() + at;
    op.slopes_layout = op.layout;
    activation::forward(op);
  }

  void run_norm_backward(const StepBatch& batch, std::size_t l, std::size_t panel) {
    Layer& layer = layers_[l];
    const float* slopes =
        options_.relu() ? nullptr : layer.slopes.data() + panel * layer.act.panel_stride();
    layer.norm->backward(panel, batch.rows, options_.dropout.factor(), options_.step, slopes,
                         batch.first != 0);
  }

  void loss(const StepBatch& batch, const Lane& rows) {
    Layer& top = layers_.back();
    judge({top.dy.data() + rows.at(), top.act, rows.first, rows.rows, batch.source,
           batch.judgements.from(rows.first), batch.step_rows});
  }

  // The gradient of the outputs below layer l; without a norm there, of the sums.
  void backward(std::size_t l, const Lane& rows) {
    Layer& above = layers_[l];
    Layer& below = layers_[l - 1];
    const std::size_t at = rows.at();
    const bool normed = below.norm != nullptr;
    f32::backward({gradient(above).data() + at, above.act, above.weights_t.data(), above.wt,
                   normed ? nullptr : below.y.data() + at, options_.dropout.factor(),
                   gradient(below).data() + at, below.act, rows.rows,
                   normed || options_.relu() ? nullptr : below.slopes.data() + at});
  }

  // What the products leave to do of a hidden layer without norm.
  void activate(std::size_t l, const StepBatch& batch, const Lane& rows) {
    if (l + 1 == layers_.size()) return;
    if (!options_.relu()) {
      Layer& layer = layers_[l];
      activation::Forward op{};
      op.kind = options_.activation;
      op.dropout = options_.dropout_of(l);
      op.first = batch.first + rows.first;
      op.rows = rows.rows;
      op.columns = layer.out;
      op.y = layer.y.data() + rows.at();
      op.layout = layer.act;
      op.slopes = layer.slopes.data() + rows.at();
      op.slopes_layout = layer.act;
      return activation::forward(op);
    }
    if (options_.dropout.rate == 0.0F) return;
    norm::drop(options_.dropout_of(l), batch.first + rows.first, rows.rows,
               layers_[l].y.data() + rows.at(), layers_[l].act);
  }
  // Of a hidden layer, in place.
  void activate_evaluated(const Layer& layer, float* y, ActLayout layout,
                          std::uint32_t rows) const {
    if (layer.norm != nullptr) layer.norm->apply(y, layout, rows, !options_.relu());
    if (options_.relu()) return;
    activation::Forward op{};
    op.kind = options_.activation;
    op.rows = rows;
    op.columns = layer.out;
    op.y = y;
    op.layout = layout;
    activation::forward(op);
  }
  static AlignedArray<float>& gradient(Layer& layer) {
    return layer.norm != nullptr ? layer.norm->dy : layer.dy;
  }

  void run_tile(const StepBatch& batch, const Tile& tile) {
    f32::update(update_of(batch, tile));
    average(tile);
  }

  void run_gradients(const StepBatch& batch, std::size_t number) {
    const Tile& tile = tiles_[number];
    f32::Update op = update_of(batch, tile);
    op.mode = batch.first == 0 ? f32::Update::Mode::kStore : f32::Update::Mode::kAdd;
    f32::update(op);
    if (!batch.last || options_.clip_norm == 0.0F) return;
    Layer& layer = layers_[tile.layer];
    double sum = 0.0;
    each_range(tile, [&](std::size_t at, std::size_t count) {
      sum += f32::squares(layer.gradients.data() + at, count);
    });
    if (tile.in_begin == 0) sum += vector_squares(layer, first_column(tile), end_column(tile));
    squares_[number] = sum;
  }

  void run_update(const Tile& tile) {
    Layer& layer = layers_[tile.layer];
    f32::Update op = update_of({}, tile);
    op.mode = f32::Update::Mode::kStep;
    op.factor = options_.factor;
    f32::update(op);
    if (tile.in_begin == 0) {
      step_vectors(layer, first_column(tile), end_column(tile), options_.step, options_.factor);
    }
    average(tile);
  }

  void average(const Tile& tile) {
    if (!options_.averaged()) return;
    Layer& layer = layers_[tile.layer];
    const float share = options_.step.average;
    each_range(tile, [&](std::size_t at, std::size_t count) {
      f32::average(layer.average.data() + at, layer.weights.data() + at, count, share);
    });
    if (tile.in_begin == 0) average_vectors(layer, first_column(tile), end_column(tile), share);
  }

  static std::size_t first_column(const Tile& tile) { return tile.panel_begin * kPanel; }
  // Of vectors, which are padded to whole panels.
  static std::size_t end_column(const Tile& tile) { return tile.panel_end * kPanel; }

  // Calls f(place, count) for the runs of a tile's weights.
  template <class F>
  void each_range(const Tile& tile, const F& f) const {
    const PanelLayout& w = layers_[tile.layer].w;
    for (std::size_t panel = tile.panel_begin; panel < tile.panel_end; ++panel) {
      const std::size_t width = w.panel_width(panel);
      f(w.panel_offset(panel) + tile.in_begin * width, (tile.in_end - tile.in_begin) * width);
    }
  }

  f32::Update update_of(const StepBatch& batch, const Tile& tile) {
    Layer& layer = layers_[tile.layer];
    f32::Update op{};
    if (tile.layer == 0) {
      const std::size_t range = tile.in_begin / ranges_.longest();
      op.x = range_samples(range) + (tile.in_begin - ranges_.begin(range));
      op.x_is_range = true;
    } else {
      op.x =
          layers_[tile.layer - 1].y.data() + layers_[tile.layer - 1].act.offset(0, tile.in_begin);
    }
    op.dy = gradient(layer).data();
    op.dy_layout = layer.act;
    op.batch = batch.rows;
    op.in_begin = tile.in_begin;
    op.in_end = tile.in_end;
    op.panel_begin = tile.panel_begin;
    op.panel_end = tile.panel_end;
    op.scale = layer.scale;
    op.step = options_.step;
    op.weights = layer.weights.data();
    op.momentum = layer.momentum.data();
    op.second = layer.second.data();
    op.w_layout = layer.w;
    op.weights_t = layer.weights_t.data();
    op.wt_layout = layer.wt;
    if (layer.norm == nullptr) op.bias = layer.bias.values.data();
    op.bias_momentum = layer.bias.first.data();
    op.bias_second = layer.bias.second.data();
    op.gradients = layer.gradients.data();
    op.bias_gradients = layer.bias.gradient.data();
    return op;
  }

  // Where layer l's output goes: the last layer's logits become its gradient in place.
  AlignedArray<float>& output(std::size_t l) {
    return l + 1 < layers_.size() ? layers_[l].y : layers_[l].dy;
  }
  float* range_samples(std::size_t range) { return x_.data() + range * x_stride_; }

  static const AlignedArray<float>& weights_of(const Layer& layer, bool averaged) {
    return averaged ? layer.average : layer.weights;
  }
  static const float* bias_of(const Layer& layer, bool averaged) {
    // A normalised layer's are zeros, of which there is no average.
    const bool own = averaged && layer.norm == nullptr;
    return (own ? layer.bias.average : layer.bias.values).data();
  }

  void finish(bool averaged, const float* sums, std::size_t stride, float* y, ActLayout layout,
              std::uint32_t rows) const {
    const Layer& bottom = layers_.front();
    f32::finish({sums, stride, ranges_.parts(), bias_of(bottom, averaged), bottom.scale,
                 relu_after(0), y, layout, rows});
  }

  void forward(bool averaged, std::size_t l, const float* x, ActLayout x_layout, float* y,
               ActLayout y_layout, std::uint32_t rows) const {
    const Layer& layer = layers_[l];
    f32::forward({x, x_layout, weights_of(layer, averaged).data(), layer.w,
                  bias_of(layer, averaged), relu_after(l), y, y_layout, rows});
  }
  bool relu_after(std::size_t l) const {
    return l + 1 < layers_.size() && layers_[l].norm == nullptr && options_.relu();
  }

  // The first layer's in the order of its ranges, so that a member gets those whose samples it
  // converted.
  void make_tiles() {
    for (std::size_t range = 0; range < ranges_.count(); ++range) {
      add_tiles(0, ranges_.begin(range), ranges_.end(range));
    }
    for (std::size_t l = 1; l < layers_.size(); ++l) {
      // Not across the chunks of the input's activations.
      for (std::size_t begin = 0; begin < layers_[l].in; begin += kActPanel) {
        add_tiles(l, begin, std::min<std::size_t>(layers_[l].in, begin + kActPanel));
      }
    }
    spread_layers(tiles_);
  }

  void add_tiles(std::size_t l, std::size_t begin, std::size_t end) {
    const auto panels = static_cast<std::uint32_t>(layers_[l].w.panels());
    // Two at least of a layer, for two members.
    const std::size_t longest = std::min<std::size_t>(kTileIn, div_up(layers_[l].in, 2));
    const std::size_t step = round_up(div_up(end - begin, div_up(end - begin, longest)), 4);
    for (std::uint32_t panel = 0; panel < panels; panel += kTilePanels) {
      for (std::size_t i = begin; i < end; i += step) {
        tiles_.push_back({static_cast<std::uint32_t>(l), static_cast<std::uint32_t>(i),
                          static_cast<std::uint32_t>(std::min(end, i + step)), panel,
                          std::min(panels, panel + kTilePanels)});
      }
    }
  }

  std::size_t place(std::size_t l, std::size_t output, std::size_t input) const {
    return layers_[l].w.offset(input, output);
  }

  std::vector<Tile> tiles_;
  AlignedArray<float> x_;  // [ranges], x_stride_ apart, of [batch, kRangeStride]
  std::size_t x_stride_ = 0;
  AlignedArray<float> sums_;  // [ranges] activations of the first layer
  std::size_t sums_stride_ = 0;
  std::vector<Scratch> scratch_;
};

}  // namespace

std::unique_ptr<CpuNet> make_f32_net(const MlpSpec& model, const TrainSpec& train,
                                     std::uint32_t members) {
  return std::make_unique<F32Net>(model, train, members);
}

}  // namespace millrace::cpu
