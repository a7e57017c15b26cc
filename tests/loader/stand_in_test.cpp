#include "loader/stand_in.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <vector>

namespace millrace {
namespace {

constexpr std::uint64_t kEnough = 1000;

std::vector<std::uint64_t> tried(const StandIn& others, const StandIn::Bad& bad,
                                 std::uint64_t count) {
  std::vector<std::uint64_t> places;
  EXPECT_FALSE(others.find(bad, count, [&](std::uint64_t place) {
    places.push_back(place);
    return false;
  }));
  return places;
}

TEST(StandIn, SkipTakesTheNextGoodPlaceAndGoesRound) {
  const StandIn others(OnBad::kSkip, 1, kEnough);
  const std::set<std::uint64_t> bad{2, 3, 9};
  const auto good = [&](std::uint64_t place) { return !bad.contains(place); };
  EXPECT_EQ(others.find({0, 2, 2}, 10, good), 4U);
  EXPECT_EQ(others.find({7, 3, 3}, 10, good), 4U);
  EXPECT_EQ(others.find({0, 9, 9}, 10, good), 0U);
  EXPECT_EQ(tried(others, {0, 1, 1}, 4), (std::vector<std::uint64_t>{2, 3, 0, 1}));
}

TEST(StandIn, SubstituteDrawsAnewForEachSeedEpochAndPosition) {
  const auto first = [](std::uint64_t seed, StandIn::Bad bad) {
    return *StandIn(OnBad::kSubstitute, seed, kEnough).find(bad, 1U << 30U, [](std::uint64_t) {
      return true;
    });
  };
  std::set<std::uint64_t> draws;
  for (std::uint64_t seed : {0U, 1U}) {
    for (std::uint64_t epoch : {0U, 1U}) {
      for (std::uint64_t position : {0U, 1U, 2U}) {
        draws.insert(first(seed, {epoch, position, position}));
        // Where the place stands among those to choose from does not matter.
        EXPECT_EQ(first(seed, {epoch, position, 5}), first(seed, {epoch, position, 6}));
      }
    }
  }
  EXPECT_EQ(draws.size(), 12U);
}

TEST(StandIn, SubstituteDrawsEveryPlaceAlike) {
  const StandIn others(OnBad::kSubstitute, 3, kEnough);
  std::vector<int> hits(8);
  for (std::uint64_t position = 0; position < 8000; ++position) {
    ++hits[*others.find({1, position, 0}, 8, [](std::uint64_t) { return true; })];
  }
  for (const int hit : hits) EXPECT_NEAR(hit, 1000, 150);  // five standard deviations
}

TEST(StandIn, SubstituteFindsTheOnlyGoodPlace) {
  const StandIn others(OnBad::kSubstitute, 3, 100'000);
  EXPECT_EQ(others.find({1, 2, 2}, 50'000, [](std::uint64_t p) { return p == 17; }), 17U);
}

TEST(StandIn, GivesUpOverBudget) {
  EXPECT_EQ(tried(StandIn(OnBad::kSkip, 1, 3), {0, 10, 10}, 100).size(), 4U);
  EXPECT_EQ(tried(StandIn(OnBad::kSubstitute, 1, 3), {0, 10, 10}, 100).size(), 68U);
  EXPECT_EQ(tried(StandIn(OnBad::kSkip, 1, ~std::uint64_t{0}), {0, 10, 10}, 100).size(), 100U);
}

}  // namespace
}  // namespace millrace
