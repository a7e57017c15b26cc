#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/chunk.h"

namespace millrace::cpu {

/// The samples of one batch, wherever they lie. A view.
struct RowSource {
  const std::byte* base = nullptr;
  const std::uint32_t* indices = nullptr;  ///< null: consecutive samples
  const std::int32_t* labels = nullptr;    ///< by sample, not by row
  std::size_t sample_bytes = 0;
  std::size_t label_words = 1;
  InputType type = InputType::kUInt8;

  std::size_t sample(std::size_t row) const { return indices != nullptr ? indices[row] : row; }
  const std::byte* data(std::size_t row) const { return base + sample(row) * sample_bytes; }
  /// Of classes.
  std::int32_t label(std::size_t row) const { return labels[sample(row)]; }
  /// Of numbers: [label_words], their bits.
  const std::int32_t* targets(std::size_t row) const { return labels + sample(row) * label_words; }
};

}  // namespace millrace::cpu
