#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "compute/cpu/cpu_net.h"
#include "compute/cpu/f32_kernels.h"
#include "compute/cpu/norm_layer.h"
#include "compute/cpu/step_options.h"
#include "compute/cpu/target_loss.h"
#include "compute/target_units.h"
#include "compute/tensors.h"

namespace millrace::cpu {

/// Sorts tiles, which come layer by layer, so that any run of them has its share of each layer's:
/// a member then gets those of the columns that it multiplied and of the rows that are nearest.
template <class Tile>
void spread_layers(std::vector<Tile>& tiles) {
  struct Place {
    Tile tile;
    double share;  // of its layer's tiles that come before its middle
  };
  std::vector<Place> places;
  places.reserve(tiles.size());
  for (auto begin = tiles.begin(); begin != tiles.end();) {
    const auto end = std::find_if(begin, tiles.end(),
                                  [&](const Tile& tile) { return tile.layer != begin->layer; });
    const auto count = static_cast<double>(end - begin);
    for (auto tile = begin; tile != end; ++tile) {
      places.push_back({*tile, (static_cast<double>(tile - begin) + 0.5) / count});
    }
    begin = end;
  }
  std::ranges::stable_sort(places, {}, &Place::share);
  std::ranges::transform(places, tiles.begin(), &Place::tile);
}

/// What a net of layers has in any precision: its parameters and the optimizer's state as tensors,
/// and the course of a step. `Net` derives from it, and gives
///
/// - place(layer, output, input): where a weight is among the layer's;
/// - pack(): weights that came from outside in the other orders that it keeps.
///
/// `Layer` has what norm_layer.h takes.
template <class Net, class Layer>
class LayeredNet : public CpuNet {
 public:
  void share_among(std::uint32_t members) final { members_ = members; }
  std::uint32_t phases() const final { return static_cast<std::uint32_t>(options_.stages.size()); }

  void end_phase(std::uint32_t phase, const StepBatch& batch) final {
    const bool all = batch.last && options_.stages[phase].kind == Stage::Kind::kGradients;
    if (all && options_.clip_norm > 0.0F) options_.clip(squares_);
  }

  Parameters parameters() const final {
    Parameters tensors = empty_parameters(model_);
    gather(tensors, 0, options_.averaged() ? Moment::kAverage : Moment::kValue);
    return tensors;
  }

  void set_parameters(const Parameters& parameters) final {
    const auto tensors = match_tensors(model_, parameters);
    scatter(tensors, 0, Moment::kValue);
    if (options_.averaged()) scatter(tensors, 0, Moment::kAverage);
    static_cast<Net*>(this)->pack();
  }

  OptimizerState optimizer_state() const final {
    OptimizerState tensors = empty_state(model_, options_.optimizer, moments());
    std::size_t next = 0;
    if (moments()) next = gather(tensors, next, Moment::kFirst);
    if (options_.optimizer.adaptive()) next = gather(tensors, next, Moment::kSecond);
    if (options_.averaged()) gather(tensors, next, Moment::kValue);
    return tensors;
  }

  void set_optimizer_state(const OptimizerState& state) final {
    const std::size_t raw = options_.averaged() ? parameter_shapes(model_).size() : 0;
    const auto tensors = match_state(model_, options_.optimizer, moments(), state);
    const bool given = tensors.size() > raw;
    if (given && !moments()) make_moments();
    std::size_t next = 0;
    if (given) next = scatter(tensors, next, Moment::kFirst);
    if (options_.optimizer.adaptive()) next = scatter(tensors, next, Moment::kSecond);
    if (!options_.averaged()) return;
    scatter(tensors, next, Moment::kValue);
    static_cast<Net*>(this)->pack();
  }

 protected:
  LayeredNet(const MlpSpec& model, const TrainSpec& train, std::uint32_t members)
      : model_(model), members_(members), ranges_{model.features}, options_(model, train) {}

  /// Rows whose logits, or targets as the network sees them, are there.
  struct Outputs {
    float* z = nullptr;  ///< activations [rows, classes], at the first of these rows
    ActLayout layout;
    std::size_t first = 0;  ///< row of the source
    std::size_t rows = 0;
    const RowSource& source;
    const Judgements& judgements;  ///< of these rows
    std::uint32_t step_rows = 0;   ///< of the training step; 0: none
  };
  /// In a training step, leaves their gradient in their place.
  void judge(const Outputs& of) const {
    const bool training = of.step_rows != 0;
    const float scale = training ? 1.0F / static_cast<float>(of.step_rows) : 0.0F;
    if (model_.has_targets()) {
      return target_loss({model_.loss, model_.target_scales, of.z, of.layout, of.rows,
                          model_.classes, &of.source, of.first, scale, training,
                          of.judgements.losses, of.judgements.squared_errors});
    }
    f32::softmax({of.z, of.layout, of.rows, model_.classes, &of.source, of.first, scale,
                  training ? options_.smoothing : 0.0F, training, of.judgements.losses,
                  of.judgements.correct, training ? options_.weights_of_classes() : nullptr});
  }
  /// `out`: [rows, classes], row-major.
  void hand_out(const float* z, ActLayout layout, std::size_t rows, float* out) const {
    copy_rows(z, layout, rows, model_.classes, out);
    to_target_units(model_, {out, rows * model_.classes});
  }

  /// When all layers are there.
  void make_state() {
    if (options_.has_moments()) make_moments();
    if (options_.averaged()) make_averages(layers_);
    if (options_.buffered) make_gradients(layers_);
  }

  MlpSpec model_;
  std::uint32_t members_;  ///< by which pieces are cut
  InputRanges ranges_;
  StepOptions options_;
  std::vector<Layer> layers_;
  std::vector<double> squares_;  ///< of the tiles' gradients

 private:
  bool moments() const { return !layers_.front().momentum.empty(); }
  void make_moments() { cpu::make_moments(layers_, options_.optimizer.adaptive()); }

  // Calls f(value in its tensor, value in the layer's array) for each weight of layer l.
  template <class Values, class Array, class F>
  void each_weight(std::size_t l, Values& values, Array& array, const F& f) const {
    const std::size_t in = layers_[l].in;
    for (std::size_t o = 0; o < layers_[l].out; ++o) {
      for (std::size_t i = 0; i < in; ++i) {
        f(values[o * in + i], array[static_cast<const Net*>(this)->place(l, o, i)]);
      }
    }
  }

  // Fills tensors from `next` on, and returns the place after them.
  std::size_t gather(std::vector<Tensor>& tensors, std::size_t next, Moment moment) const {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const Layer& layer = layers_[l];
      each_weight(l, tensors[next++].values, matrix_of(layer, moment),
                  [](float& to, float from) { to = from; });
      each_vector(layer, moment, [&](const AlignedArray<float>& values) {
        std::copy_n(values.data(), layer.out, tensors[next++].values.data());
      });
    }
    return next;
  }

  std::size_t scatter(const std::vector<const Tensor*>& tensors, std::size_t next, Moment moment) {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      Layer& layer = layers_[l];
      each_weight(l, tensors[next++]->values, matrix_of(layer, moment),
                  [](float from, float& to) { to = from; });
      each_vector(layer, moment, [&](AlignedArray<float>& values) {
        std::copy_n(tensors[next++]->values.data(), layer.out, values.data());
      });
    }
    return next;
  }
};

}  // namespace millrace::cpu
