#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compute/engine.h"
#include "compute/spec.h"

namespace millrace::cuda {

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// Where the parameters lie in one flat buffer, so that one kernel updates them all: first those
/// that have a gradient, then running statistics. Widths are padded to multiples of 16 with zeros
/// that stay zero: every matrix is then aligned for tensor cores and for every epilogue, whatever
/// the model (10 classes become 16).
class ParameterLayout {
 public:
  static constexpr std::uint32_t kWidthMultiple = 16;

  explicit ParameterLayout(const MlpSpec& model);

  std::size_t layers() const noexcept { return widths_.size() - 1; }
  std::uint32_t width(std::size_t i) const noexcept { return widths_[i]; }
  std::uint32_t padded(std::size_t i) const noexcept {
    return static_cast<std::uint32_t>(round_up(widths_[i], kWidthMultiple));
  }
  /// Whether batch normalisation follows layer l's product.
  bool normed(std::size_t l) const noexcept { return model_.batch_norm && l + 1 < layers(); }

  /// Offsets in elements: of layer l's weights, [padded(l + 1), padded(l)] row-major, and vectors
  /// of padded(l + 1): the bias, in a normalised layer the normalisation's own, and of such a layer
  /// alone the factor and the running statistics.
  std::size_t weight(std::size_t l) const noexcept { return layers_[l].weight; }
  std::size_t bias(std::size_t l) const noexcept { return layers_[l].bias; }
  std::size_t factor(std::size_t l) const noexcept { return layers_[l].factor; }
  std::size_t mean(std::size_t l) const noexcept { return layers_[l].mean; }
  std::size_t variance(std::size_t l) const noexcept { return layers_[l].variance; }
  /// Where what belongs to layer l ends, which begins with its weights. Running statistics, of all
  /// layers, belong to the last.
  std::size_t end(std::size_t l) const noexcept { return l + 1 < layers() ? weight(l + 1) : size_; }
  /// Elements of what has a gradient, and of all.
  std::size_t trained() const noexcept { return trained_; }
  std::size_t size() const noexcept { return size_; }

  /// Tensors of all parameters or, where there are fewer, of those that have a gradient, as
  /// match_tensors() orders them; to [size()] or [trained()].
  std::vector<float> pack(std::span<const Tensor* const> tensors) const;
  /// flat: [size()] or [trained()]; the same tensors.
  Parameters unpack(std::span<const float> flat) const;

 private:
  struct Layer {
    std::size_t weight = 0;
    std::size_t bias = 0;
    std::size_t factor = 0;
    std::size_t mean = 0;
    std::size_t variance = 0;
  };
  // Of a tensor: where its rows begin, and how far they are apart.
  struct Place {
    std::size_t offset = 0;
    std::size_t rows = 0;
    std::size_t columns = 0;
    std::size_t stride = 0;
  };
  // Of all tensors, or of those that have a gradient.
  std::vector<Place> places(bool all) const;

  MlpSpec model_;
  std::vector<std::uint32_t> widths_;
  std::vector<Layer> layers_;
  std::size_t trained_ = 0;
  std::size_t size_ = 0;
};

}  // namespace millrace::cuda
