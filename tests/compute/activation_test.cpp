#include "compute/cpu/activation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/instruction_sets.h"
#include "tests/support/reference_mlp.h"

namespace millrace::cpu {
namespace {

constexpr Activation kAll[] = {Activation::kRelu, Activation::kGelu, Activation::kTanh,
                               Activation::kSigmoid, Activation::kLeakyRelu};

// y and slopes of values in one panel of 32 columns.
struct Outcome {
  std::vector<float> y, slopes;
  bool operator==(const Outcome&) const = default;
};
Outcome applied(Activation kind, std::vector<float> z) {
  const std::size_t rows = (z.size() + 31) / 32;
  z.resize(rows * 32);
  Outcome outcome{z, std::vector<float>(z.size(), -7.0F)};
  activation::Forward op{};
  op.kind = kind;
  op.rows = rows;
  op.columns = 32;
  op.y = outcome.y.data();
  op.layout = {rows, 32};
  op.slopes = outcome.slopes.data();
  op.slopes_layout = op.layout;
  activation::forward(op);
  return outcome;
}

std::vector<float> numbers() {
  std::vector<float> z{0.0F, -0.0F, 1e-30F, -1e-30F, 100.0F, -100.0F, 1e30F, -1e18F};
  for (int i = -24000; i <= 24000; ++i) z.push_back(static_cast<float>(i) / 1500.0F);
  for (float x = 1e-9F; x < 1e3F; x *= 1.01F) {
    z.push_back(x);
    z.push_back(-x);
  }
  return z;
}

TEST(Activation, AgreesWithItsDefinition) {
  const std::vector<float> z = numbers();
  for (const Activation kind : kAll) {
    const Outcome found = applied(kind, z);
    // What the header promises.
    const double bound = kind == Activation::kGelu ? 3e-7 : 2e-7;
    double worst = 0.0;
    double worst_slope = 0.0;
    for (std::size_t i = 0; i < z.size(); ++i) {
      const double x = z[i];
      const double size =
          kind == Activation::kGelu || kind == Activation::kLeakyRelu || kind == Activation::kRelu
              ? std::max(1.0, std::abs(x))
              : 1.0;
      worst = std::max(worst, std::abs(double{found.y[i]} - test::activated(kind, x)) / size);
      worst_slope = std::max(
          worst_slope, std::abs(double{found.slopes[i]} - test::activation_slope(kind, x)) / size);
    }
    EXPECT_LT(worst, bound) << name_of(kind);
    EXPECT_LT(worst_slope, bound) << name_of(kind);
  }
}

TEST(Activation, ANanStaysOneAndInfinitiesAreLimits) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const Activation kind : kAll) {
    const Outcome found = applied(kind, {std::nanf(""), 1.0F, kInfinity});
    EXPECT_TRUE(std::isnan(found.y[0])) << name_of(kind);
    EXPECT_FALSE(std::isnan(found.y[1])) << name_of(kind);
    const bool bounded = kind == Activation::kTanh || kind == Activation::kSigmoid;
    EXPECT_EQ(found.y[2], bounded ? 1.0F : kInfinity) << name_of(kind);
  }
}

TEST(Activation, GivesTheSameBitsForAnyVectorLength) {
  const std::vector<float> z = numbers();
  for (const Activation kind : kAll) {
    const Outcome expected = applied(kind, z);
    millrace::testing::on_each_instruction_set([&](const std::string& name) {
      // Without fused multiply-adds there are other roundings.
      if (name.starts_with("SS") || name == "EMU128" || name == "SCALAR") return;
      EXPECT_TRUE(applied(kind, z) == expected) << millrace::name_of(kind) << " by " << name;
    });
  }
}

TEST(Activation, DropsWhatDropoutSaysAndClearsColumnsBeyond) {
  const norm::Dropout dropout{5, 9, 1, 0.25F};
  const ActLayout layout{80, 50};
  const std::size_t first = 3;
  const std::size_t rows = 70;
  for (const Activation kind : kAll) {
    std::vector<float> y(layout.size(), 0.7F);
    std::vector<float> slopes(layout.size(), -7.0F);
    activation::Forward op{};
    op.kind = kind;
    op.dropout = dropout;
    op.first = first;
    op.rows = rows;
    op.panel = 2;
    op.columns = 50;
    op.y = y.data();
    op.layout = layout;
    op.slopes = slopes.data();
    op.slopes_layout = layout;
    activation::forward(op);
    const Outcome once = applied(kind, {0.7F});
    for (std::size_t c = 0; c < 64; ++c) {
      std::vector<std::uint32_t> bits(rows);
      norm::kept(dropout, 2 + c / 32, first, rows, bits.data());
      for (std::size_t r = 0; r < rows; ++r) {
        const bool kept = c < 50 && (bits[r] >> c % 32 & 1U) != 0;
        const std::size_t at = layout.offset(r, c);
        ASSERT_EQ(y[at], kept ? once.y[0] * dropout.factor() : 0.0F) << r << ", " << c;
        ASSERT_EQ(slopes[at], kept ? once.slopes[0] * dropout.factor() : 0.0F) << r << ", " << c;
      }
    }
    EXPECT_EQ(slopes[layout.offset(rows, 0)], -7.0F);
  }
}

}  // namespace
}  // namespace millrace::cpu
