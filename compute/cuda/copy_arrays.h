#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/cuda/elements.h"

namespace millrace::cuda {

/// Copies some arrays of device memory, each aligned to 16 bytes, in one launch: for less than a
/// copy engine's start takes. A call does 16 bytes.
struct CopyArrays {
  static constexpr std::uint32_t kMost = 3;
  static constexpr std::size_t kWord = 16;

  struct Array {
    const void* from = nullptr;
    void* to = nullptr;
    std::size_t bytes = 0;

    MILLRACE_HOST_DEVICE std::size_t words() const { return (bytes + kWord - 1) / kWord; }
  };
  Array arrays[kMost];

  MILLRACE_HOST_DEVICE std::size_t count() const {
    std::size_t words = 0;
    for (const Array& array : arrays) words += array.words();
    return words;
  }
  MILLRACE_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t a = 0;
    while (i >= arrays[a].words()) i -= arrays[a++].words();
    const std::size_t at = i * kWord;
    const auto* from = static_cast<const std::byte*>(arrays[a].from) + at;
    auto* to = static_cast<std::byte*>(arrays[a].to) + at;
    if (at + kWord <= arrays[a].bytes) {
      float four[4];
      load_four(from, four);
      store_four(to, four);
      return;
    }
    for (std::size_t b = 0; at + b < arrays[a].bytes; ++b) to[b] = from[b];
  }
};

}  // namespace millrace::cuda
