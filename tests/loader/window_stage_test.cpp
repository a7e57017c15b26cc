#include "loader/window_stage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "formats/error.h"
#include "formats/folder.h"
#include "loader/loader.h"
#include "tests/support/files.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

constexpr std::uint32_t kCount = 3000;
using Ids = std::vector<std::uint64_t>;

class WindowStageTest : public testing::Test {
 protected:
  LoaderSpec spec() const {
    LoaderSpec spec;
    spec.data = data_;
    spec.subset = Split::random(kCount, 400, 5).train;
    spec.kind = ChunkKind::kPacked;
    spec.batch = 37;
    spec.chunk_batches = 5;
    spec.seed = 9;
    spec.epochs = 3;
    spec.window_blocks = 2;
    return spec;
  }

  // Numbers of all samples that a loader should bring from `start` on.
  Ids expected(const LoaderSpec& spec, LoaderState start = {}) const {
    const StreamOrder order(data_->blocks(), spec.subset,
                            {spec.window_blocks, spec.shuffle, spec.seed});
    Ids all;
    for (auto number = start.epoch; number < spec.epochs; ++number) {
      const auto epoch = order.epoch(number);
      for (std::uint64_t w = 0; w < epoch.windows(); ++w) {
        const auto ids = order.samples(epoch, w);
        all.insert(all.end(), ids.begin(), ids.end());
      }
    }
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(start.batch * spec.batch));
    return all;
  }

  void expect_brings(const LoaderSpec& spec, const Ids& ids, LoaderState start = {}) const {
    std::vector<std::byte> samples(ids.size() * data_->sample_bytes());
    std::vector<std::int32_t> labels(ids.size());
    data_->read(ids, samples, labels);
    std::vector<std::byte> found;
    std::vector<std::int32_t> found_labels;
    Loader loader(spec, start);
    while (const auto lease = loader.next()) {
      const Chunk& chunk = lease->chunk();
      found.insert(found.end(), chunk.samples.begin(), chunk.samples.end());
      found_labels.insert(found_labels.end(), chunk.labels.begin(), chunk.labels.end());
    }
    EXPECT_TRUE(found == samples);
    EXPECT_EQ(found_labels, labels);
  }

  test::SeekableSet set_{kCount};
  std::shared_ptr<const BlockDataset> data_ = set_.open();
};

TEST_F(WindowStageTest, LoaderBringsTheStreamsOrderWhateverTheThreadsAndSlots) {
  ASSERT_GT(data_->blocks().size(), 6U);
  for (const std::uint32_t workers : {1U, 2U, 5U}) {
    for (const std::uint32_t slots : {1U, 4U}) {
      for (const std::uint32_t batches : {1U, 5U, 1000U}) {
        LoaderSpec s = spec();
        s.workers = workers;
        s.slots = slots;
        s.chunk_batches = batches;
        expect_brings(s, expected(s));
      }
    }
  }
}

TEST_F(WindowStageTest, LoaderBringsWindowsOfAnySize) {
  for (const std::uint64_t window : {1U, 3U, 1000U}) {
    LoaderSpec s = spec();
    s.window_blocks = window;
    expect_brings(s, expected(s));
    s.shuffle = false;
    expect_brings(s, expected(s));
  }
}

TEST_F(WindowStageTest, LoaderGoesOnInTheMiddleOfAnEpoch) {
  const LoaderSpec s = spec();
  const auto last = (s.subset.size() - 1) / s.batch;
  for (const auto start : {LoaderState{0, 1}, LoaderState{1, 17}, LoaderState{2, last}}) {
    expect_brings(s, expected(s, start), start);
  }
  expect_brings(s, expected(s, {1, 0}), {0, last + 1});
  expect_brings(s, {}, {3, 0});
}

TEST_F(WindowStageTest, LoaderGoesOnForMoreEpochsThanItCanCount) {
  LoaderSpec s = spec();
  s.window_blocks = (data_->blocks().size() + 1) / 2;  // two windows an epoch,
  const auto ids = expected(s);
  s.epochs = std::uint64_t{1} << 63U;  // and 2^64 of them
  Loader loader(s);
  std::size_t samples = 0;
  while (samples < ids.size()) {
    ASSERT_TRUE(loader.wait_for(std::chrono::seconds(60))) << "nobody decodes what it waits for";
    samples += loader.next()->chunk().count;
  }
}

TEST_F(WindowStageTest, LoaderStopsInTheMiddle) {
  for (int taken = 0; taken < 8; ++taken) {
    Loader loader(spec());
    for (int i = 0; i < taken; ++i) ASSERT_TRUE(loader.next());
    loader.stop();
    EXPECT_FALSE(loader.next());
  }
}

