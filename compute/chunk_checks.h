#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "compute/engine.h"

namespace millrace {

// What an engine holds against its model before it does anything with it. An index or a label
// outside, or a target that is not finite, throws std::out_of_range, all else
// std::invalid_argument.

std::size_t sample_bytes(const MlpSpec& model) noexcept;
std::size_t label_bytes(const MlpSpec& model) noexcept;
void check_resident(const MlpSpec& model, const ResidentSet& set);
/// Samples of a set that was checked.
std::size_t sample_count(const MlpSpec& model, const ResidentSet& set) noexcept;
/// Finite and not negative.
void check_learning_rate(float rate);
/// Of a chunk to train on: batches of 1 to `most` samples, and no or enough rates.
void check_steps(const Chunk& chunk, std::uint32_t most);
/// `chunk` with its spans cut to `count`. Of an index chunk: how many sets are resident, and how
/// many samples the one that it names has.
Chunk checked(const MlpSpec& model, const Chunk& chunk, std::size_t sets, std::size_t size);
/// Room for the chunk's.
void check_logits(const MlpSpec& model, const Chunk& chunk, std::span<const float> logits);

}  // namespace millrace
