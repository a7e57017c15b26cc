#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/cpu/row_source.h"

namespace millrace::cpu {

/// Asks for some bytes of each of a run of samples, one cache line a call. Samples of a batch lie
/// anywhere in the data set, so the hardware cannot guess them; asked for all at once they would
/// fill the core's miss buffers and hold up the arithmetic, so a multiplication asks for one every
/// few rows of its depth.
struct Prefetcher {
  const RowSource* source = nullptr;
  std::size_t row = 0;  ///< the next sample to begin with
  std::size_t end = 0;  ///< and one past the last
  std::size_t first_byte = 0;
  std::size_t bytes = 0;
  const std::byte* at = nullptr;  ///< the rest of the sample under way
  const std::byte* stop = nullptr;

  // Inlined by force: a call would spill every register of the multiplication it stands in.
  __attribute__((always_inline)) void one() {
    constexpr std::uintptr_t kLine = 64;
    if (at >= stop) {
      if (row >= end) return;
      const std::byte* begin = source->data(row) + first_byte;
      at = begin - reinterpret_cast<std::uintptr_t>(begin) % kLine;
      stop = begin + bytes;
      ++row;
    }
    __builtin_prefetch(at, 0, 2);
    at += kLine;
  }
};

}  // namespace millrace::cpu
