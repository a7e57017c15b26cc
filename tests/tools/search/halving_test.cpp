#include "tools/search/halving.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace {
namespace {

using All = std::vector<Rung>;

TEST(Rungs, WithoutAFactorAreOne) { EXPECT_EQ(rungs(100, 27, 0), (All{{100, 27}})); }

TEST(Rungs, KeepOnePartForFactorTimesTheEpochs) {
  EXPECT_EQ(rungs(81, 27, 3), (All{{81, 1}, {27, 3}, {9, 9}, {3, 27}}));
  EXPECT_EQ(rungs(64, 16, 2), (All{{64, 1}, {32, 2}, {16, 4}, {8, 8}, {4, 16}}));
}

TEST(Rungs, RoundUp) {
  EXPECT_EQ(rungs(10, 10, 3), (All{{10, 2}, {4, 4}, {2, 10}}));
  EXPECT_EQ(rungs(30, 5, 3), (All{{30, 2}, {10, 5}}));
}

TEST(Rungs, AreNoMoreThanMakesSense) {
  EXPECT_EQ(rungs(2, 100, 3), (All{{2, 100}}));
  EXPECT_EQ(rungs(5, 100, 3), (All{{5, 34}, {2, 100}}));
  EXPECT_EQ(rungs(100, 2, 3), (All{{100, 2}}));
  EXPECT_EQ(rungs(100, 0, 3), (All{{100, 0}}));
  EXPECT_EQ(rungs(0, 9, 3), (All{{0, 9}}));
}

TEST(Rungs, EndWithAllEpochsOfAtLeastOneTrial) {
  for (std::uint64_t trials = 1; trials < 50; ++trials) {
    for (std::uint64_t epochs = 1; epochs < 50; ++epochs) {
      for (std::uint64_t factor = 2; factor < 6; ++factor) {
        const All all = rungs(trials, epochs, factor);
        ASSERT_EQ(all.front().trials, trials);
        ASSERT_EQ(all.back().epochs, epochs);
        ASSERT_GE(all.back().trials, 1U);
        for (std::size_t i = 1; i < all.size(); ++i) {
          ASSERT_LT(all[i].trials, all[i - 1].trials);
          ASSERT_GT(all[i].epochs, all[i - 1].epochs);
        }
      }
    }
  }
}

}  // namespace
}  // namespace millrace
