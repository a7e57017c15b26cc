#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "loader/feistel.h"

namespace millrace {

/// Streams of Permutation. Epoch e of a run takes stream e; what is not an epoch counts down from
/// the top.
inline constexpr std::uint64_t kSplitStream = ~std::uint64_t{0};

/// A seeded bijection of [0, size) in O(1) memory; size up to 2^62.
///
/// Up to 256 it is a table shuffled by Fisher and Yates, every permutation equally likely; above, a
/// Feistel network with cycle walking (feistel.h). Keys and swaps are drawn from Philox. The values
/// are the same on every processor.
class Permutation {
 public:
  Permutation() = default;
  /// Permutations of different (seed, stream) are independent draws. Throws std::invalid_argument
  /// where size exceeds 2^62.
  Permutation(std::uint64_t size, std::uint64_t seed, std::uint64_t stream);

  std::uint64_t size() const noexcept { return feistel_.size; }
  /// `index` lies in [0, size()), here and below.
  std::uint64_t operator()(std::uint64_t index) const noexcept;
  /// The index that `image`, in [0, size()), is the image of.
  std::uint64_t inverse(std::uint64_t image) const noexcept;
  /// out[i] = (*this)(first + i): the fast way to walk it.
  void range(std::uint64_t first, std::span<std::uint64_t> out) const noexcept;
  /// In place: values[i] = (*this)(values[i]).
  void apply(std::span<std::uint64_t> values) const noexcept;
  /// In place: values[i] = inverse(values[i]).
  void invert(std::span<std::uint64_t> values) const noexcept;

 private:
  static constexpr std::size_t kTableSize = 256;

  bool tabled() const noexcept { return feistel_.size <= kTableSize; }

  Feistel feistel_;
  std::array<std::uint8_t, kTableSize> table_{};
};

}  // namespace millrace
