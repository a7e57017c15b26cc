#include "compute/cpu/norm.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "formats/philox.h"

namespace millrace::cpu {
namespace {

constexpr std::uint32_t kStream = 0x64726F70;

norm::Dropout dropout_of(float rate) { return {0x0123456789ABCDEFULL, 77, 3, rate}; }

// The definition: 16 bits of Philox for each activation.
bool is_kept(const norm::Dropout& dropout, std::size_t row, std::size_t column) {
  const std::size_t within = column % 32;
  const auto words =
      Philox::generate({static_cast<std::uint32_t>(row * 4 + within / 8), kStream,
                        static_cast<std::uint32_t>(dropout.step),
                        dropout.layer << 20U | static_cast<std::uint32_t>(column / 32)},
                       Philox::key_of(dropout.seed));
  const std::uint32_t word = words[within % 4];
  return (within % 8 < 4 ? word & 0xFFFFU : word >> 16U) >= dropout.threshold();
}

TEST(Dropout, KeepsWhatItsDefinitionSays) {
  for (const std::size_t first : {0U, 5U, 64U}) {
    for (const std::size_t rows : {1U, 3U, 16U, 37U}) {
      const norm::Dropout dropout = dropout_of(0.3F);
      std::vector<std::uint32_t> bits(rows);
      norm::kept(dropout, 2, first, rows, bits.data());
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < 32; ++c) {
          EXPECT_EQ((bits[r] >> c & 1U) != 0, is_kept(dropout, first + r, 64 + c))
              << r << ", " << c;
        }
      }
    }
  }
}

TEST(Dropout, DropsItsShare) {
  for (const float rate : {0.0F, 0.1F, 0.5F, 0.9F}) {
    std::vector<std::uint32_t> bits(8192);
    norm::kept(dropout_of(rate), 0, 0, bits.size(), bits.data());
    std::size_t kept = 0;
    for (const std::uint32_t row : bits) kept += static_cast<std::size_t>(std::popcount(row));
    const double count = 32.0 * static_cast<double>(bits.size());
    const double deviation = std::sqrt(count * rate * (1.0 - rate));
    EXPECT_NEAR(static_cast<double>(kept), count * (1.0 - double{rate}), 5.0 * deviation + 5.0);
  }
}

TEST(Dropout, ScalesWhatItKeepsAndClearsTheRest) {
  const norm::Dropout dropout = dropout_of(0.25F);
  const ActLayout layout{80, 50};
  std::vector<float> y(layout.size(), 3.0F);
  y[layout.offset(7, 33)] = -1.0F;
  norm::drop(dropout, 10, 70, y.data(), layout);
  for (std::size_t r = 0; r < 70; ++r) {
    for (std::size_t c = 0; c < 50; ++c) {
      const bool zero = !is_kept(dropout, 10 + r, c) || (r == 7 && c == 33);
      EXPECT_EQ(y[layout.offset(r, c)], zero ? 0.0F : 4.0F) << r << ", " << c;
    }
  }
}

TEST(Norm, ABatchOfOneRowLeavesTheRunningStatistics) {
  std::vector<float> z(32, 5.0F);
  std::vector<float> y(32);
  std::vector<float> gamma(32, 1.0F);
  std::vector<float> beta(32, 0.5F);
  std::vector<float> mean(32, 2.0F);
  std::vector<float> var(32, 3.0F);
  std::vector<float> inverse(32);
  std::uint32_t gates = 0;
  norm::forward({z.data(),
                 y.data(),
                 &gates,
                 1,
                 0,
                 {gamma.data(), beta.data(), mean.data(), var.data(), inverse.data()},
                 {}});
  for (std::size_t c = 0; c < 32; ++c) {
    EXPECT_EQ(y[c], 0.5F);
    EXPECT_EQ(mean[c], 2.0F);
    EXPECT_EQ(var[c], 3.0F);
  }
  EXPECT_EQ(gates, 0xFFFFFFFFU);
}

TEST(Norm, ANanReachesTheOutput) {
  std::vector<float> z(4 * 32, 1.0F);
  z[40] = std::nanf("");
  std::vector<float> y(4 * 32);
  std::vector<float> gamma(32, 1.0F);
  std::vector<float> others(5 * 32);
  std::vector<std::uint32_t> gates(4);
  norm::forward({z.data(),
                 y.data(),
                 gates.data(),
                 4,
                 0,
                 {gamma.data(), &others[0], &others[32], &others[64], &others[96]},
                 {}});
  EXPECT_TRUE(std::isnan(y[40]));
  EXPECT_EQ(y[41], 0.0F);
}

}  // namespace
}  // namespace millrace::cpu
