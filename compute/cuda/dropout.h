#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/cuda/elements.h"
#include "compute/cuda/step_constants.h"

namespace millrace::cuda {

/// Which outputs of a hidden layer a step keeps: a pure function of (seed, step, layer, row,
/// column), the same as on the CPU: norm::kept(). One block of Philox4x32-10 (Salmon et al. 2011,
/// as formats/philox.h has it) is for eight columns of a row: word j is for column j and, by its
/// upper half, j + 4.
struct Keeping {
  static constexpr std::uint32_t kColumns = Elements::kGroup;
  static constexpr std::uint32_t kPanel = 32;           ///< columns that share a counter word
  static constexpr std::uint32_t kStream = 0x64726F70;  ///< keeps other uses of a seed apart

  const StepConstants* step = nullptr;  ///< null: all are kept
  std::uint64_t seed = 0;
  std::uint32_t layer = 0;      ///< hidden layers from 0
  std::uint32_t first = 0;      ///< row of the step's batch that row 0 is
  std::uint32_t threshold = 0;  ///< of 65536; a number below it drops
  float factor = 1.0F;          ///< of what is kept

  /// times[c]: what column 8 * group + c of a row is multiplied by, 0 or the factor.
  MILLRACE_HOST_DEVICE void draw(std::uint32_t row, std::uint32_t group,
                                 float (&times)[kColumns]) const {
    constexpr std::uint32_t kGroups = kPanel / kColumns;
    std::uint32_t words[4] = {(first + row) * kGroups + group % kGroups, kStream, step->number,
                              layer << 20U | group / kGroups};
    philox(words);
    for (std::uint32_t c = 0; c < kColumns; ++c) {
      const std::uint32_t word = words[c % 4];
      const std::uint32_t number = c < 4 ? word & 0xFFFFU : word >> 16U;
      times[c] = number < threshold ? 0.0F : factor;
    }
  }

 private:
  MILLRACE_HOST_DEVICE void philox(std::uint32_t (&c)[4]) const {
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

/// y = 0, or y * factor where it is kept. y: [rows, width], width a multiple of 8. A call does
/// eight columns of a row.
struct Dropout {
  Elements y;
  Keeping keeping;
  std::uint32_t rows = 0;
  std::uint32_t width = 0;

  MILLRACE_HOST_DEVICE std::size_t count() const {
    return std::size_t{rows} * (width / Keeping::kColumns);
  }
  MILLRACE_HOST_DEVICE void operator()(std::size_t i) const {
    const std::uint32_t groups = width / Keeping::kColumns;
    float times[Keeping::kColumns];
    float values[Keeping::kColumns];
    keeping.draw(static_cast<std::uint32_t>(i / groups), static_cast<std::uint32_t>(i % groups),
                 times);
    y.load_group(i * Keeping::kColumns, values);
    for (std::uint32_t c = 0; c < Keeping::kColumns; ++c) {
      values[c] = times[c] == 0.0F ? 0.0F : values[c] * times[c];
    }
    y.store_group(i * Keeping::kColumns, values);
  }
};

}  // namespace millrace::cuda
