#include <algorithm>
#include <vector>

#include "compute/cpu/aligned_array.h"
#include "compute/cpu/cpu_net.h"
#include "compute/cpu/f32_kernels.h"
#include "compute/tensors.h"

namespace millrace::cpu {
namespace {

constexpr std::uint32_t kLaneLimit = f32::kMaxLane;

struct Layer {
  std::uint32_t in = 0;
  std::uint32_t out = 0;
  float scale = 1.0F;  // of the input
  PanelLayout w;
  PanelLayout wt;
  AlignedArray<float> weights;
  AlignedArray<float> weights_t;  // empty for the first layer
  AlignedArray<float> bias;
  AlignedArray<float> momentum;       // empty without momentum
  AlignedArray<float> bias_momentum;  // empty without momentum
  ActLayout act;                      // of y and dy, for the whole batch
  AlignedArray<float> y;              // hidden layers: the output
  AlignedArray<float> dy;             // gradient of the pre-activations; the last layer's logits before that
};

struct Tile {
  std::uint32_t layer;
  std::uint32_t in_begin, in_end;
  std::uint32_t panel_begin, panel_end;
};

struct Scratch {
  AlignedArray<float> x;         // part of a lane's samples as floats
  AlignedArray<float> front;     // evaluation: activations of this layer
  AlignedArray<float> back;      // and of the one before
  AlignedArray<float> update;
};

class F32Net final : public CpuNet {
 public:
  F32Net(const MlpSpec& model, const TrainSpec& train, std::uint32_t members)
      : model_(model), sgd_{train.sgd.learning_rate, train.sgd.momentum, train.sgd.weight_decay} {
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
      layer.bias = AlignedArray<float>(round_up(layer.out, kPanel));
      if (l > 0) layer.weights_t = AlignedArray<float>(layer.wt.size());
      layer.act = {train.batch, layer.out};
      if (l + 2 < widths.size()) layer.y = AlignedArray<float>(layer.act.size());
      layer.dy = AlignedArray<float>(layer.act.size());
      widest = std::max(widest, layer.out);
      layers_.push_back(std::move(layer));
    }
    if (sgd_.momentum != 0.0F) make_momentum();
    scratch_.resize(members);
    for (Scratch& scratch : scratch_) {
      scratch.x = AlignedArray<float>(f32::kLoadScratch);
      scratch.front = AlignedArray<float>(ActLayout{kLaneLimit, widest}.size());
      scratch.back = AlignedArray<float>(ActLayout{kLaneLimit, widest}.size());
      scratch.update = AlignedArray<float>(f32::kUpdateScratch);
    }
    make_tiles();
    set_parameters(initial_parameters(model, train.seed));
  }

  std::uint32_t lane_limit() const override { return kLaneLimit; }
  std::uint32_t tiles() const override { return static_cast<std::uint32_t>(tiles_.size()); }

  void run_lane(std::uint32_t member, const StepBatch& batch, std::uint32_t first, std::uint32_t rows,
                float* losses, std::uint8_t* correct) override {
    const std::size_t at = std::size_t{first} * kActStride;
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      Layer& layer = layers_[l];
      const bool hidden = l + 1 < layers_.size();
      const f32::Forward op = forward_of(layer, (hidden ? layer.y : layer.dy).data() + at, layer.act, rows, hidden);
      if (l == 0) {
        forward_first(member, op, batch, first);
      } else {
        forward_next(op, layers_[l - 1].y.data() + at, layers_[l - 1].act);
      }
    }
    Layer& top = layers_.back();
    f32::softmax({top.dy.data() + at, top.act, rows, top.out, &batch.source,
                  first, 1.0F / static_cast<float>(batch.rows), true, losses + first, correct + first});
    for (std::size_t l = layers_.size() - 1; l > 0; --l) {
      const Layer& above = layers_[l];
      Layer& below = layers_[l - 1];
      f32::backward({above.dy.data() + at, above.act, above.weights_t.data(), above.wt,
                     below.y.data() + at, below.dy.data() + at, below.act, rows});
    }
  }

  void run_tile(std::uint32_t member, const StepBatch& batch, std::uint32_t index) override {
    const Tile& tile = tiles_[index];
    Layer& layer = layers_[tile.layer];
    f32::Update op{};
    if (tile.layer == 0) {
      op.source = &batch.source;
      // The next tile's columns, which the other members' lanes have read and this core has not.
      if (index + 1 < tiles_.size() && tiles_[index + 1].layer == 0) {
        const std::size_t element = size_of(model_.input);
        const Tile& next = tiles_[index + 1];
        op.next = {&batch.source, 0, batch.rows, next.in_begin * element, (next.in_end - next.in_begin) * element};
      }
    } else {
      op.x = layers_[tile.layer - 1].y.data();
      op.x_layout = layers_[tile.layer - 1].act;
    }
    op.dy = layer.dy.data();
    op.dy_layout = layer.act;
    op.batch = batch.rows;
    op.in_begin = tile.in_begin;
    op.in_end = tile.in_end;
    op.panel_begin = tile.panel_begin;
    op.panel_end = tile.panel_end;
    op.scale = layer.scale;
    op.sgd = sgd_;
    op.weights = layer.weights.data();
    op.momentum = layer.momentum.data();
    op.w_layout = layer.w;
    op.weights_t = layer.weights_t.data();
    op.wt_layout = layer.wt;
    op.bias = layer.bias.data();
    op.bias_momentum = layer.bias_momentum.data();
    op.scratch = scratch_[member].update.data();
    f32::update(op);
  }

