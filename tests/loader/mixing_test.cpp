#include "loader/mixing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <stdexcept>
#include <vector>

namespace millrace {
namespace {

constexpr std::uint64_t kOfAClass = 3000;
const std::vector<std::uint64_t> kSizes(10, kOfAClass);

std::vector<std::int32_t> sorted_labels() {
  std::vector<std::int32_t> labels;
  for (std::int32_t c = 0; c < 10; ++c) labels.insert(labels.end(), kOfAClass, c);
  return labels;
}

TEST(MixingScore, IsZeroForASortedFileAndOneForAGlobalShuffle) {
  auto labels = sorted_labels();
  EXPECT_LT(mixing_score(labels, 100, kSizes), 1e-12);
  std::ranges::shuffle(labels, std::mt19937{1});
  EXPECT_GT(mixing_score(labels, 100, kSizes), 0.998);
}

TEST(MixingScore, TellsHowManyPureBlocksAWindowMixes) {
  for (const std::size_t window : {2U, 5U, 25U}) {
    // Windows of `window` blocks of 100 samples, each of one class at random.
    std::mt19937 random(7);
    std::uniform_int_distribution<std::int32_t> any(0, 9);
    std::vector<std::int32_t> labels;
    for (int i = 0; i < 2000; ++i) {
      std::vector<std::int32_t> mixed;
      for (std::size_t b = 0; b < window; ++b) mixed.insert(mixed.end(), 100, any(random));
      std::ranges::shuffle(mixed, random);
      labels.insert(labels.end(), mixed.begin(), mixed.end());
    }
    EXPECT_NEAR(mixing_score(labels, 100, kSizes), 1.0 - 1.0 / static_cast<double>(window), 0.02)
        << window;
  }
}

TEST(MixingScore, CountsPairsByHand) {
  // Pairs alike: 1 of 3 in {0, 0, 1}, 0 of 1 in {0, 1}; together 2 of 8 ordered pairs. In the set
  // of three 0 and two 1: 8 of 20.
  const std::vector<std::int32_t> labels{0, 0, 1, 0, 1};
  const std::vector<std::uint64_t> sizes{3, 2};
  EXPECT_DOUBLE_EQ(mixing_score(labels, 3, sizes), 1.0);  // less alike than by chance
  const std::vector<std::int32_t> worse{0, 0, 0, 1, 1};   // 8 of 8
  EXPECT_DOUBLE_EQ(mixing_score(worse, 3, sizes), 0.0);
  const std::vector<std::int32_t> between{0, 1, 0, 0, 1};  // one batch: 8 of 20
  EXPECT_DOUBLE_EQ(mixing_score(between, 5, sizes), 1.0);
  const std::vector<std::int32_t> some{0, 0, 1, 1, 0};  // {0, 0}, {1, 1}, {0}: 4 of 4
  EXPECT_DOUBLE_EQ(mixing_score(some, 2, sizes), 0.0);
  const std::vector<std::int32_t> half{0, 0, 1, 0};  // 2 of 4: 1 - (1/2 - 2/5) / (3/5)
  EXPECT_DOUBLE_EQ(mixing_score(half, 2, sizes), 1.0 - 0.1 / 0.6);
}

TEST(MixingScore, IsOneWhereNothingCanBeMixed) {
  const std::vector<std::int32_t> labels{0, 0, 0};
  EXPECT_EQ(mixing_score(labels, 2, std::vector<std::uint64_t>{3}), 1.0);
  EXPECT_EQ(mixing_score(labels, 1, std::vector<std::uint64_t>{3, 4}), 1.0);
  EXPECT_EQ(mixing_score({}, 2, std::vector<std::uint64_t>{3, 4}), 1.0);
}

TEST(MixingScore, RefusesWhatItCannotCount) {
  const std::vector<std::int32_t> labels{0, 2};
  const std::vector<std::uint64_t> sizes{1, 1};
  EXPECT_THROW(mixing_score(labels, 0, sizes), std::invalid_argument);
  EXPECT_THROW(mixing_score(labels, 2, sizes), std::out_of_range);
  EXPECT_THROW(mixing_score(std::vector<std::int32_t>{-1}, 2, sizes), std::out_of_range);
}

}  // namespace
}  // namespace millrace
