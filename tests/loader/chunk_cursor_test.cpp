#include "loader/chunk_cursor.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

namespace millrace {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

std::vector<ChunkPlan> plans_of(ChunkCursor cursor) {
  std::vector<ChunkPlan> plans;
  while (!cursor.at_end()) plans.push_back(cursor.next().value());
  EXPECT_FALSE(cursor.next());
  return plans;
}

TEST(ChunkCursor, CutsEachEpochAndKeepsThePartialBatch) {
  // 23 samples: batches of 5, 5, 5, 5, 3; chunks of 2 batches.
  const auto plans = plans_of(ChunkCursor({23, 5, 2, 2}, {}));
  ASSERT_EQ(plans.size(), 6U);
  for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
    const auto* chunk = &plans[epoch * 3];
    EXPECT_EQ(chunk[0].position, (LoaderState{epoch, 0}));
    EXPECT_EQ(chunk[0].after, (LoaderState{epoch, 2}));
    EXPECT_EQ(chunk[0].first, 0U);
    EXPECT_EQ(chunk[0].count, 10U);
    EXPECT_FALSE(chunk[0].last_in_epoch);
    EXPECT_EQ(chunk[1].first, 10U);
    EXPECT_EQ(chunk[2].position, (LoaderState{epoch, 4}));
    EXPECT_EQ(chunk[2].after, (LoaderState{epoch + 1, 0}));
    EXPECT_EQ(chunk[2].first, 20U);
    EXPECT_EQ(chunk[2].count, 3U);
    EXPECT_TRUE(chunk[2].last_in_epoch);
  }
}

TEST(ChunkCursor, StartsAnywhereAndMeetsTheSameChunks) {
  const auto whole = plans_of(ChunkCursor({100, 7, 4, 2}, {}));  // 15 batches an epoch
  for (std::uint64_t batch = 0; batch <= 15; ++batch) {
    const auto rest = plans_of(ChunkCursor({100, 7, 4, 2}, {0, batch}));
    ASSERT_FALSE(rest.empty());
    EXPECT_EQ(rest.front().first, batch == 15 ? 0 : batch * 7);
    EXPECT_EQ(rest.front().position, (batch == 15 ? LoaderState{1, 0} : LoaderState{0, batch}));
    // The first chunk ends where the whole run's chunk ends; from there on all are the same.
    for (std::size_t i = 1; i <= rest.size(); ++i) {
      const auto& expected = whole[whole.size() - i];
      const auto& actual = rest[rest.size() - i];
      EXPECT_EQ(actual.after, expected.after);
      if (i < rest.size()) {
        EXPECT_EQ(actual.first, expected.first);
      }
    }
  }
}

TEST(ChunkCursor, AnswersAreRightForOneChunkAnEpoch) {
  const auto plans =
      plans_of(ChunkCursor({3, 128, std::numeric_limits<std::uint32_t>::max(), 2}, {}));
  ASSERT_EQ(plans.size(), 2U);
  EXPECT_EQ(plans[1].count, 3U);
  EXPECT_TRUE(plans[1].last_in_epoch);
}

TEST(ChunkCursor, EndsAtTheEndOfTheRun) {
  EXPECT_TRUE(plans_of(ChunkCursor({10, 2, 1, 0}, {})).empty());
  EXPECT_TRUE(plans_of(ChunkCursor({10, 2, 1, 3}, {3, 0})).empty());
  EXPECT_TRUE(plans_of(ChunkCursor({10, 2, 1, 3}, {2, 5})).empty());
  EXPECT_EQ(ChunkCursor({10, 2, 1, 3}, {2, 5}).position(), (LoaderState{3, 0}));
}

TEST(ChunkCursor, RunsOnForAsManyEpochsAsThereAreNumbers) {
  ChunkCursor cursor({10, 5, 1, kMost}, {kMost - 1, 1});
  const auto last = cursor.next();
  ASSERT_TRUE(last);
  EXPECT_EQ(last->after, (LoaderState{kMost, 0}));
  EXPECT_FALSE(cursor.next());
}

TEST(ChunkCursor, RefusesWhatCannotBe) {
  EXPECT_THROW(ChunkCursor({0, 2, 1, 1}, {}), std::invalid_argument);
  EXPECT_THROW(ChunkCursor({10, 0, 1, 1}, {}), std::invalid_argument);
  EXPECT_THROW(ChunkCursor({10, 2, 0, 1}, {}), std::invalid_argument);
  EXPECT_THROW(ChunkCursor({10, 2, 1, 3}, {0, 6}), std::invalid_argument);
  EXPECT_THROW(ChunkCursor({10, 2, 1, 3}, {3, 1}), std::invalid_argument);
  EXPECT_THROW(ChunkCursor({10, 2, 1, 3}, {3, 5}), std::invalid_argument);
  EXPECT_THROW(ChunkCursor({10, 2, 1, 3}, {4, 0}), std::invalid_argument);
  EXPECT_THROW(ChunkCursor({10, 2, 1, 3}, {kMost, 5}), std::invalid_argument);
}

}  // namespace
}  // namespace millrace
