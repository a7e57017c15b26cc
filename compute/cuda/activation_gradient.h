#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/cuda/elements.h"

namespace millrace::cuda {

/// The gradient of what the activation took, from that of what it gave and dropout left. Without y
/// and slopes there was no activation.
struct OutputGradient {
  Elements dy;
  Elements y;           ///< of a ReLU: 0 where it or dropout stopped the gradient; of dy's type
  Elements slopes;      ///< of another activation, dropout included; null of a ReLU; the same
  float factor = 1.0F;  ///< of a ReLU: of what dropout kept

  /// What decides how much of dy passes; dy itself where all does.
  MILLRACE_HOST_DEVICE Elements other() const {
    void* const of_layer = y.data != nullptr ? y.data : dy.data;
    return {slopes.data != nullptr ? slopes.data : of_layer, dy.type};
  }
  /// From elements of dy, by those of other().
  template <std::uint32_t kCount>
  MILLRACE_HOST_DEVICE void apply(const float (&others)[kCount], float (&values)[kCount]) const {
    for (std::uint32_t c = 0; c < kCount; ++c) {
      if (slopes.data != nullptr) {
        values[c] *= others[c];
      } else if (y.data != nullptr) {
        // Not "unless y > 0": the gradient of a NaN must not vanish.
        values[c] = others[c] <= 0.0F ? 0.0F : values[c] * factor;
      }
    }
  }

  MILLRACE_HOST_DEVICE float load(std::size_t i) const {
    float value[1] = {dy.load(i)};
    apply({other().load(i)}, value);
    return value[0];
  }
  MILLRACE_HOST_DEVICE void load_group(std::size_t i, float (&values)[Elements::kGroup]) const {
    float others[Elements::kGroup];
    dy.load_group(i, values);
    other().load_group(i, others);
    apply(others, values);
  }
};

/// dy becomes the gradient of a layer's sums (that of a layer without an activation is it already),
/// and the gradient of the biases, its sums over the batch, is made in kParts parts, which PartSums
/// adds up: so there are blocks enough for a whole device. A block has kColumns columns, in kGroups
/// groups, and kLanes threads each. A lane's rows are added up in order, and the lanes as
/// thread_blocks.h has it: the same bits each time.
struct ActivationGradient {
  static constexpr std::uint32_t kColumns = 16;  ///< divides all widths
  static constexpr std::uint32_t kGroups = kColumns / Elements::kGroup;
  static constexpr std::uint32_t kLanes = 128;
  static constexpr std::uint32_t kParts = 4;

  OutputGradient gradient;  ///< [rows, width], dy in and out
  float* parts = nullptr;   ///< [kParts, width]
  std::uint32_t rows = 0;
  std::uint32_t width = 0;

  /// A lane's rows of a part, of the group of columns that begins at `column`.
  MILLRACE_HOST_DEVICE void sum(std::uint32_t part, std::uint32_t column, std::uint32_t lane,
                                float (&sums)[Elements::kGroup]) const {
    if (gradient.dy.type == ElementType::kFloat32) {
      sum_of<ElementType::kFloat32>(part * kLanes + lane, column, sums);
    } else {
      sum_of<ElementType::kBFloat16>(part * kLanes + lane, column, sums);
    }
  }

 private:
  // So many rows are asked for before the first of them is written: a store might be to what a load
  // reads, for all that the compiler knows, and a branch between two loads parts them too.
  template <ElementType kType>
  MILLRACE_HOST_DEVICE void sum_of(std::uint32_t begin, std::uint32_t column,
                                   float (&sums)[Elements::kGroup]) const {
    constexpr std::uint32_t kAtOnce = 2;
    constexpr std::uint32_t kNext = kParts * kLanes;
    const Elements dy{gradient.dy.data, kType};
    const Elements other{gradient.other().data, kType};
    for (std::uint32_t first = begin; first < rows; first += kAtOnce * kNext) {
      float values[kAtOnce][Elements::kGroup];
      float others[kAtOnce][Elements::kGroup];
      for (std::uint32_t k = 0; k < kAtOnce; ++k) {
        const std::uint32_t row = first + k * kNext;
        const std::size_t at = std::size_t{row < rows ? row : begin} * width + column;
        dy.load_group(at, values[k]);
        other.load_group(at, others[k]);
      }
      for (std::uint32_t k = 0; k < kAtOnce; ++k) {
        const std::uint32_t row = first + k * kNext;
        if (row >= rows) continue;
        gradient.apply(others[k], values[k]);
        if (other.data != dy.data) dy.store_group(std::size_t{row} * width + column, values[k]);
        for (std::uint32_t c = 0; c < Elements::kGroup; ++c) sums[c] += values[k][c];
      }
    }
  }
};

/// The second half. A call does a column.
struct PartSums {
  const float* parts = nullptr;  ///< [ActivationGradient::kParts, width]
  float* sums = nullptr;         ///< [width]
  std::uint32_t width = 0;

  MILLRACE_HOST_DEVICE std::size_t count() const { return width; }
  MILLRACE_HOST_DEVICE void operator()(std::size_t i) const {
    float sum = 0.0F;
    for (std::uint32_t p = 0; p < ActivationGradient::kParts; ++p) {
      sum += parts[std::size_t{p} * width + i];
    }
    sums[i] = sum;
  }
};

}  // namespace millrace::cuda
