#include "tools/cli/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace millrace {
namespace {

TEST(Statistics, OfNothingAreZero) {
  const Statistics none;
  EXPECT_EQ(none.count(), 0U);
  EXPECT_EQ(none.mean(), 0.0);
  EXPECT_EQ(none.standard_deviation(), 0.0);
}

TEST(Statistics, DoNotDependOnPieces) {
  std::vector<float> values(50'000);
  std::iota(values.begin(), values.end(), -1000.0F);
  // Of n whole numbers in a row: mean in the middle, variance (n² - 1) / 12.
  const auto n = static_cast<double>(values.size());
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{50'000}}) {
    Statistics statistics;
    for (std::size_t begin = 0; begin < values.size(); begin += piece) {
      statistics.add(
          std::span<const float>(values).subspan(begin, std::min(piece, values.size() - begin)));
    }
    EXPECT_EQ(statistics.count(), values.size());
    EXPECT_EQ(statistics.min(), -1000.0);
    EXPECT_EQ(statistics.max(), 48'999.0);
    EXPECT_NEAR(statistics.mean(), -1000.0 + (n - 1) / 2, 1e-7);
    EXPECT_NEAR(statistics.standard_deviation(), std::sqrt((n * n - 1) / 12), 1e-6);
  }
}

TEST(Statistics, LoseNothingToALargeMean) {
  // Float holds these as they are; squares summed around zero would lose the difference.
  const std::vector<float> values{16'777'210.0F, 16'777'212.0F, 16'777'214.0F};
  Statistics statistics;
  for (const float& value : values) statistics.add(std::span(&value, 1));
  EXPECT_NEAR(statistics.standard_deviation(), std::sqrt(8.0 / 3.0), 1e-9);
}

TEST(Statistics, PassOverWhatIsNotFinite) {
  const std::vector<float> values{1.0F, std::numeric_limits<float>::quiet_NaN(), 3.0F,
                                  -std::numeric_limits<float>::infinity()};
  Statistics statistics;
  statistics.add(values);
  EXPECT_EQ(statistics.count(), 2U);
  EXPECT_EQ(statistics.nonfinite(), 2U);
  EXPECT_EQ(statistics.min(), 1.0);
  EXPECT_EQ(statistics.mean(), 2.0);
}

TEST(Statistics, ReadStoredTypes) {
  const std::vector<std::int16_t> values{-2, 0, 4, 6};
  Statistics statistics;
  statistics.add(DType::kInt16, std::as_bytes(std::span(values)));
  EXPECT_EQ(statistics.count(), 4U);
  EXPECT_EQ(statistics.min(), -2.0);
  EXPECT_EQ(statistics.mean(), 2.0);
}

}  // namespace
}  // namespace millrace
