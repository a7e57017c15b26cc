#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "compute/chunk.h"
#include "compute/spec.h"

namespace millrace::cuda {

/// What a device cannot refuse, and so is refused before anything is enqueued. `model` is the
/// engine's.

/// Throws std::out_of_range for the first label outside [0, classes).
void check_labels(const MlpSpec& model, std::span<const std::int32_t> labels);
/// `chunk` with its spans cut to `count`. Throws std::invalid_argument if they are too short,
/// std::out_of_range for a label outside.
Chunk checked_packed(const MlpSpec& model, const Chunk& chunk);
/// The same for indices: std::out_of_range for one not below `size`, the resident set's.
Chunk checked_indices(const Chunk& chunk, std::size_t size);
std::size_t sample_bytes(const MlpSpec& model) noexcept;

}  // namespace millrace::cuda
