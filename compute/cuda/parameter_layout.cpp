#include "compute/cuda/parameter_layout.h"

#include <algorithm>

#include "compute/tensors.h"

namespace millrace::cuda {
namespace {

// Each tensor begins at a multiple of 128 bytes in bfloat16 and of 256 in float32.
constexpr std::size_t kTensorMultiple = 64;

}  // namespace

ParameterLayout::ParameterLayout(const MlpSpec& model)
    : model_(model), widths_(model.widths()), layers_(widths_.size() - 1) {
  const auto take = [&](std::size_t elements) {
    const std::size_t offset = size_;
    size_ += round_up(elements, kTensorMultiple);
    return offset;
  };
  for (std::size_t l = 0; l < layers(); ++l) {
    layers_[l].weight = take(std::size_t{padded(l)} * padded(l + 1));
    if (normed(l)) layers_[l].factor = take(padded(l + 1));
    layers_[l].bias = take(padded(l + 1));
  }
  trained_ = size_;
  for (std::size_t l = 0; l < layers(); ++l) {
    if (!normed(l)) continue;
    layers_[l].mean = take(padded(l + 1));
    layers_[l].variance = take(padded(l + 1));
  }
}

std::vector<ParameterLayout::Place> ParameterLayout::places(bool all) const {
  std::vector<Place> places;
  for (std::size_t l = 0; l < layers(); ++l) {
    const auto add_vector = [&](std::size_t offset) {
      places.push_back({offset, 1, width(l + 1), padded(l + 1)});
    };
    places.push_back({weight(l), width(l + 1), width(l), padded(l)});
    if (normed(l)) add_vector(factor(l));
    add_vector(bias(l));
    if (!normed(l) || !all) continue;
    add_vector(mean(l));
    add_vector(variance(l));
  }
  return places;
}

std::vector<float> ParameterLayout::pack(std::span<const Tensor* const> tensors) const {
  std::vector<Place> to = places(true);
  const bool all = tensors.size() == to.size();
  if (!all) to = places(false);
  std::vector<float> flat(all ? size_ : trained_);
  for (std::size_t t = 0; t < to.size(); ++t) {
    for (std::size_t row = 0; row < to[t].rows; ++row) {
      std::copy_n(tensors[t]->values.data() + row * to[t].columns, to[t].columns,
                  flat.data() + to[t].offset + row * to[t].stride);
    }
  }
  return flat;
}

Parameters ParameterLayout::unpack(std::span<const float> flat) const {
  const bool all = flat.size() == size_;
  Parameters tensors = empty_parameters(model_);
  if (!all) std::erase_if(tensors, [](const Tensor& tensor) { return !is_trained(tensor); });
  const std::vector<Place> from = places(all);
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    for (std::size_t row = 0; row < from[t].rows; ++row) {
      std::copy_n(flat.data() + from[t].offset + row * from[t].stride, from[t].columns,
                  tensors[t].values.data() + row * from[t].columns);
    }
  }
  return tensors;
}

}  // namespace millrace::cuda
