#include "loader/rank_share.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace millrace {
namespace {

using Positions = std::vector<std::uint64_t>;

// By the definition: of each batch of n samples n / R, and one more for the first n % R ranks.
Positions positions_of(Rank rank, std::uint32_t batch, std::uint64_t samples) {
  Positions positions;
  for (std::uint64_t first = 0; first < samples; first += batch) {
    const auto size = std::min<std::uint64_t>(batch, samples - first);
    auto position = first;
    for (std::uint32_t r = 0; r < rank.of; ++r) {
      const auto share = size / rank.of + (r < size % rank.of ? 1 : 0);
      for (std::uint64_t i = 0; i < share; ++i, ++position) {
        if (r == rank.number) positions.push_back(position);
      }
    }
  }
  return positions;
}

TEST(RankShare, IsConsecutiveSamplesOfEachBatch) {
  for (const std::uint32_t of : {1U, 2U, 3U, 7U}) {
    for (std::uint32_t batch = of; batch < of + 9; ++batch) {
      for (std::uint64_t last = of; last <= batch; ++last) {
        const std::uint64_t samples = 3 * batch + last;
        for (std::uint32_t number = 0; number < of; ++number) {
          const RankShare share({number, of}, batch, samples);
          const auto expected = positions_of({number, of}, batch, samples);
          Positions found;
          while (found.size() < expected.size()) {
            const auto run = share.run(found.size());
            ASSERT_GT(run.count, 0U);
            for (std::uint64_t i = 0; i < run.count; ++i) found.push_back(run.first + i);
          }
          ASSERT_EQ(found, expected) << number << " of " << of << ", batches of " << batch;
          for (std::uint64_t positions = 0; positions <= samples; ++positions) {
            const auto before = std::ranges::lower_bound(expected, positions) - expected.begin();
            ASSERT_EQ(share.among(positions), static_cast<std::uint64_t>(before));
          }
          // Else what has the last batch would look like two of its batches.
          ASSERT_LE(share.among(samples) - share.among(3 * batch), share.batch());
        }
      }
    }
  }
}

TEST(RankShare, RunsFromTheMiddleOfABatch) {
  const RankShare share({1, 3}, 10, 27);  // 4 to 6 of each ten, and 23 and 24
  EXPECT_EQ(share.run(0), (RankShare::Run{4, 3}));
  EXPECT_EQ(share.run(2), (RankShare::Run{6, 1}));
  EXPECT_EQ(share.run(4), (RankShare::Run{15, 2}));
  EXPECT_EQ(share.run(6), (RankShare::Run{23, 2}));
  EXPECT_EQ(share.run(7), (RankShare::Run{24, 1}));
}

TEST(RankShare, OfOneIsAllOfAnEpoch) {
  EXPECT_EQ(RankShare({}, 10, 27).run(3), (RankShare::Run{3, 24}));
}

TEST(RankShare, CountsAsFarAsASubsetGoes) {
  constexpr std::uint64_t kSamples = std::uint64_t{1} << 62U;
  constexpr std::uint32_t kBatch = std::numeric_limits<std::uint32_t>::max();
  constexpr Rank kLast{kBatch / 4 - 1, kBatch / 4};  // of the 3 more the first three take one each
  const RankShare share(kLast, kBatch, kSamples / kBatch * kBatch);
  EXPECT_EQ(share.batch(), 4U);
  EXPECT_EQ(share.among(kSamples / kBatch * kBatch), kSamples / kBatch * 4);
  EXPECT_EQ(share.run(kSamples / kBatch * 4 - 1),
            (RankShare::Run{kSamples / kBatch * kBatch - 1, 1}));
}

std::string refusal(Rank rank, std::uint32_t batch, std::uint64_t samples) {
  try {
    const RankShare share(rank, batch, samples);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "none";
}

TEST(RankShare, RefusesWhatLeavesARankWithoutSamples) {
  EXPECT_EQ(refusal({0, 0}, 16, 100), "0 ranks: there is at least one");
  EXPECT_EQ(refusal({4, 4}, 16, 100), "rank 4 of 4: ranks are numbered from 0");
  EXPECT_EQ(refusal({0, 17}, 16, 100),
            "batches of 16 samples for 17 ranks: each needs at least one");
  for (const std::uint32_t number : {0U, 4U}) {  // all of them, or some would wait for the others
    EXPECT_EQ(refusal({number, 5}, 16, 100),
              "an epoch's last batch has 4 samples for 5 ranks: each needs at least one");
  }
  EXPECT_EQ(refusal({0, 2}, 16, 97),
            "an epoch's last batch has 1 sample for 2 ranks: each needs at least one");
  EXPECT_EQ(refusal({3, 4}, 16, 100), "none");
}

}  // namespace
}  // namespace millrace
