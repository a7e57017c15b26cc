#pragma once

#include <array>
#include <cstdint>

namespace millrace {

/// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3" (SC 2011): 128 random bits that are a pure function of a 128-bit
/// counter and a 64-bit key. Any number of threads draw any part of the sequence in any order. The
/// project's only source of randomness: whoever draws puts a number of its own into counter word 1,
/// so that one seed serves several purposes with independent draws.
class Philox {
 public:
  using Counter = std::array<std::uint32_t, 4>;
  using Key = std::array<std::uint32_t, 2>;

  /// The paper's multipliers; the index permutation borrows them.
  static constexpr std::uint32_t kMultiplier0 = 0xD2511F53;
  static constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57;
  static constexpr std::uint32_t kWeyl0 = 0x9E3779B9;  ///< the golden ratio
  static constexpr std::uint32_t kWeyl1 = 0xBB67AE85;  ///< the square root of 3, less 1
  static constexpr int kRounds = 10;

  static constexpr Counter generate(Counter counter, Key key) noexcept {
    for (int round = 0; round < kRounds; ++round) {
      const std::uint64_t product0 = std::uint64_t{kMultiplier0} * counter[0];
      const std::uint64_t product1 = std::uint64_t{kMultiplier1} * counter[2];
      counter = {high(product1) ^ counter[1] ^ key[0], low(product1),
                 high(product0) ^ counter[3] ^ key[1], low(product0)};
      key[0] += kWeyl0;
      key[1] += kWeyl1;
    }
    return counter;
  }

  static constexpr Key key_of(std::uint64_t seed) noexcept { return {low(seed), high(seed)}; }

 private:
  static constexpr std::uint32_t low(std::uint64_t value) noexcept {
    return static_cast<std::uint32_t>(value);
  }
  static constexpr std::uint32_t high(std::uint64_t value) noexcept {
    return static_cast<std::uint32_t>(value >> 32U);
  }
};

}  // namespace millrace
