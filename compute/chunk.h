#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace {

/// Element type of samples as an engine takes them. Other stored types are converted to float32
/// before.
enum class InputType : std::uint8_t { kUInt8, kFloat32 };

constexpr std::size_t size_of(InputType type) noexcept { return type == InputType::kUInt8 ? 1 : 4; }

/// A run of consecutive batches, as one of two things: *indices* into a set that the engine holds
/// (Engine::add_resident), or *packed* samples. A view: whoever made it keeps the memory alive.
struct Chunk {
  std::uint32_t batch = 0;  ///< samples of one step; the last step of the chunk takes what is left
  std::uint32_t count = 0;  ///< samples in the chunk

  std::uint32_t source = 0;                ///< indices: which resident set
  std::span<const std::uint32_t> indices;  ///< indices: [count]; empty for a packed chunk
  std::span<const std::byte> samples;      ///< packed: [count, features] of the engine's InputType
  std::span<const std::int32_t> labels;    ///< packed: [count, MlpSpec::label_words()]

  /// Learning rate of each step, [batches()], for train(); empty: the engine's own for all.
  std::span<const float> learning_rates{};

  bool packed() const noexcept { return indices.empty(); }
  std::uint32_t batches() const noexcept {
    return batch == 0 || count == 0 ? 0 : (count - 1) / batch + 1;
  }
  /// Batches [first, first + n) of this chunk; n is cut to what there is.
  Chunk slice(std::uint32_t first, std::uint32_t n) const noexcept;
};

}  // namespace millrace
