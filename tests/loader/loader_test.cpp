#include "loader/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "formats/block_dataset.h"
#include "tests/support/fake_dataset.h"

namespace millrace {
namespace {

using testing::FakeDataset;

constexpr std::uint64_t kElements = 70;

LoaderSpec spec_of(ChunkKind kind, std::uint64_t size = 1003,
                   FakeDataset::Access access = FakeDataset::Access::kContiguous) {
  LoaderSpec spec;
  spec.data = std::make_shared<FakeDataset>(size, kElements, DType::kUInt8, access);
  spec.subset = Split::random(size, 100, 1).train;
  spec.kind = kind;
  spec.batch = 16;
  spec.chunk_batches = 5;
  spec.slots = 3;
  spec.workers = 2;
  spec.seed = 42;
  spec.epochs = 3;
  return spec;
}

void append_ids(const Chunk& chunk, std::vector<std::uint64_t>& ids) {
  for (const auto index : chunk.indices) ids.push_back(index);
  for (std::size_t i = 0; i < chunk.labels.size(); ++i) {
    const auto id = static_cast<std::uint64_t>(chunk.labels[i]);
    for (std::size_t k = 0; k < kElements; ++k) {
      ASSERT_EQ(chunk.samples[i * kElements + k], FakeDataset::expected_byte(id, k));
    }
    ids.push_back(id);
  }
}

// A stream of 16 samples, whose windows are larger than memory can be. Allocates nothing itself.
class VastDataset : public BlockDataset {
 public:
  std::uint64_t size() const noexcept override { return block_.count; }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return DType::kUInt8; }
  std::uint32_t classes() const noexcept override { return 10; }
  std::string name() const override { return "vast"; }
  void read(std::span<const std::uint64_t>, std::span<std::byte>,
            std::span<std::int32_t>) const override {}
  std::span<const Block> blocks() const noexcept override { return {&block_, 1}; }
  std::span<const std::int32_t> labels() const noexcept override { return labels_; }
  void expect_block(std::size_t) const noexcept override {}
  void decode_block(std::size_t, std::span<std::byte>) const override {}

 private:
  Block block_{0, 16};
  SampleShape shape_{{(std::uint64_t{1} << 60U) - 64}};
  std::vector<std::int32_t> labels_ = std::vector<std::int32_t>(16);
};

// For slots that nobody fills.
class NoMemory : public HostMemory {
 public:
  std::byte* allocate(std::size_t) override { return memory_.data(); }
  void deallocate(std::byte*, std::size_t) noexcept override {}

 private:
  alignas(64) std::array<std::byte, 64> memory_{};
};

// Every sample id in the order delivered, with its epoch and batch.
struct Delivered {
  std::vector<std::uint64_t> ids;
  std::vector<std::tuple<std::uint64_t, std::uint64_t>> batches;  ///< of each sample

