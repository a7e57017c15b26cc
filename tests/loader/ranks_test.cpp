#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "loader/loader.h"
#include "tests/support/fake_blocks.h"
#include "tests/support/fake_dataset.h"

// What all ranks deliver together is what a loader alone delivers.

namespace millrace {
namespace {

using testing::FakeBlocks;
using testing::FakeDataset;

constexpr std::uint64_t kElements = 24;
constexpr std::uint64_t kSize = 503;
constexpr std::uint64_t kBad[] = {3, 77, 78, 260, 502};

// Ids of the samples of each batch of a run, by epoch and batch.
using Batches = std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::uint64_t>>;

struct Delivered {
  Batches batches;
  Batches bad;  ///< samples that could not be read

  bool operator==(const Delivered&) const = default;
};

LoaderSpec spec_of(ChunkKind kind) {
  LoaderSpec spec;
  spec.data = std::make_shared<FakeDataset>(kSize, kElements);
  spec.subset = Split::random(kSize, 90, 1).train;  // 413: 19 batches of 21, and one of 14
  spec.kind = kind;
  spec.batch = 21;
  spec.chunk_batches = 4;
  spec.seed = 42;
  spec.epochs = 2;
  return spec;
}

// Blocks of 1 to 40 samples, so that there are windows smaller and larger than a batch.
LoaderSpec stream_of(std::uint64_t window_blocks, bool broken = false) {
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t left = kSize, i = 0; left > 0; ++i) {
    sizes.push_back(std::min(left, i % 3 == 0 ? 40 : i % 7 + 1));
    left -= sizes.back();
  }
  LoaderSpec spec = spec_of(ChunkKind::kPacked);
  spec.data = broken ? std::make_shared<FakeBlocks>(sizes, kElements, kBad)
                     : std::make_shared<FakeBlocks>(sizes, kElements);
  spec.window_blocks = window_blocks;
  return spec;
}

void deliver(Loader& loader, Delivered& all) {
  while (true) {
    ASSERT_TRUE(loader.wait_for(std::chrono::seconds(60))) << "nobody fills what it waits for";
    const auto lease = loader.next();
    if (!lease) return;
    const Chunk& chunk = lease->chunk();
    std::vector<std::uint64_t> ids(chunk.indices.begin(), chunk.indices.end());
    for (std::size_t i = 0; i < chunk.labels.size(); ++i) {
      ids.push_back(static_cast<std::uint64_t>(chunk.labels[i]));
      for (std::size_t k = 0; k < kElements; ++k) {
        ASSERT_EQ(chunk.samples[i * kElements + k], FakeDataset::expected_byte(ids.back(), k));
      }
    }
    const auto batch_of = [&](std::uint64_t place) {
      return std::pair{lease->position().epoch, lease->position().batch + place / chunk.batch};
    };
    for (std::size_t i = 0; i < ids.size(); ++i) all.batches[batch_of(i)].push_back(ids[i]);
    for (const auto& bad : lease->bad()) all.bad[batch_of(bad.place)].push_back(bad.sample.id);
  }
}

// Of `ranks` loaders, one after the other.
Delivered delivered(LoaderSpec spec, std::uint32_t ranks, LoaderState start = {}) {
  Delivered all;
  for (std::uint32_t number = 0; number < ranks; ++number) {
    spec.rank = {number, ranks};
    Loader loader(spec, start);
    deliver(loader, all);
  }
  return all;
}

TEST(Ranks, TogetherDeliverTheBatchesOfOne) {
  for (const ChunkKind kind : {ChunkKind::kIndices, ChunkKind::kPacked}) {
    for (const bool shuffle : {true, false}) {
      LoaderSpec spec = spec_of(kind);
      spec.shuffle = shuffle;
      const Delivered alone = delivered(spec, 1);
      ASSERT_EQ(alone.batches.size(), 40U);
      for (const std::uint32_t ranks : {2U, 3U, 14U}) {
        for (const std::uint32_t chunk_batches : {1U, 4U, 1000U}) {
          spec.chunk_batches = chunk_batches;
          EXPECT_EQ(delivered(spec, ranks), alone) << ranks;
        }
      }
    }
  }
}

TEST(Ranks, TogetherStreamTheBatchesOfOne) {
  for (const std::uint64_t window_blocks : {1U, 2U, 5U, 1000U}) {
    for (const bool shuffle : {true, false}) {
      LoaderSpec spec = stream_of(window_blocks);
      spec.shuffle = shuffle;
      const Delivered alone = delivered(spec, 1);
      ASSERT_EQ(alone.batches.size(), 40U);
      for (const std::uint32_t ranks : {2U, 3U, 14U}) {
        for (const std::uint32_t workers : {1U, 3U}) {
          spec.workers = workers;
          EXPECT_EQ(delivered(spec, ranks), alone) << ranks << ", windows of " << window_blocks;
        }
      }
    }
  }
}

TEST(Ranks, GoOnWhereOtherNumbersOfRanksStopped) {
  for (const LoaderSpec& spec :
       {spec_of(ChunkKind::kIndices), spec_of(ChunkKind::kPacked), stream_of(1), stream_of(3)}) {
    const Delivered alone = delivered(spec, 1);
    for (const LoaderState start : {LoaderState{0, 7}, LoaderState{0, 19}, LoaderState{1, 0}}) {
      Delivered rest = alone;
      rest.batches.erase(rest.batches.begin(), rest.batches.find({start.epoch, start.batch}));
      for (const std::uint32_t ranks : {1U, 3U, 5U}) {
        EXPECT_EQ(delivered(spec, ranks, start), rest) << ranks;
      }
    }
  }
}

// States are counted in batches of all ranks.
TEST(Ranks, StandWhereAllOfThemStand) {
  LoaderSpec spec = spec_of(ChunkKind::kPacked);
  spec.rank = {1, 2};
  Loader loader(spec);
  EXPECT_EQ(loader.batches_per_epoch(), 20U);
  const auto lease = loader.next();
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->chunk().batch, 10U);
  EXPECT_EQ(lease->chunk().batches(), 4U);
  EXPECT_EQ(loader.state(), (LoaderState{0, 4}));
}

