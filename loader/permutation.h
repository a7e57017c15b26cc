#pragma once

#include <cstdint>
#include <span>

namespace millrace {

/// A seeded bijection of [0, size) in O(1) memory.
class Permutation {
 public:
  Permutation() = default;
  /// Permutations of different (seed, stream) are independent draws.
  Permutation(std::uint64_t size, std::uint64_t seed, std::uint64_t stream);

  std::uint64_t size() const noexcept { return size_; }
  std::uint64_t operator()(std::uint64_t index) const noexcept;
  /// out[i] = (*this)(first + i): the fast way to walk it.
  void range(std::uint64_t first, std::span<std::uint64_t> out) const noexcept;
  /// In place: values[i] = (*this)(values[i]).
  void apply(std::span<std::uint64_t> values) const noexcept;

 private:
  std::uint64_t size_ = 0;
};

}  // namespace millrace
