// Consumers as they are: slow, failing, gone; and data sets that break.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "compute/stage.h"
#include "formats/block_dataset.h"
#include "formats/error.h"
#include "loader/loader.h"
#include "tests/support/fake_dataset.h"
#include "tests/support/gate.h"

namespace millrace {
namespace {

using testing::FakeDataset;

constexpr std::uint64_t kSize = 2000;
constexpr std::uint64_t kElements = 900;  // a chunk has several parts

LoaderSpec spec_of(std::uint32_t slots, std::shared_ptr<const Dataset> data = nullptr) {
  LoaderSpec spec;
  spec.data = data ? std::move(data)
                   : std::make_shared<FakeDataset>(kSize, kElements, DType::kUInt8,
                                                   FakeDataset::Access::kReadOnly);
  spec.subset = Subset::all(kSize);
  spec.kind = ChunkKind::kPacked;
  spec.batch = 50;
  spec.chunk_batches = 8;
  spec.slots = slots;
  spec.workers = 3;
  spec.shuffle = false;
  spec.epochs = 3;
  return spec;
}

// Stored order: what a chunk must hold follows from where it stands.
void expect_content(const ChunkLease& lease) {
  const Chunk& chunk = lease.chunk();
  const std::uint64_t first = lease.position().batch * 50;
  for (std::size_t i = 0; i < chunk.count; ++i) {
    ASSERT_EQ(static_cast<std::uint64_t>(chunk.labels[i]), first + i);
    for (const std::size_t k : {std::size_t{0}, kElements / 2, kElements - 1}) {
      ASSERT_EQ(chunk.samples[i * kElements + k], FakeDataset::expected_byte(first + i, k));
    }
  }
}

TEST(LoaderConsumer, KeepsLeasesAndDropsThemInAnyOrder) {
  for (std::uint32_t seed = 0; seed < 10; ++seed) {
    std::mt19937 random(seed);
    Loader loader(spec_of(4));
    std::vector<ChunkLease> held;
    std::uint64_t chunks = 0;
    while (auto lease = loader.next()) {
      ++chunks;
      held.push_back(std::move(*lease));
      for (const auto& one : held) expect_content(one);  // none was overwritten
      while (held.size() == 4 || (!held.empty() && random() % 2 == 0)) {
        std::swap(held[random() % held.size()], held.back());
        held.pop_back();
      }
    }
    EXPECT_EQ(chunks, 15U);
  }
}

TEST(LoaderConsumer, SeesTheEndWhileItHoldsAllSlots) {
  LoaderSpec spec = spec_of(5);
  spec.epochs = 1;
  Loader loader(spec);
  std::vector<ChunkLease> held;
  while (auto lease = loader.next()) held.push_back(std::move(*lease));
  EXPECT_EQ(held.size(), 5U);
}

TEST(LoaderConsumer, DropsLeasesOnOtherThreads) {
  Loader loader(spec_of(3));
  std::vector<std::thread> threads;
  std::uint64_t chunks = 0;
  while (auto lease = loader.next()) {
    ++chunks;
    threads.emplace_back([held = std::move(*lease)] { expect_content(held); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(chunks, 15U);
}

TEST(LoaderConsumer, ASlowOneFindsTheSlotsFull) {
  Loader loader(spec_of(3));
  const auto first = loader.next();
  // The other two slots are filled and nothing more.
  constexpr std::uint64_t kChunkBytes = 400 * (kElements + 4);
  while (loader.stats().bytes < 3 * kChunkBytes) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  EXPECT_EQ(loader.stats().bytes, 3 * kChunkBytes);
  EXPECT_GT(loader.stats().fill.blocked, 0.0);
  expect_content(*first);
}

// Parts that a thread fills.
class Fills : public StageListener {
 public:
  void begin(Stage stage, std::uint64_t) noexcept override {
    if (stage == Stage::kGather && std::this_thread::get_id() == thread_) ++count;
  }
  void end(Stage) noexcept override {}

  std::atomic<int> count{0};

 private:
  const std::thread::id thread_ = std::this_thread::get_id();
};

TEST(LoaderConsumer, DoesNotHelpForLongerThanItWaits) {
  LoaderSpec spec =
      spec_of(3, std::make_shared<FakeDataset>(kSize, kElements));  // contiguous: it may help
  spec.workers = 1;
  for (const auto limit : {std::chrono::milliseconds(0), std::chrono::milliseconds(-1)}) {
    Fills fills;
    const StageListening listening(fills);
    Loader loader(spec);
    loader.wait_for(limit);
    EXPECT_EQ(fills.count, 0);
    ASSERT_TRUE(loader.wait_for(std::chrono::hours(24 * 365 * 1000)));  // more than a clock counts
    expect_content(*loader.next());
  }
}

TEST(LoaderConsumer, MovesLeases) {
  Loader loader(spec_of(2));
  auto a = loader.next();
  auto b = loader.next();
  ASSERT_TRUE(a && b);
  ChunkLease moved(std::move(*a));
  expect_content(moved);
  *b = std::move(moved);  // gives the second slot back
  expect_content(*b);
  const auto third = loader.next();
  ASSERT_TRUE(third);
  EXPECT_EQ(third->position().batch, 16U);
  expect_content(*third);
}

TEST(LoaderConsumer, LeasesOutliveTheLoader) {
  std::vector<ChunkLease> held;
  {
    Loader loader(spec_of(3));
    held.push_back(*loader.next());
    held.push_back(*loader.next());
  }
  for (const auto& lease : held) expect_content(lease);
  held.erase(held.begin());
  expect_content(held.front());
}

TEST(LoaderConsumer, GoesAwayAtAnyMoment) {
  for (int taken = 0; taken < 16; ++taken) {
    for (int round = 0; round < 10; ++round) {
      Loader loader(spec_of(1 + static_cast<std::uint32_t>(round) % 3));
      for (int i = 0; i < taken; ++i) {
        if (const auto lease = loader.next()) expect_content(*lease);
      }
    }
  }
}

TEST(LoaderConsumer, IsWokenByStopFromAnotherThread) {
  for (std::uint32_t round = 0; round < 60; ++round) {
    LoaderSpec spec = spec_of(2);
    spec.epochs = 1'000'000;
    Loader loader(spec);
    std::thread stopper([&loader, round] {
      std::this_thread::sleep_for(std::chrono::microseconds(round * round));
      loader.stop();
      loader.stop();
    });
    while (const auto lease = loader.next()) expect_content(*lease);
    EXPECT_FALSE(loader.next());
    stopper.join();
  }
}

TEST(LoaderConsumer, IsWokenByStopWhileItHoldsAllSlots) {
  Loader loader(spec_of(1));
  const auto only = loader.next();
  std::thread stopper([&loader] { loader.stop(); });
  EXPECT_FALSE(loader.next());
  stopper.join();
  expect_content(*only);
}

// Chunks of 400 samples: which of them come before the error follows from the sample that breaks.
TEST(LoaderConsumer, GetsTheChunksBeforeABrokenSampleThenItsErrorForEver) {
  for (const std::uint64_t broken : {0U, 399U, 400U, 777U, 1203U, 1999U}) {
    for (const std::uint32_t slots : {1U, 2U, 4U}) {
      for (int round = 0; round < 5; ++round) {
        auto data = std::make_shared<FakeDataset>(kSize, kElements, DType::kUInt8,
                                                  FakeDataset::Access::kReadOnly);
        data->fail_at(broken);
        if (broken + 200 < kSize) data->fail_at(broken + 200);  // later, so never seen
        Loader loader(spec_of(slots, data));
        std::uint64_t delivered = 0;
        for (int call = 0; call < 8; ++call) {
          if (delivered < broken / 400) {
            const auto lease = loader.next();
            ASSERT_TRUE(lease);
            expect_content(*lease);
            ++delivered;
          } else {
            try {
              loader.next();
              FAIL() << "no error";
            } catch (const DataError& error) {
              EXPECT_EQ(std::string(error.what()),
                        "fake.bin: sample " + std::to_string(broken) + " is broken");
            }
          }
        }
        EXPECT_EQ(loader.stats().chunks, broken / 400);
        EXPECT_EQ(loader.state(), (LoaderState{0, broken / 400 * 8}));
      }
    }
  }
}

// A stream in three blocks, of which the first cannot be read. Who looks for something to take the
// place of its samples stops at a gate.
class BrokenStream : public BlockDataset {
 public:
  static constexpr std::uint64_t kBlock = 10;

  std::uint64_t size() const noexcept override { return labels_.size(); }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return DType::kUInt8; }
  std::uint32_t classes() const noexcept override { return 1; }
  std::string name() const override { return "stream"; }
  std::span<const Block> blocks() const noexcept override { return blocks_; }
  std::span<const std::int32_t> labels() const noexcept override { return labels_; }
  void expect_block(std::size_t) const noexcept override {}
  void decode_block(std::size_t index, std::span<std::byte>) const override {
    if (index == 0) throw DataError("stream.bin", "block 0 is broken");
  }
  void read(std::span<const std::uint64_t>, std::span<std::byte>,
            std::span<std::int32_t>) const override {
    if (++reads_ > kBlock) gate.pass();  // the first ones are those of the block
    throw DataError("stream.bin", "is broken");
  }

  mutable test::Gate gate;

 private:
  std::vector<Block> blocks_{{0, kBlock}, {kBlock, kBlock}, {2 * kBlock, kBlock}};
  SampleShape shape_{{4}};
  std::vector<std::int32_t> labels_ = std::vector<std::int32_t>(3 * kBlock);
  mutable std::atomic<std::uint64_t> reads_{0};
};

// The third part's window takes the memory of the first one's, which is never taken whole.
TEST(LoaderConsumer, GetsTheErrorOfAPartWhileALaterOneWaitsForItsWindow) {
  const auto data = std::make_shared<const BrokenStream>();
  LoaderSpec spec = spec_of(1, data);
  spec.subset = Subset::all(data->size());
  spec.batch = 3 * BrokenStream::kBlock;
  spec.chunk_batches = 1;
  spec.window_blocks = 1;
  spec.workers = 2;
  spec.on_bad = OnBad::kSkip;
  spec.bad_budget = 0;
  Loader loader(spec);
  // Until all parts are claimed: then one that has nothing to do lacks a slot.
  while (!(loader.stats().fill.blocked > 0.0)) std::this_thread::yield();
  data->gate.open();
  ASSERT_TRUE(loader.wait_for(std::chrono::seconds(60))) << "nobody fills what it waits for";
  EXPECT_THROW(loader.next(), DataError);
}

TEST(LoaderConsumer, StopEndsALoaderWhoseErrorNobodySaw) {
  auto data = std::make_shared<FakeDataset>(kSize, kElements, DType::kUInt8,
                                            FakeDataset::Access::kReadOnly);
  data->fail_at(0);
  Loader loader(spec_of(2, data));
  loader.stop();
  EXPECT_FALSE(loader.next());
}

TEST(LoaderConsumer, RunsManyLoadersAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      Loader loader(spec_of(2));
      std::uint64_t chunks = 0;
      while (const auto lease = loader.next()) {
        expect_content(*lease);
        ++chunks;
      }
      EXPECT_EQ(chunks, 15U);
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(LoaderConsumer, ReadsStatsAndStateFromElsewhere) {
  Loader loader(spec_of(2));
  std::thread watcher([&loader] {
    std::uint64_t before = 0;
    while (before < 15) {
      const LoaderStats stats = loader.stats();
      EXPECT_GE(stats.chunks, before);
      before = stats.chunks;
      EXPECT_LE(loader.state().epoch, 3U);
      std::this_thread::yield();
    }
  });
  while (const auto lease = loader.next()) expect_content(*lease);
  watcher.join();
}

}  // namespace
}  // namespace millrace
