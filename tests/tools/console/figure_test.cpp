#include "tools/console/figure.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Figure, HasFourDecimalsOrFourDigits) {
  EXPECT_EQ(figure(0.96264), "0.9626");
  EXPECT_EQ(figure(-12.5), "-12.5000");
  EXPECT_EQ(figure(9999.0), "9999.0000");
  EXPECT_EQ(figure(23456.0), "2.346e+04");
  EXPECT_EQ(figure(-1e30), "-1e+30");
}

}  // namespace
}  // namespace millrace
