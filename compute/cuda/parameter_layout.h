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

/// Where the parameters lie in one flat buffer, so that one kernel updates them all. Widths are
/// padded to multiples of 16 with zeros that stay zero: every matrix is then aligned for tensor
/// cores and for every epilogue, whatever the model (10 classes become 16).
class ParameterLayout {
 public:
  static constexpr std::uint32_t kWidthMultiple = 16;

  explicit ParameterLayout(const MlpSpec& model);

  std::size_t layers() const noexcept { return widths_.size() - 1; }
  std::uint32_t width(std::size_t i) const noexcept { return widths_[i]; }
  std::uint32_t padded(std::size_t i) const noexcept {
    return static_cast<std::uint32_t>(round_up(widths_[i], kWidthMultiple));
  }
  /// Offsets in elements: of layer l's weights, [padded(l + 1), padded(l)] row-major, and bias,
  /// [padded(l + 1)].
  std::size_t weight(std::size_t l) const noexcept { return offsets_[2 * l]; }
  std::size_t bias(std::size_t l) const noexcept { return offsets_[2 * l + 1]; }
  std::size_t size() const noexcept { return size_; }

  /// tensors: as match_tensors() orders them.
  std::vector<float> pack(std::span<const Tensor* const> tensors) const;
  /// flat: [size()].
  Parameters unpack(std::span<const float> flat) const;

 private:
  MlpSpec model_;
  std::vector<std::uint32_t> widths_;
  std::vector<std::size_t> offsets_;
  std::size_t size_ = 0;
};

}  // namespace millrace::cuda
