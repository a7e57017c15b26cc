#include "loader/subset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace millrace {
namespace {

std::vector<std::uint64_t> ids_of(const Subset& subset) {
  std::vector<std::uint64_t> ids(subset.size());
  std::iota(ids.begin(), ids.end(), 0);
  subset.map(ids, ids);
  return ids;
}

std::vector<std::uint64_t> sorted(std::vector<std::uint64_t> ids) {
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<std::uint64_t> first_integers(std::uint64_t count) {
  std::vector<std::uint64_t> ids(count);
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

TEST(Subset, AllKeepsTheStoredOrder) {
  const Subset all = Subset::all(5);
  EXPECT_EQ(ids_of(all), first_integers(5));
  EXPECT_EQ(all.bound(), 5U);
  EXPECT_EQ(all.begin_of_run(), 0U);
}

TEST(Subset, MapsSeparateMemoryAndRefusesWhatIsOutside) {
  const Subset subset = Split::random(100, 30, 1).validation;
  const std::vector<std::uint64_t> positions{29, 0, 7};
  std::vector<std::uint64_t> ids(3);
  subset.map(positions, ids);
  const auto all = ids_of(subset);
  EXPECT_EQ(ids, (std::vector<std::uint64_t>{all[29], all[0], all[7]}));
  std::vector<std::uint64_t> outside{3, 30};
  EXPECT_THROW(subset.map(outside, outside), std::out_of_range);
  EXPECT_THROW(subset.map(positions, outside), std::invalid_argument);
  EXPECT_THROW(Subset().map(outside, outside), std::out_of_range);
  subset.map({}, {});
}

TEST(Split, IsDisjointAndExhaustive) {
  for (const std::uint64_t count : {2U, 3U, 100U, 256U, 257U, 60'000U}) {
    for (const std::uint64_t validation_size : {std::uint64_t{1}, count / 6 + 1, count - 1}) {
      const Split split = Split::random(count, validation_size, 3);
      ASSERT_EQ(split.train.size(), count - validation_size);
      ASSERT_EQ(split.validation.size(), validation_size);
      EXPECT_EQ(split.train.bound(), count);
      auto both = ids_of(split.train);
      const auto validation = ids_of(split.validation);
      both.insert(both.end(), validation.begin(), validation.end());
      ASSERT_EQ(sorted(both), first_integers(count)) << count << ", " << validation_size;
    }
  }
}

TEST(Split, CutsOnePermutationWhateverTheSizes) {
  const auto draw = [](std::uint64_t validation_size) {
    const Split split = Split::random(1000, validation_size, 5);
    auto ids = ids_of(split.train);
    const auto validation = ids_of(split.validation);
    ids.insert(ids.end(), validation.begin(), validation.end());
    return ids;
  };
  EXPECT_EQ(draw(100), draw(900));
  EXPECT_NE(draw(100), first_integers(1000));
}

TEST(Split, IsARunOnlyWithoutValidation) {
  const Split split = Split::random(100, 30, 1);
  EXPECT_EQ(split.train.begin_of_run(), std::nullopt);
  EXPECT_EQ(split.validation.begin_of_run(), std::nullopt);
  EXPECT_EQ(Split::random(100, 0, 1).train.begin_of_run(), 0U);
}

TEST(Split, DependsOnTheSeed) {
  EXPECT_EQ(ids_of(Split::random(1000, 100, 5).validation),
            ids_of(Split::random(1000, 100, 5).validation));
  EXPECT_NE(sorted(ids_of(Split::random(1000, 100, 5).validation)),
            sorted(ids_of(Split::random(1000, 100, 6).validation)));
}

TEST(Split, WithoutValidationKeepsTheStoredOrder) {
  const Split split = Split::random(1000, 0, 5);
  EXPECT_EQ(ids_of(split.train), first_integers(1000));
  EXPECT_EQ(split.validation.size(), 0U);
}

TEST(Split, RefusesToLeaveNothingToTrainOn) {
  EXPECT_THROW(Split::random(10, 10, 0), std::invalid_argument);
  EXPECT_THROW(Split::random(10, 11, 0), std::invalid_argument);
  EXPECT_THROW(Split::random(0, 0, 0), std::invalid_argument);
  try {
    Split::random(10, 12, 0);
  } catch (const std::invalid_argument& error) {
    EXPECT_EQ(std::string(error.what()),
              "validation size 12 leaves nothing to train on: the data set has 10 samples");
  }
}

TEST(Subset, KnowsWhatItContains) {
  const Split split = Split::random(1000, 100, 5);
  const auto kept = ids_of(split.validation);
  const std::set<std::uint64_t> validation(kept.begin(), kept.end());
  for (std::uint64_t id = 0; id < 1000; ++id) {
    EXPECT_EQ(split.validation.contains(id), validation.contains(id)) << id;
    EXPECT_EQ(split.train.contains(id), !validation.contains(id)) << id;
    EXPECT_TRUE(Subset::all(1000).contains(id));
  }
  EXPECT_FALSE(split.train.contains(1000));
  EXPECT_FALSE(Subset::all(1000).contains(1000));
  EXPECT_FALSE(Subset().contains(0));
}

TEST(Folds, ValidateEachSampleOnce) {
  for (const std::uint64_t count : {2U, 7U, 256U, 1000U}) {
    for (const std::uint32_t folds : {2U, 3U, 7U, 256U}) {
      if (folds > count) continue;
      std::vector<std::uint64_t> validated;
      for (std::uint32_t i = 0; i < folds; ++i) {
        const Split split = Split::folded(count, {i, folds}, 5);
        EXPECT_GE(split.validation.size(), count / folds);
        EXPECT_LE(split.validation.size(), (count + folds - 1) / folds);
        const auto own = ids_of(split.validation);
        validated.insert(validated.end(), own.begin(), own.end());
        auto both = ids_of(split.train);
        both.insert(both.end(), own.begin(), own.end());
        EXPECT_EQ(sorted(both), first_integers(count));
        for (std::uint64_t id = 0; id < count; ++id) {
          EXPECT_NE(split.train.contains(id), split.validation.contains(id));
        }
        for (const std::uint64_t id : own) EXPECT_TRUE(split.validation.contains(id));
        EXPECT_FALSE(split.train.contains(count));
        EXPECT_EQ(split.train.bound(), count);
        EXPECT_EQ(split.train.begin_of_run(), std::nullopt);
      }
      EXPECT_EQ(sorted(validated), first_integers(count));
    }
  }
}

TEST(Folds, AreDrawnByTheSeed) {
  const auto ids = [](std::uint64_t seed) {
    return ids_of(Split::folded(1000, {1, 4}, seed).validation);
  };
  EXPECT_EQ(ids(1), ids(1));
  EXPECT_NE(ids(1), ids(2));
  EXPECT_EQ(ids_of(Split::of(1000, 7, {1, 4}, 1).validation), ids(1));
  EXPECT_EQ(Split::of(1000, 7, {}, 1).validation.size(), 7U);
}

TEST(Folds, RefuseWhatIsNone) {
  EXPECT_THROW(Split::folded(10, {0, 1}, 0), std::invalid_argument);
  EXPECT_THROW(Split::folded(10, {0, 11}, 0), std::invalid_argument);
  EXPECT_THROW(Split::folded(10, {3, 3}, 0), std::invalid_argument);
}

}  // namespace
}  // namespace millrace