TEST_F(WindowStageTest, LoaderNamesABrokenBlockAfterTheChunksBeforeItsWindow) {
  const auto frames = data_->blocks().size();
  auto bytes = test::read_bytes(set_.images);
  bytes[bytes.size() / 2] ^= std::byte{4};
  test::write_bytes(set_.images, bytes);
  data_ = set_.open();
  ASSERT_EQ(data_->blocks().size(), frames);
  std::string message;
  std::uint64_t samples = 0;
  for (const std::uint32_t workers : {1U, 4U}) {
    LoaderSpec s = spec();
    s.workers = workers;
    Loader loader(s);
    std::uint64_t before = 0;
    std::string error;
    try {
      while (const auto lease = loader.next()) before += lease->chunk().count;
    } catch (const DataError& e) {
      error = e.what();
    }
    EXPECT_NE(error.find("frame"), std::string::npos) << error;
    if (workers == 1) {
      message = error;
      samples = before;
      EXPECT_LT(samples, s.subset.size());
    }
    EXPECT_EQ(error, message);
    EXPECT_EQ(before, samples);
  }
}

// Of a run of files those that can be read are good, whatever their neighbour is.
TEST(WindowStage, LosesOnlyTheImageThatIsBroken) {
  const test::TempFolder folder;
  constexpr int kImages = 90;
  constexpr int kBroken = 37;
  std::filesystem::create_directory(folder / "a");
  for (int i = 0; i < kImages; ++i) {
    std::string image = "P5\n100 100\n255\n";
    image.append(10'000, static_cast<char>(i));
    if (i == kBroken) image.resize(image.size() - 1);
    test::write_bytes(folder / "a" / (std::to_string(100 + i) + ".pgm"), test::make_bytes(image));
  }
  LoaderSpec s;
  s.data = open_folder(folder.path(), {.in_blocks = true}).train;
  s.subset = Subset::all(kImages);
  s.kind = ChunkKind::kPacked;
  s.batch = 7;
  s.window_blocks = 2;
  s.epochs = 1;
  s.bad_budget = 5;
  ASSERT_EQ(dynamic_cast<const BlockDataset&>(*s.data).blocks().size(), 4U);
  std::string order;
  for (const std::uint32_t workers : {1U, 3U}) {
    s.workers = workers;
    s.on_bad = OnBad::kSkip;
    Loader loader(s);
    std::string values;
    Ids bad;
    while (const auto lease = loader.next()) {
      for (const auto& one : lease->bad()) bad.push_back(one.sample.id);
      for (std::size_t i = 0; i < lease->chunk().count; ++i) {
        values.push_back(static_cast<char>(lease->chunk().samples[i * 10'000 + 9'999]));
      }
    }
    EXPECT_EQ(bad, (Ids{kBroken}));
    EXPECT_EQ(values.find(static_cast<char>(kBroken)), std::string::npos);
    if (order.empty()) order = values;
    EXPECT_EQ(values, order);
    std::ranges::sort(values);
    values.erase(std::unique(values.begin(), values.end()), values.end());
    EXPECT_EQ(values.size(), kImages - 1U) << "all others came";
    s.on_bad = OnBad::kFail;
    EXPECT_NE(test::data_error_of([&] {
                Loader strict(s);
                while (strict.next()) {
                }
              }).find("137.pgm"),
              std::string::npos);
  }
}

TEST_F(WindowStageTest, DecodesTwoWindowsAheadAndNoMore) {
  const auto subset = Subset::all(kCount);
  std::atomic<int> wakes{0};
  WindowStage stage(data_, subset, {.window_blocks = 2, .shuffle = true, .seed = 1},
                    RankShare({}, 64, kCount), {.epoch = 0, .position = 0, .epochs = 2},
                    [&] { ++wakes; });
  EXPECT_FALSE(stage.ready(0));
  int decoded = 0;
  while (stage.decode_one()) ++decoded;
  EXPECT_EQ(decoded, 4);
  EXPECT_TRUE(stage.ready(0));
  EXPECT_TRUE(stage.ready(1));
  EXPECT_FALSE(stage.ready(2));
  std::vector<WindowStage::Piece> pieces;
  stage.plan(0, 0, {0, 1000}, 64, pieces);
  const auto windows = StreamOrder(data_->blocks(), subset, {2, true, 1}).epoch(0);
  std::uint32_t next = 0;
  for (const auto& piece : pieces) {
    EXPECT_EQ(piece.first, next);
    EXPECT_LE(piece.offset + piece.count, windows.size(piece.turn));
    EXPECT_LE(piece.count, 64U);
    next += piece.count;
  }
  EXPECT_EQ(next, 1000U);
  stage.taken(0, windows.size(0) - 1);
  EXPECT_FALSE(stage.decode_one());
  const int before = wakes;
  stage.taken(0, 1);
  EXPECT_GT(wakes, before);
  EXPECT_FALSE(stage.ready(0));
  EXPECT_TRUE(stage.decode_one());
}

TEST_F(WindowStageTest, SizesWindowsByMemory) {
  const auto block = data_->largest_block() * (784 + 16);
  EXPECT_EQ(blocks_of_window(*data_, 0), 1U);
  EXPECT_EQ(blocks_of_window(*data_, block * 3 + 1), 3U);
}

TEST_F(WindowStageTest, LoaderRefusesWhatCannotBeStreamed) {
  LoaderSpec s = spec();
  s.kind = ChunkKind::kIndices;
  EXPECT_THROW(Loader{s}, std::invalid_argument);
}

}  // namespace
}  // namespace millrace