  bool operator==(const Delivered&) const = default;
};

Delivered run(Loader& loader, std::uint32_t batch) {
  Delivered all;
  while (const auto lease = loader.next()) {
    append_ids(lease->chunk(), all.ids);
    const LoaderState at = lease->position();
    for (std::uint64_t i = 0; i < lease->chunk().count; ++i)
      all.batches.emplace_back(at.epoch, at.batch + i / batch);
  }
  return all;
}

Delivered run(const LoaderSpec& spec, LoaderState start = {}) {
  Loader loader(spec, start);
  return run(loader, spec.batch);
}

TEST(Loader, DeliversTheSameWhateverTheMeans) {
  for (const bool shuffle : {true, false}) {
    LoaderSpec spec = spec_of(ChunkKind::kIndices);
    spec.shuffle = shuffle;
    const Delivered expected = run(spec);
    ASSERT_EQ(expected.ids.size(), 903U * 3);
    for (const ChunkKind kind : {ChunkKind::kIndices, ChunkKind::kPacked}) {
      for (const auto access : {FakeDataset::Access::kContiguous, FakeDataset::Access::kReadOnly}) {
        for (const std::uint32_t workers : {0U, 1U, 2U, 4U}) {
          for (const std::uint32_t slots : {1U, 2U, 5U}) {
            for (const std::uint32_t chunk_batches : {1U, 7U, 57U, 1000U}) {
              LoaderSpec other = spec_of(kind, 1003, access);
              other.shuffle = shuffle;
              other.workers = workers;
              other.slots = slots;
              other.chunk_batches = chunk_batches;
              ASSERT_EQ(run(other), expected) << workers << ' ' << slots << ' ' << chunk_batches;
            }
          }
        }
      }
    }
  }
}

TEST(Loader, VisitsEverySampleOncePerEpochInANewOrder) {
  const LoaderSpec spec = spec_of(ChunkKind::kPacked);
  const Delivered all = run(spec);
  std::set<std::vector<std::uint64_t>> orders;
  std::set<std::set<std::uint64_t>> contents;
  for (std::ptrdiff_t epoch = 0; epoch < 3; ++epoch) {
    const std::vector<std::uint64_t> ids(all.ids.begin() + epoch * 903,
                                         all.ids.begin() + (epoch + 1) * 903);
    orders.insert(ids);
    contents.emplace(ids.begin(), ids.end());
  }
  EXPECT_EQ(orders.size(), 3U);
  ASSERT_EQ(contents.size(), 1U);
  EXPECT_EQ(contents.begin()->size(), 903U);
}

TEST(Loader, DependsOnTheSeed) {
  LoaderSpec spec = spec_of(ChunkKind::kIndices);
  const Delivered one = run(spec);
  spec.seed = 43;
  EXPECT_NE(run(spec).ids, one.ids);
}

TEST(Loader, WithoutShuffleKeepsTheSubsetsOrder) {
  LoaderSpec spec = spec_of(ChunkKind::kPacked);
  spec.subset = Subset::all(1003);
  spec.shuffle = false;
  spec.epochs = 2;
  const Delivered all = run(spec);
  ASSERT_EQ(all.ids.size(), 2006U);
  for (std::size_t i = 0; i < all.ids.size(); ++i) ASSERT_EQ(all.ids[i], i % 1003);
}

TEST(Loader, KeepsTheLastPartialBatchAndSaysWhereItIs) {
  const LoaderSpec spec = spec_of(ChunkKind::kPacked);  // 903 samples: 57 batches, the last of 7
  Loader loader(spec);
  EXPECT_EQ(loader.batches_per_epoch(), 57U);
  EXPECT_EQ(loader.state(), (LoaderState{0, 0}));
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
    for (std::uint64_t first = 0; first < 57; first += 5) {
      const auto lease = loader.next();
      ASSERT_TRUE(lease);
      EXPECT_EQ(lease->position(), (LoaderState{epoch, first}));
      EXPECT_EQ(lease->last_in_epoch(), first == 55);
      EXPECT_EQ(lease->chunk().batch, 16U);
      EXPECT_EQ(lease->chunk().count, first == 55 ? 23U : 80U);
      EXPECT_EQ(lease->chunk().batches(), first == 55 ? 2U : 5U);
      EXPECT_EQ(loader.state(),
                (first == 55 ? LoaderState{epoch + 1, 0} : LoaderState{epoch, first + 5}));
    }
  }
  EXPECT_FALSE(loader.next());
  EXPECT_FALSE(loader.next());
  EXPECT_EQ(loader.state(), (LoaderState{3, 0}));
}

TEST(Loader, GoesOnFromAnyBatchWithTheSameTail) {
  for (const ChunkKind kind : {ChunkKind::kIndices, ChunkKind::kPacked}) {
    const LoaderSpec spec = spec_of(kind, 300);  // 200 samples: 13 batches
    const Delivered whole = run(spec);
    for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
      for (std::uint64_t batch = 0; batch <= 13; ++batch) {
        const Delivered tail = run(spec, {epoch, batch});
        const auto done =
            static_cast<std::ptrdiff_t>(epoch * 200 + std::min<std::uint64_t>(batch * 16, 200));
        ASSERT_EQ(tail.ids, std::vector(whole.ids.begin() + done, whole.ids.end()));
        ASSERT_EQ(tail.batches, std::vector(whole.batches.begin() + done, whole.batches.end()));
      }
    }
  }
}

TEST(Loader, ResumesFromItsOwnState) {
  const LoaderSpec spec = spec_of(ChunkKind::kPacked);
  const Delivered whole = run(spec);
  LoaderSpec other = spec;
  other.chunk_batches = 3;
  std::vector<std::uint64_t> ids;
  LoaderState at;
  bool more = true;
  while (more) {  // a new loader for each two chunks
    Loader loader(other, at);
    EXPECT_EQ(loader.state(), at);
    for (int i = 0; i < 2 && more; ++i) {
      const auto lease = loader.next();
      more = lease.has_value();
      if (more) append_ids(lease->chunk(), ids);
    }
    at = loader.state();
  }
  EXPECT_EQ(ids, whole.ids);
}

TEST(Loader, StateOfAFinishedEpochIsTheNextEpoch) {
  const LoaderSpec spec = spec_of(ChunkKind::kIndices);
  EXPECT_EQ(Loader(spec, {1, 57}).state(), (LoaderState{2, 0}));
  Loader finished(spec, {2, 57});
  EXPECT_EQ(finished.state(), (LoaderState{3, 0}));
  EXPECT_FALSE(finished.next());
}

