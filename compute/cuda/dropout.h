#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/cuda/elements.h"
#include "compute/cuda/step_constants.h"

namespace millrace::cuda {

/// y = 0, or y * factor where it is kept. y: [rows, width], width a multiple of 8. Which are kept
/// is a pure function of (seed, step, layer, row, column), the same as on the CPU: norm::kept().
/// A call does eight columns of a row, by one block of Philox4x32-10 (Salmon et al. 2011, as
/// formats/philox.h has it): word j is for column j and, by its upper half, j + 4.
struct Dropout {
  static constexpr std::uint32_t kColumns = 8;
  static constexpr std::uint32_t kPanel = 32;           ///< columns that share a counter word
  static constexpr std::uint32_t kStream = 0x64726F70;  ///< keeps other uses of a seed apart

  Elements y;
  const StepConstants* step = nullptr;
  std::uint64_t seed = 0;
  std::uint32_t rows = 0;
  std::uint32_t width = 0;
  std::uint32_t layer = 0;      ///< hidden layers from 0
  std::uint32_t threshold = 0;  ///< of 65536; a number below it drops
  float factor = 1.0F;

  std::size_t count() const { return std::size_t{rows} * (width / kColumns); }
  MILLRACE_HOST_DEVICE void operator()(std::size_t i) const {
    const std::uint32_t groups = width / kColumns;
    const auto row = static_cast<std::uint32_t>(i / groups);
    const auto group = static_cast<std::uint32_t>(i % groups);
    constexpr std::uint32_t kGroups = kPanel / kColumns;
    std::uint32_t words[4] = {row * kGroups + group % kGroups, kStream, step->number,
                              layer << 20U | group / kGroups};
    draw(words);
    const std::size_t at = std::size_t{row} * width + group * kColumns;
    for (std::uint32_t c = 0; c < kColumns; ++c) {
      const std::uint32_t word = words[c % 4];
      const std::uint32_t number = c < 4 ? word & 0xFFFFU : word >> 16U;
      y.store(at + c, number < threshold ? 0.0F : y.load(at + c) * factor);
    }
  }

 private:
  MILLRACE_HOST_DEVICE void draw(std::uint32_t (&c)[4]) const {
    auto key0 = static_cast<std::uint32_t>(seed);
    auto key1 = static_cast<std::uint32_t>(seed >> 32U);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * c[0];
      const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * c[2];
      c[0] = static_cast<std::uint32_t>(product1 >> 32U) ^ c[1] ^ key0;
      c[1] = static_cast<std::uint32_t>(product1);
      c[2] = static_cast<std::uint32_t>(product0 >> 32U) ^ c[3] ^ key1;
      c[3] = static_cast<std::uint32_t>(product0);
      key0 += 0x9E3779B9U;
      key1 += 0xBB67AE85U;
    }
  }
};

}  // namespace millrace::cuda
