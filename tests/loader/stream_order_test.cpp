#include "loader/stream_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>
#include <vector>

#include "loader/mixing.h"

namespace millrace {
namespace {

using Ids = std::vector<std::uint64_t>;

// The first one is short, as where a header shares its frame, and so is the last.
std::vector<BlockDataset::Block> blocks_of(std::uint64_t samples, std::uint64_t size) {
  std::vector<BlockDataset::Block> blocks;
  for (std::uint64_t first = 0; first < samples;) {
    const auto count = std::min(first == 0 ? size - 1 : size, samples - first);
    blocks.push_back({first, count});
    first += count;
  }
  return blocks;
}

Ids all_of(const StreamOrder& order, std::uint64_t number) {
  Ids all;
  const auto epoch = order.epoch(number);
  for (std::uint64_t w = 0; w < epoch.windows(); ++w) {
    const auto ids = order.samples(epoch, w);
    EXPECT_EQ(ids.size(), epoch.size(w));
    all.insert(all.end(), ids.begin(), ids.end());
  }
  return all;
}

TEST(StreamOrder, VisitsEverySampleOfTheSubsetOnce) {
  const auto blocks = blocks_of(1003, 17);
  const Split split = Split::random(1003, 150, 3);
  for (const auto& subset : {Subset::all(1003), split.train, split.validation}) {
    Ids expected;
    for (std::uint64_t id = 0; id < 1003; ++id) {
      if (subset.contains(id)) expected.push_back(id);
    }
    ASSERT_EQ(expected.size(), subset.size());
    for (const std::uint64_t window : {1U, 4U, 1000U}) {
      const StreamOrder order(blocks, subset, {window, true, 5});
      Ids found = all_of(order, 2);
      EXPECT_NE(found, expected);
      std::ranges::sort(found);
      EXPECT_EQ(found, expected) << window;
    }
  }
}

TEST(StreamOrder, IsAFunctionOfSeedEpochAndWindow) {
  const auto blocks = blocks_of(2000, 20);
  const StreamOrder::Options options{8, true, 11};
  const StreamOrder order(blocks, Subset::all(2000), options);
  EXPECT_EQ(all_of(order, 1), all_of(StreamOrder(blocks, Subset::all(2000), options), 1));
  std::set<Ids> orders{all_of(order, 0), all_of(order, 1)};
  orders.insert(all_of(StreamOrder(blocks, Subset::all(2000), {8, true, 12}), 0));
  orders.insert(all_of(StreamOrder(blocks, Subset::all(2000), {9, true, 11}), 0));
  EXPECT_EQ(orders.size(), 4U);
}

TEST(StreamOrder, KeepsTheStoredOrderWithoutShuffling) {
  const auto blocks = blocks_of(500, 16);
  const StreamOrder order(blocks, Subset::all(500), {3, false, 0});
  Ids expected(500);
  std::iota(expected.begin(), expected.end(), std::uint64_t{0});
  EXPECT_EQ(all_of(order, 4), expected);
}

TEST(StreamOrder, MixesAWindowFromItsBlocksAlone) {
  const auto blocks = blocks_of(2000, 20);
  const StreamOrder order(blocks, Split::random(2000, 300, 1).train, {8, true, 2});
  const auto epoch = order.epoch(0);
  std::set<std::uint64_t> seen;
  for (std::uint64_t w = 0; w < epoch.windows(); ++w) {
    const auto numbers = order.blocks(epoch, w);
    EXPECT_LE(numbers.size(), 8U);
    Ids expected;
    for (const auto number : numbers) {
      EXPECT_TRUE(seen.insert(number).second);
      const auto ids = order.members(number);
      expected.insert(expected.end(), ids.begin(), ids.end());
    }
    auto found = order.samples(epoch, w);
    const auto mixing = order.mixing(epoch, w);
    for (std::uint64_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], expected[mixing(i)]);
    std::ranges::sort(found);
    std::ranges::sort(expected);
    EXPECT_EQ(found, expected);
  }
}

TEST(StreamOrder, FindsThePlaceOfEveryPosition) {
  const auto blocks = blocks_of(1003, 17);
  const StreamOrder order(blocks, Split::random(1003, 150, 3).train, {5, true, 6});
  const auto epoch = order.epoch(7);
  std::uint64_t position = 0;
  for (std::uint64_t w = 0; w < epoch.windows(); ++w) {
    for (std::uint64_t i = 0; i < epoch.size(w); ++i) {
      ASSERT_EQ(epoch.place(position++), (StreamOrder::Place{w, i}));
    }
  }
  EXPECT_EQ(position, 853U);
  EXPECT_THROW(epoch.place(853), std::out_of_range);
}

TEST(StreamOrder, LeavesOutBlocksWithoutSamples) {
  const auto blocks = blocks_of(2000, 4);
  const StreamOrder order(blocks, Split::random(2000, 10, 1).validation, {1, true, 2});
  const auto epoch = order.epoch(0);
  EXPECT_LE(epoch.windows(), 10U);
  for (std::uint64_t w = 0; w < epoch.windows(); ++w) EXPECT_GE(epoch.size(w), 1U);
}

TEST(StreamOrder, MixesASortedFileBetterWithALargerWindow) {
  const auto blocks = blocks_of(20'000, 100);
  const Ids sizes(10, 2000);
  const auto score = [&](std::uint64_t window, bool shuffle) {
    std::vector<std::int32_t> labels;
    const StreamOrder order(blocks, Subset::all(20'000), {window, shuffle, 1});
    for (const auto id : all_of(order, 0)) labels.push_back(static_cast<std::int32_t>(id / 2000));
    return mixing_score(labels, 50, sizes);
  };
  EXPECT_LT(score(1, false), 0.01);
  EXPECT_LT(score(1, true), 0.1);
  EXPECT_NEAR(score(10, true), 0.9, 0.03);
  EXPECT_GT(score(200, true), 0.99);
}

TEST(StreamOrder, RefusesWhatHasNoOrder) {
  const auto blocks = blocks_of(100, 10);
  EXPECT_THROW(StreamOrder(blocks, Subset::all(100), {0, true, 0}), std::invalid_argument);
  EXPECT_THROW(StreamOrder(blocks, Subset(), {1, true, 0}), std::invalid_argument);
  const StreamOrder order(blocks, Subset::all(100), {3, true, 0});
  EXPECT_THROW(order.blocks(order.epoch(0), 4), std::out_of_range);
}

}  // namespace
}  // namespace millrace
