#include "loader/chunk_filler.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/fake_dataset.h"

namespace millrace {
namespace {

using testing::FakeDataset;

LoaderSpec spec_of(ChunkKind kind, bool shuffle) {
  LoaderSpec spec;
  spec.data = std::make_shared<FakeDataset>(3000, 301);
  spec.subset = Split::random(3000, 100, 1).train;
  spec.kind = kind;
  spec.source = 4;
  spec.batch = 100;
  spec.chunk_batches = 20;
  spec.shuffle = shuffle;
  spec.seed = 77;
  return spec;
}

// The ids by the definition: subset[permutation of the epoch[position]].
std::vector<std::uint64_t> expected_ids(const LoaderSpec& spec, std::uint64_t epoch,
                                        std::uint64_t first, std::uint64_t count) {
  std::vector<std::uint64_t> ids(count);
  std::iota(ids.begin(), ids.end(), first);
  if (spec.shuffle) {
    const Permutation order(spec.subset.size(), spec.seed, epoch);
    for (auto& id : ids) id = order(id);
  }
  spec.subset.map(ids, ids);
  return ids;
}

TEST(ChunkFiller, FillsEachKindByTheDefinition) {
  for (const ChunkKind kind : {ChunkKind::kIndices, ChunkKind::kPacked}) {
    for (const bool shuffle : {true, false}) {
      const LoaderSpec spec = spec_of(kind, shuffle);
      ChunkFiller filler(spec);
      ChunkSlot slot = filler.make_slot(pageable_memory());
      for (const auto& [epoch, first, count] :
           {std::tuple{0U, 0U, 2000U}, std::tuple{5U, 2000U, 900U}, std::tuple{5U, 300U, 1U}}) {
        ChunkPlan plan;
        plan.position = {epoch, first / 100};
        plan.first = first;
        plan.count = count;
        const std::uint32_t parts = filler.prepare(slot, plan);
        std::uint64_t bytes = 0;
        for (std::uint32_t part = parts; part > 0; --part) bytes += filler.fill(slot, part - 1);
        const Chunk chunk = filler.view(slot);
        const auto ids = expected_ids(spec, epoch, first, count);
        ASSERT_EQ(chunk.count, count);
        EXPECT_EQ(chunk.batch, 100U);
        if (kind == ChunkKind::kIndices) {
          EXPECT_EQ(chunk.source, 4U);
          EXPECT_EQ(parts, 1U);
          EXPECT_EQ(bytes, count * 4);
          EXPECT_EQ(std::vector<std::uint64_t>(chunk.indices.begin(), chunk.indices.end()), ids);
        } else {
          EXPECT_EQ(parts > 1, count > 500);
          EXPECT_EQ(bytes, count * (301 + 4));
          EXPECT_TRUE(chunk.packed());
          for (std::size_t i = 0; i < count; ++i) {
            ASSERT_EQ(static_cast<std::uint64_t>(chunk.labels[i]), ids[i]);
            for (std::size_t k = 0; k < 301; ++k) {
              ASSERT_EQ(chunk.samples[i * 301 + k], FakeDataset::expected_byte(ids[i], k));
            }
          }
        }
      }
    }
  }
}

TEST(ChunkFiller, TakesSamplesLargerThanAPart) {
  LoaderSpec spec = spec_of(ChunkKind::kPacked, true);
  spec.data = std::make_shared<FakeDataset>(3, 300'000);
  spec.subset = Subset::all(3);
  ChunkFiller filler(spec);
  ChunkSlot slot = filler.make_slot(pageable_memory());
  ChunkPlan plan;
  plan.count = 3;
  ASSERT_EQ(filler.prepare(slot, plan), 3U);
  for (std::uint32_t part = 0; part < 3; ++part) filler.fill(slot, part);
  const auto ids = expected_ids(spec, 0, 0, 3);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(static_cast<std::uint64_t>(filler.view(slot).labels[i]), ids[i]);
}

TEST(ChunkFiller, SlotsAreNoLargerThanTheSubset) {
  LoaderSpec spec = spec_of(ChunkKind::kIndices, true);
  spec.chunk_batches = std::numeric_limits<std::uint32_t>::max();
  EXPECT_EQ(ChunkFiller(spec).make_slot(pageable_memory()).indices.size(), 2900U);
}

// Only sizes: for sets that no memory could hold.
class HugeDataset : public FakeDataset {
 public:
  HugeDataset(std::uint64_t size, std::uint64_t elements)
      : FakeDataset(1, 1), shape_{{elements}}, size_(size) {}
  std::uint64_t size() const noexcept override { return size_; }
  const SampleShape& shape() const noexcept override { return shape_; }

 private:
  SampleShape shape_;
  std::uint64_t size_;
};

std::string refusal(const LoaderSpec& spec) {
  try {
    const ChunkFiller filler(spec);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "none";
}

TEST(ChunkFiller, RefusesWhatCannotBeFilled) {
  LoaderSpec spec = spec_of(ChunkKind::kPacked, true);
  spec.data = std::make_shared<FakeDataset>(2999, 301);
  EXPECT_EQ(refusal(spec), "fake: the subset reaches sample 3000, but there are 2999");

  spec.data = nullptr;
  EXPECT_EQ(refusal(spec), "a loader needs a data set");

  spec.data = std::make_shared<FakeDataset>(3000, 0);
  EXPECT_EQ(refusal(spec), "fake: samples have no elements");

  constexpr std::uint64_t kHuge = std::uint64_t{1} << 33U;
  spec.data = std::make_shared<HugeDataset>(kHuge, 1);
  spec.subset = Subset::all(kHuge);
  spec.chunk_batches = std::numeric_limits<std::uint32_t>::max();
  EXPECT_EQ(
      refusal(spec),
      "a chunk of 4294967295 batches of 100 samples is too large: the limit is 2^32 - 1 samples");

  spec.chunk_batches = 1;
  spec.kind = ChunkKind::kIndices;
  EXPECT_EQ(refusal(spec),
            "fake: 8589934592 samples are too many for chunks of indices: the limit is 2^32");

  spec.kind = ChunkKind::kPacked;
  spec.data = std::make_shared<HugeDataset>(kHuge, std::uint64_t{1} << 61U);
  EXPECT_EQ(refusal(spec),
            "a slot of 100 samples of 2305843009213693952 bytes is too large for memory");
}

}  // namespace
}  // namespace millrace
