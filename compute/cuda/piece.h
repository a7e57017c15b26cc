#pragma once

#include <cstdint>
#include <tuple>

namespace millrace::cuda {

/// A piece of a chunk: the steps that one graph runs. All that a graph has its addresses and
/// shapes from.
struct Piece {
  bool training = false;
  std::uint32_t source = 0;  ///< resident set, or kPacked
  std::uint32_t batch = 0;
  std::uint32_t rows = 0;  ///< of all steps; the last takes what is left

  static constexpr std::uint32_t kPacked = UINT32_MAX;
  bool operator<(const Piece& other) const { return key() < other.key(); }

 private:
  std::tuple<bool, std::uint32_t, std::uint32_t, std::uint32_t> key() const {
    return {training, source, batch, rows};
  }
};

}  // namespace millrace::cuda
