#include "compute/cuda/parameter_layout.h"

#include <algorithm>

#include "compute/tensors.h"

namespace millrace::cuda {
namespace {

// Each tensor begins at a multiple of 128 bytes in bfloat16 and of 256 in float32.
constexpr std::size_t kTensorMultiple = 64;

// Calls copy(flat offset, tensor offset, count) for each row of tensor t.
template <class Copy>
void for_each_row(const ParameterLayout& layout, std::size_t t, Copy copy) {
  const std::size_t l = t / 2;
  if (t % 2 == 1) return copy(layout.bias(l), std::size_t{0}, layout.width(l + 1));
  for (std::size_t row = 0; row < layout.width(l + 1); ++row) {
    copy(layout.weight(l) + row * layout.padded(l), row * layout.width(l), layout.width(l));
  }
}

}  // namespace

ParameterLayout::ParameterLayout(const MlpSpec& model) : model_(model), widths_(model.widths()) {
  for (std::size_t l = 0; l < layers(); ++l) {
    offsets_.push_back(size_);
    size_ += round_up(std::size_t{padded(l)} * padded(l + 1), kTensorMultiple);
    offsets_.push_back(size_);
    size_ += round_up(padded(l + 1), kTensorMultiple);
  }
}

std::vector<float> ParameterLayout::pack(std::span<const Tensor* const> tensors) const {
  std::vector<float> flat(size_);
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    for_each_row(*this, t, [&](std::size_t to, std::size_t from, std::size_t n) {
      std::copy_n(tensors[t]->values.data() + from, n, flat.data() + to);
    });
  }
  return flat;
}

Parameters ParameterLayout::unpack(std::span<const float> flat) const {
  Parameters tensors = empty_parameters(model_);
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    for_each_row(*this, t, [&](std::size_t from, std::size_t to, std::size_t n) {
      std::copy_n(flat.data() + from, n, tensors[t].values.data() + to);
    });
  }
  return tensors;
}

}  // namespace millrace::cuda