  void evaluate(std::uint32_t member, const RowSource& source, std::uint32_t first, std::uint32_t rows,
                float* losses, std::uint8_t* correct) override {
    Scratch& scratch = scratch_[member];
    ActLayout x_layout;
    for (Layer& layer : layers_) {
      const ActLayout y_layout{kLaneLimit, layer.out};
      const f32::Forward op =
          forward_of(layer, scratch.front.data(), y_layout, rows, &layer != &layers_.back());
      if (&layer == &layers_.front()) {
        f32::forward_samples(op, source, first, {}, scratch.x.data());
      } else {
        forward_next(op, scratch.back.data(), x_layout);
      }
      std::swap(scratch.front, scratch.back);
      x_layout = y_layout;
    }
    f32::softmax({scratch.back.data(), x_layout, rows, model_.classes, &source, first, 0.0F, false, losses,
                  correct});
  }

  void set_sgd(const SgdSpec& sgd) override {
    sgd_ = {sgd.learning_rate, sgd.momentum, sgd.weight_decay};
    if (sgd_.momentum != 0.0F && layers_.front().momentum.empty()) make_momentum();
  }

  Parameters parameters() const override {
    return gather([](const Layer& l) -> auto& { return l.weights; }, [](const Layer& l) -> auto& { return l.bias; });
  }

  void set_parameters(const Parameters& parameters) override {
    const auto tensors = match_tensors(model_, parameters);
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      Layer& layer = layers_[l];
      scatter(*tensors[2 * l], *tensors[2 * l + 1], layer, layer.weights, layer.bias);
      if (!layer.weights_t.empty()) {
        for (std::size_t i = 0; i < layer.in; ++i) {
          for (std::size_t o = 0; o < layer.out; ++o) {
            layer.weights_t[layer.wt.offset(o, i)] = layer.weights[layer.w.offset(i, o)];
          }
        }
      }
    }
  }

  OptimizerState optimizer_state() const override {
    if (layers_.front().momentum.empty()) return {};
    return gather([](const Layer& l) -> auto& { return l.momentum; },
                  [](const Layer& l) -> auto& { return l.bias_momentum; });
  }

  void set_optimizer_state(const OptimizerState& state) override {
    if (state.empty() && layers_.front().momentum.empty()) return;
    const auto tensors = match_tensors(model_, state);
    if (layers_.front().momentum.empty()) make_momentum();
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      scatter(*tensors[2 * l], *tensors[2 * l + 1], layers_[l], layers_[l].momentum,
              layers_[l].bias_momentum);
    }
  }

  std::string instruction_set() const override { return f32::target_name(); }

 private:
  static f32::Forward forward_of(const Layer& layer, float* y, ActLayout y_layout, std::uint32_t rows, bool relu) {
    return {nullptr, {}, layer.weights.data(), layer.w, layer.bias.data(), layer.scale, relu, y, y_layout, rows};
  }

  static void forward_next(f32::Forward op, const float* x, ActLayout x_layout) {
    op.x = x;
    op.x_layout = x_layout;
    f32::forward(op);
  }

  // While a lane is multiplied the samples that its member wants next are on their way: the lane after it,
  // or the next step's.
  void forward_first(std::uint32_t member, const f32::Forward& op, const StepBatch& batch, std::uint32_t first) {
    Prefetcher next;
    const std::size_t after = first + op.rows;
    if (after < batch.rows) {
      next = {&batch.source, after, std::min<std::size_t>(batch.rows, after + op.rows), 0, batch.source.sample_bytes};
    } else {
      next = {&batch.next, 0, std::min<std::size_t>(batch.next_rows, op.rows), 0, batch.source.sample_bytes};
    }
    f32::forward_samples(op, batch.source, first, next, scratch_[member].x.data());
  }

  void make_momentum() {
    for (Layer& layer : layers_) {
      layer.momentum = AlignedArray<float>(layer.weights.size());
      layer.bias_momentum = AlignedArray<float>(layer.bias.size());
    }
  }

  void make_tiles() {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const auto panels = static_cast<std::uint32_t>(layers_[l].w.panels());
      const std::uint32_t in = layers_[l].in;
      for (std::uint32_t panel = 0; panel < panels; panel += f32::kTilePanels) {
        for (std::uint32_t i = 0; i < in; i += f32::kTileIn) {
          tiles_.push_back({static_cast<std::uint32_t>(l), i, std::min<std::uint32_t>(in, i + f32::kTileIn),
                            panel, std::min<std::uint32_t>(panels, panel + f32::kTilePanels)});
        }
      }
    }
  }

  template <class Weights, class Bias>
  std::vector<Tensor> gather(const Weights& weights, const Bias& bias) const {
    Parameters tensors = empty_parameters(model_);
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const Layer& layer = layers_[l];
      for (std::size_t o = 0; o < layer.out; ++o) {
        for (std::size_t i = 0; i < layer.in; ++i) {
          tensors[2 * l].values[o * layer.in + i] = weights(layer)[layer.w.offset(i, o)];
        }
        tensors[2 * l + 1].values[o] = bias(layer)[o];
      }
    }
    return tensors;
  }

  static void scatter(const Tensor& weight, const Tensor& bias, const Layer& layer,
                      AlignedArray<float>& weights_to, AlignedArray<float>& bias_to) {
    for (std::size_t o = 0; o < layer.out; ++o) {
      for (std::size_t i = 0; i < layer.in; ++i) {
        weights_to[layer.w.offset(i, o)] = weight.values[o * layer.in + i];
      }
      bias_to[o] = bias.values[o];
    }
  }

  MlpSpec model_;
  f32::Sgd sgd_;
  std::vector<Layer> layers_;
  std::vector<Tile> tiles_;
  std::vector<Scratch> scratch_;
};

}  // namespace

std::unique_ptr<CpuNet> make_f32_net(const MlpSpec& model, const TrainSpec& train, std::uint32_t members) {
  return std::make_unique<F32Net>(model, train, members);
}

}  // namespace millrace::cpu
