#include "formats/exact_math.h"

#include <gtest/gtest.h>

#include <cmath>

namespace millrace {
namespace {

constexpr double kClose = 0x1p-51;

TEST(ExactMath, SineAndCosineAreThoseOfTheLibrary) {
  for (int i = -100'000; i <= 100'000; ++i) {
    const double x = static_cast<double>(i) / 999.0;
    ASSERT_NEAR(sine(x), std::sin(x), kClose) << x;
    ASSERT_NEAR(cosine(x), std::cos(x), kClose) << x;
  }
  for (const double x : {1e-300, 1e-9, 0.01, -0.3, 0.78}) {
    EXPECT_NEAR(sine(x) / std::sin(x), 1.0, kClose) << x;
  }
  EXPECT_EQ(sine(0.0), 0.0);
  EXPECT_EQ(cosine(0.0), 1.0);
}

TEST(ExactMath, ExponentialIsThatOfTheLibrary) {
  for (int i = -69'900; i <= 69'900; ++i) {
    const double x = static_cast<double>(i) / 99.9;
    ASSERT_NEAR(exponential(x) / std::exp(x), 1.0, kClose) << x;
  }
  EXPECT_EQ(exponential(0.0), 1.0);
}

TEST(ExactMath, PowerIsThatOfTheLibrary) {
  for (std::uint64_t n = 0; n < 20'000; n += 37) {
    ASSERT_NEAR(power(0.999, n) / std::pow(0.999, static_cast<double>(n)), 1.0, 0x1p-35) << n;
  }
  EXPECT_EQ(power(0.5, 10), 0x1p-10);
  EXPECT_EQ(power(0.0, 0), 1.0);
  EXPECT_EQ(power(0.9, ~std::uint64_t{0}), 0.0);
}

// What another processor, compiler or library may not change.
TEST(ExactMath, GivesTheseBits) {
  EXPECT_EQ(sine(0.1), 0x1.98eaecb8bcb2cp-4);
  EXPECT_EQ(sine(-2.5), -0x1.326af0dcfcabp-1);
  EXPECT_EQ(cosine(0.1), 0x1.fd712f9a817cp-1);
  EXPECT_EQ(cosine(40.0), -0x1.5578e7d68218fp-1);
  EXPECT_EQ(exponential(-0.78125), 0x1.d4d244cf4ea9ep-2);
  EXPECT_EQ(exponential(3.3), 0x1.b1cd5e7807b7bp+4);
  EXPECT_EQ(power(0.999F, 1234), 0x1.29eef9a88dc3p-2);
}

}  // namespace
}  // namespace millrace
