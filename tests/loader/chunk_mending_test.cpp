#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <stdexcept>
#include <vector>

#include "formats/error.h"
#include "loader/loader.h"
#include "loader/stand_in.h"
#include "tests/support/fake_dataset.h"

// Chunks of data of which not all can be read: sample by sample as the definition says.

namespace millrace {
namespace {

using testing::FakeDataset;

constexpr std::uint64_t kSize = 500;
const std::set<std::uint64_t> kBad{0, 7, 8, 9, 250, 499};

LoaderSpec spec_of(ChunkKind kind, OnBad on_bad, DType type = DType::kUInt8) {
  LoaderSpec spec;
  auto data = std::make_shared<FakeDataset>(kSize, 5, type, FakeDataset::Access::kReadOnly);
  for (const auto id : kBad) data->fail_at(id);
  spec.data = data;
  spec.subset = Split::random(kSize, 60, 1).train;
  spec.kind = kind;
  spec.batch = 16;
  spec.chunk_batches = on_bad == OnBad::kLeaveOut ? 1 : 5;
  spec.seed = 11;
  spec.epochs = 2;
  spec.on_bad = on_bad;
  spec.bad_budget = kBad.size();
  if (kind == ChunkKind::kIndices) spec.bad = {kBad.begin(), kBad.end()};
  return spec;
}

std::vector<std::uint64_t> order_of(const LoaderSpec& spec, std::uint64_t epoch) {
  std::vector<std::uint64_t> ids(spec.subset.size());
  const Permutation order(ids.size(), spec.seed, epoch);
  for (std::uint64_t i = 0; i < ids.size(); ++i) ids[i] = spec.shuffle ? order(i) : i;
  spec.subset.map(ids, ids);
  return ids;
}

// Ids of the samples by the definition, and which bad ones are met.
struct Expected {
  std::vector<std::int32_t> ids;
  std::vector<std::uint64_t> bad;
};

Expected expected(const LoaderSpec& spec) {
  Expected all;
  const StandIn others(spec.on_bad, spec.seed, spec.bad_budget);
  for (std::uint64_t epoch = 0; epoch < spec.epochs; ++epoch) {
    const auto ids = order_of(spec, epoch);
    for (std::uint64_t p = 0; p < ids.size(); ++p) {
      auto id = ids[p];
      if (kBad.contains(id)) {
        all.bad.push_back(id);
        if (spec.on_bad == OnBad::kLeaveOut) continue;
        id = ids[*others.find({epoch, p, p}, ids.size(),
                              [&](std::uint64_t other) { return !kBad.contains(ids[other]); })];
      }
      all.ids.push_back(static_cast<std::int32_t>(id));
    }
  }
  return all;
}

// The labels of a FakeDataset are its ids.
Expected delivered(const LoaderSpec& spec) {
  Expected all;
  Loader loader(spec);
  while (const auto lease = loader.next()) {
    const Chunk& chunk = lease->chunk();
    if (spec.kind == ChunkKind::kIndices) {
      all.ids.insert(all.ids.end(), chunk.indices.begin(), chunk.indices.end());
    } else {
      all.ids.insert(all.ids.end(), chunk.labels.begin(), chunk.labels.end());
      const std::size_t bytes = spec.data->dtype() == DType::kUInt8 ? 5 : 20;
      for (std::uint32_t i = 0; i < chunk.count && bytes == 5; ++i) {
        const auto id = static_cast<std::uint64_t>(chunk.labels[i]);
        EXPECT_EQ(chunk.samples[i * bytes + 3], FakeDataset::expected_byte(id, 3));
      }
    }
    for (const BadPlace& bad : lease->bad()) all.bad.push_back(bad.sample.id);
  }
  return all;
}

TEST(ChunkMending, DeliversByTheDefinitionWhateverTheWorkers) {
  for (const OnBad on_bad : {OnBad::kSkip, OnBad::kSubstitute, OnBad::kLeaveOut}) {
    for (const bool shuffle : {true, false}) {
      for (const std::uint32_t workers : {1U, 3U}) {
        LoaderSpec spec = spec_of(ChunkKind::kPacked, on_bad);
        spec.shuffle = shuffle;
        spec.workers = workers;
        const auto wanted = expected(spec);
        const auto found = delivered(spec);
        EXPECT_EQ(found.ids, wanted.ids);
        EXPECT_EQ(found.bad, wanted.bad);
        spec = spec_of(ChunkKind::kPacked, on_bad, DType::kInt16);  // converted on the way
        spec.shuffle = shuffle;
        EXPECT_EQ(delivered(spec).ids, wanted.ids);
        spec = spec_of(ChunkKind::kIndices, on_bad);
        spec.shuffle = shuffle;
        EXPECT_EQ(delivered(spec).ids, wanted.ids);
      }
    }
  }
}

TEST(ChunkMending, KeepsTheShapeOfBatchesUnlessItLeavesOut) {
  for (const ChunkKind kind : {ChunkKind::kPacked, ChunkKind::kIndices}) {
    std::uint32_t samples = 0;
    Loader loader(spec_of(kind, OnBad::kSkip));
    while (const auto lease = loader.next()) samples += lease->chunk().count;
    EXPECT_EQ(samples, 2 * 440U);
  }
}

TEST(ChunkMending, AChunkMayBeLeftEmpty) {
  LoaderSpec spec = spec_of(ChunkKind::kPacked, OnBad::kLeaveOut);
  spec.batch = 1;
  std::size_t empty = 0;
  Loader loader(spec);
  while (const auto lease = loader.next()) empty += lease->chunk().count == 0 ? 1 : 0;
  EXPECT_EQ(empty, expected(spec).bad.size());
}

TEST(ChunkMending, LeavesOutOfChunksOfOneBatchAlone) {
  LoaderSpec spec = spec_of(ChunkKind::kPacked, OnBad::kLeaveOut);
  spec.chunk_batches = 2;
  EXPECT_THROW(Loader{spec}, std::invalid_argument);
}

TEST(ChunkMending, FailsWhereTooManyInARowAreBad) {
  for (const OnBad on_bad : {OnBad::kSkip, OnBad::kSubstitute}) {
    LoaderSpec spec = spec_of(ChunkKind::kPacked, on_bad);
    auto data =
        std::make_shared<FakeDataset>(kSize, 5, DType::kUInt8, FakeDataset::Access::kReadOnly);
    for (std::uint64_t id = 0; id < kSize; ++id) data->fail_at(id);
    spec.data = data;
    Loader loader(spec);
    EXPECT_THROW(loader.next(), DataError);
    EXPECT_THROW(loader.next(), DataError);
  }
}

TEST(ChunkMending, FailsAtTheFirstWhereItIsToldTo) {
  LoaderSpec spec = spec_of(ChunkKind::kPacked, OnBad::kFail);
  spec.workers = 3;
  Loader loader(spec);
  EXPECT_THROW(
      {
        while (loader.next()) {
        }
      },
      DataError);
}

}  // namespace
}  // namespace millrace