TEST(Ranks, TakeTheSamePlaceOfBadSamples) {
  for (const OnBad on_bad : {OnBad::kSkip, OnBad::kSubstitute, OnBad::kLeaveOut}) {
    auto broken = std::make_shared<FakeDataset>(kSize, kElements, DType::kUInt8,
                                                FakeDataset::Access::kReadOnly);
    for (const auto id : kBad) broken->fail_at(id);
    LoaderSpec packed = spec_of(ChunkKind::kPacked);
    packed.data = broken;
    LoaderSpec indices = spec_of(ChunkKind::kIndices);
    indices.bad.assign(std::begin(kBad), std::end(kBad));
    for (LoaderSpec spec : {packed, indices, stream_of(1, true), stream_of(4, true)}) {
      spec.on_bad = on_bad;
      if (on_bad == OnBad::kLeaveOut) spec.chunk_batches = 1;
      const Delivered alone = delivered(spec, 1);
      for (const std::uint32_t ranks : {2U, 5U}) {
        const Delivered together = delivered(spec, ranks);
        EXPECT_EQ(together.batches, alone.batches);
        EXPECT_EQ(together.bad, alone.bad);
      }
    }
  }
}

TEST(Ranks, AreRefusedWhereOneWouldHaveNoSample) {
  LoaderSpec spec = spec_of(ChunkKind::kPacked);
  spec.rank = {0, 15};
  try {
    const Loader loader(spec);
    FAIL() << "the last batch has 14 samples";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "an epoch's last batch has 14 samples for 15 ranks: each needs at least one");
  }
}

}  // namespace
}  // namespace millrace