TEST(Loader, ConvertsOtherTypesToFloat32) {
  EXPECT_EQ(input_type_for(DType::kUInt8), InputType::kUInt8);
  EXPECT_EQ(input_type_for(DType::kInt8), InputType::kFloat32);
  EXPECT_EQ(input_type_for(DType::kFloat32), InputType::kFloat32);
  LoaderSpec spec = spec_of(ChunkKind::kPacked);
  const auto data = std::make_shared<FakeDataset>(1003, 3, DType::kInt8);
  spec.data = data;
  Loader loader(spec);
  const auto lease = loader.next();
  ASSERT_TRUE(lease);
  const Chunk& chunk = lease->chunk();
  ASSERT_EQ(chunk.samples.size(), chunk.count * 3 * sizeof(float));
  const auto* values = reinterpret_cast<const float*>(chunk.samples.data());
  for (std::size_t i = 0; i < chunk.count; ++i) {
    for (std::size_t k = 0; k < 3; ++k) {
      const auto stored =
          FakeDataset::expected_byte(static_cast<std::uint64_t>(chunk.labels[i]), k);
      ASSERT_EQ(values[i * 3 + k], static_cast<float>(static_cast<std::int8_t>(stored)));
    }
  }
}

TEST(Loader, CountsWhatItDelivers) {
  const LoaderSpec spec = spec_of(ChunkKind::kPacked);
  Loader loader(spec);
  run(loader, spec.batch);
  const LoaderStats stats = loader.stats();
  EXPECT_EQ(stats.chunks, 3U * 12);
  EXPECT_EQ(stats.samples, 3U * 903);
  EXPECT_EQ(stats.bytes, 3U * 903 * (kElements + 4));
  EXPECT_EQ(stats.workers, 2U);
  EXPECT_EQ(stats.slots, 3U);
  EXPECT_GT(stats.fill.busy, 0.0);
  EXPECT_GT(stats.consumer.busy, 0.0);
  EXPECT_GT(stats.consumer.starved, 0.0);
}

TEST(Loader, FillsIndexChunksWithOneWorker) {
  LoaderSpec spec = spec_of(ChunkKind::kIndices);
  spec.workers = 4;
  EXPECT_EQ(Loader(spec).stats().workers, 1U);
}

std::string refusal(const LoaderSpec& spec, LoaderState start = {}) {
  try {
    const Loader loader(spec, start);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "none";
}

TEST(Loader, RefusesTheImpossible) {
  const LoaderSpec good = spec_of(ChunkKind::kPacked);
  LoaderSpec spec = good;
  spec.batch = 0;
  EXPECT_EQ(refusal(spec), "batch size 0: a batch holds at least one sample");
  spec = good;
  spec.chunk_batches = 0;
  EXPECT_EQ(refusal(spec), "chunk of 0 batches: a chunk holds at least one batch");
  spec = good;
  spec.slots = 0;
  EXPECT_EQ(refusal(spec), "0 slots: a loader needs at least one");
  spec = good;
  spec.subset = {};
  EXPECT_EQ(refusal(spec), "nothing to load: the subset is empty");
  EXPECT_EQ(refusal(good, {0, 58}), "cannot start at batch 58 of an epoch of 57 batches");
  EXPECT_EQ(refusal(good, {3, 1}), "cannot start at epoch 3, batch 1: the run ends after 3 epochs");
  EXPECT_EQ(refusal(good, {4, 0}), "cannot start at epoch 4, batch 0: the run ends after 3 epochs");
}

// A HostMemory with a limit, which counts what it has out.
class LimitedMemory : public HostMemory {
 public:
  explicit LimitedMemory(int buffers) : left_(buffers) {}
  ~LimitedMemory() override { EXPECT_EQ(out_, 0); }
  std::byte* allocate(std::size_t bytes) override {
    if (left_-- == 0) throw std::bad_alloc();
    ++out_;
    return pageable_memory().allocate(bytes);
  }
  void deallocate(std::byte* data, std::size_t bytes) noexcept override {
    --out_;
    pageable_memory().deallocate(data, bytes);
  }

 private:
  int left_;
  int out_ = 0;
};

TEST(Loader, TakesItsSlotsFromTheMemoryGiven) {
  LimitedMemory enough(3);
  { Loader loader(spec_of(ChunkKind::kPacked), {}, enough); }
  LimitedMemory scarce(2);
  EXPECT_THROW(Loader(spec_of(ChunkKind::kPacked), {}, scarce), std::bad_alloc);
}

TEST(Loader, TellsThatAWindowCannotBeHad) {
  for (const std::uint32_t workers : {1U, 2U}) {
    LoaderSpec spec = spec_of(ChunkKind::kPacked);
    spec.data = std::make_shared<VastDataset>();
    spec.subset = Subset::all(spec.data->size());
    spec.window_blocks = 1;
    spec.batch = spec.chunk_batches = 1;
    spec.workers = workers;
    NoMemory memory;
    Loader loader(spec, {}, memory);
    ASSERT_TRUE(loader.wait_for(std::chrono::seconds(60))) << "nobody fills what it waits for";
    EXPECT_THROW(loader.next(), std::bad_alloc);
    EXPECT_THROW(loader.next(), std::bad_alloc);
  }
}

}  // namespace
}  // namespace millrace
