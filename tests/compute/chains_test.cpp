#include "compute/cpu/chains.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Chains, AddUpInTheirOrder) {
  EXPECT_EQ(cpu::Chains<8>().sum(), 0.0);
  const cpu::Chains<1> one{{3.5}};
  EXPECT_EQ(one.sum(), 3.5);
  // In another order the small ones would be left.
  const cpu::Chains<4> four{{1.0, 1e300, -1e300, 2.0}};
  EXPECT_EQ(four.sum(), 2.0);
}

}  // namespace
}  // namespace millrace
