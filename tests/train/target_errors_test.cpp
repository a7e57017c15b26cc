#include "train/target_errors.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace millrace {
namespace {

TEST(TargetErrors, AreThoseOfEachTargetInItsUnit) {
  TargetErrors errors(2, {"price", "age"});
  errors.add(std::array{10.0F, 1.0F}, std::array{11.0F, 1.0F});
  errors.add(std::array{20.0F, 3.0F}, std::array{17.0F, 2.0F});
  EXPECT_EQ(errors.samples(), 2U);
  EXPECT_EQ(errors.name(1), "age");
  EXPECT_DOUBLE_EQ(errors.rmse(0), std::sqrt((1.0 + 9.0) / 2));
  EXPECT_DOUBLE_EQ(errors.mae(0), 2.0);
  EXPECT_DOUBLE_EQ(errors.largest(0), 3.0);
  EXPECT_DOUBLE_EQ(errors.mean(0), 15.0);
  EXPECT_DOUBLE_EQ(errors.deviation(0), 5.0);
  EXPECT_DOUBLE_EQ(errors.r2(0), 1.0 - 5.0 / 25.0);
  EXPECT_DOUBLE_EQ(errors.r2(1), 1.0 - 0.5 / 1.0);
}

TEST(TargetErrors, OfAllTogetherCountEachByItsScale) {
  TargetErrors errors(2);
  errors.add(std::array{10.0F, 1.0F}, std::array{11.0F, 1.0F});
  errors.add(std::array{20.0F, 3.0F}, std::array{17.0F, 2.0F});
  EXPECT_EQ(errors.name(1), "1");
  EXPECT_DOUBLE_EQ(errors.pooled_r2({}), 1.0 - 11.0 / 52.0);
  EXPECT_DOUBLE_EQ(errors.pooled_r2(std::vector<TargetScale>{{0.0F, 5.0F}, {0.0F, 1.0F}}),
                   1.0 - (0.4 + 1.0) / (2.0 + 2.0));
}

TEST(TargetErrors, OfNothingAreNone) {
  const TargetErrors errors(1);
  EXPECT_EQ(errors.rmse(0), 0.0);
  EXPECT_EQ(errors.mae(0), 0.0);
  EXPECT_EQ(errors.deviation(0), 0.0);
  EXPECT_EQ(errors.r2(0), 1.0);
}

TEST(TargetErrors, DoNotHideOneThatIsNoNumber) {
  TargetErrors errors(1);
  errors.add(std::array{1.0F}, std::array{std::numeric_limits<float>::quiet_NaN()});
  errors.add(std::array{1.0F}, std::array{2.0F});
  EXPECT_TRUE(std::isnan(errors.rmse(0)));
  EXPECT_TRUE(std::isnan(errors.largest(0)));
}

}  // namespace
}  // namespace millrace
