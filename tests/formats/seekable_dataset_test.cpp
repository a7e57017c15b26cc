#include "formats/seekable_dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "formats/folder.h"
#include "formats/idx_pair.h"
#include "formats/seekable_zstd.h"
#include "tests/support/compressed.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/mapped_bytes.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::read_bytes;
using test::small_labels;
using test::TempFolder;
using test::write_bytes;

constexpr std::uint32_t kCount = 3000;

class SeekableDatasetTest : public testing::Test {
 protected:
  SeekableDatasetTest() {
    write_bytes(folder_ / "plain", set_.content);
    whole_ = test::read_idx_pair(folder_ / "plain", labels_);
  }
  std::shared_ptr<const SeekableDataset> open() const { return set_.open(); }
  void expect_same(const Dataset& data, const std::vector<std::uint64_t>& ids) const {
    ByteVector samples(ids.size() * 784);
    ByteVector expected(samples.size());
    std::vector<std::int32_t> labels(ids.size());
    std::vector<std::int32_t> expected_labels(ids.size());
    data.read(ids, samples, labels);
    whole_->read(ids, expected, expected_labels);
    EXPECT_TRUE(samples == expected);
    EXPECT_EQ(labels, expected_labels);
  }

  test::SeekableSet set_{kCount};
  const TempFolder& folder_ = set_.folder;
  const std::filesystem::path& images_ = set_.images;
  const std::filesystem::path& labels_ = set_.labels;
  std::shared_ptr<const ArrayDataset> whole_;
};

std::vector<std::uint64_t> random_ids(std::size_t count, std::uint32_t seed) {
  std::vector<std::uint64_t> ids(count);
  for (auto& id : ids) id = (seed = seed * 1664525U + 1013904223U) >> 8U;
  for (auto& id : ids) id %= kCount;
  return ids;
}

TEST_F(SeekableDatasetTest, IsTheDataSetThatIsDecodedWhole) {
  const auto data = open();
  EXPECT_EQ(data->size(), kCount);
  EXPECT_EQ(data->shape(), whole_->shape());
  EXPECT_EQ(data->classes(), 7U);
  EXPECT_EQ(data->name(), images_.string());
  EXPECT_EQ(data->hash(), whole_->hash());
  EXPECT_TRUE(data->contiguous().samples.empty());
}

TEST_F(SeekableDatasetTest, HashesMoreThanIsDecodedAtOnce) {
  constexpr std::uint32_t kMany = 30'000;  // 24 MB
  const test::SeekableSet set(kMany);
  EXPECT_EQ(set.open()->hash(), hash_by_reading(*set.open()));
  auto file = read_bytes(set.images);
  const auto table = read_seek_table(set.images, file).value();
  const auto last = table.frames().size() - 1;
  for (const std::size_t frame : {last, last - 3}) {  // the first of the broken ones is named
    file[static_cast<std::size_t>(table.frames()[frame].stored_at) + 500] ^= std::byte{1};
    write_bytes(set.images, file);
    const auto message = data_error_of([&] { (void)set.open()->hash(); });
    EXPECT_NE(message.find("broken frame " + std::to_string(frame) + " "), std::string::npos)
        << message;
  }
}

TEST_F(SeekableDatasetTest, ReadsAnySamplesInAnyOrder) {
  const auto data = open();
  expect_same(*data, {});
  expect_same(*data, {kCount - 1});
  expect_same(*data, {5, 5, 2999, 0, 5});
  for (std::uint32_t seed = 1; seed < 6; ++seed) expect_same(*data, random_ids(200, seed));
}

TEST_F(SeekableDatasetTest, ReadsOnManyThreads) {
  const auto data = open();
  std::vector<std::jthread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < 10; ++i) expect_same(*data, random_ids(50, 10 * t + i));
    });
  }
}

TEST_F(SeekableDatasetTest, DecodesBlockByBlock) {
  const auto data = open();
  std::uint64_t next = 0;
  for (std::size_t i = 0; i < data->blocks().size(); ++i) {
    const auto block = data->blocks()[i];
    EXPECT_EQ(block.first, next);
    EXPECT_LE(block.count, data->largest_block());
    ByteVector samples(block.count * 784);
    std::vector<std::int32_t> labels(block.count);
    data->decode_block(i, samples, labels);
    ByteVector alone(samples.size());
    data->decode_block(i, alone);
    EXPECT_TRUE(alone == samples);
    const auto view = whole_->contiguous();
    EXPECT_TRUE(std::ranges::equal(samples, view.samples.subspan(next * 784, samples.size())));
    EXPECT_TRUE(std::ranges::equal(labels, view.labels.subspan(next, labels.size())));
    next += block.count;
  }
  EXPECT_EQ(next, kCount);
  EXPECT_GT(data->blocks().size(), 5U);
}

TEST_F(SeekableDatasetTest, RefusesIdsAndMemoryThatDoNotFit) {
  const auto data = open();
  ByteVector samples(784);
  std::vector<std::int32_t> labels(1);
  const std::vector<std::uint64_t> past{kCount};
  EXPECT_THROW(data->read(past, samples, labels), std::out_of_range);
  EXPECT_THROW(data->read(std::vector<std::uint64_t>{0, 1}, samples, labels),
               std::invalid_argument);
  EXPECT_THROW(data->decode_block(0, samples, labels), std::invalid_argument);
  EXPECT_THROW(data->decode_block(1000, samples, labels), std::out_of_range);
  EXPECT_THROW(data->decode_block(0, samples), std::invalid_argument);
  EXPECT_THROW(data->decode_block(1000, samples), std::out_of_range);
}

TEST_F(SeekableDatasetTest, LosesOnlyTheSamplesOfABrokenFrame) {
  auto file = read_bytes(images_);
  const auto table = read_seek_table(images_, file).value();
  file[static_cast<std::size_t>(table.frames()[3].stored_at) + 500] ^= std::byte{1};
  write_bytes(images_, file);
  const auto data = open();
  const auto bad = data->blocks()[2];
  expect_same(*data, {bad.first - 1, bad.first + bad.count});
  for (int again = 0; again < 2; ++again) {
    const std::vector<std::uint64_t> ids{0, bad.first};
    ByteVector samples(2 * 784);
    std::vector<std::int32_t> labels(2);
    EXPECT_NE(data_error_of([&] { data->read(ids, samples, labels); }).find("broken frame 3"),
              std::string::npos);
  }
  expect_same(*data, {0, kCount - 1});
}

TEST_F(SeekableDatasetTest, TakesFramesWithTheHeaderInFrontOfSamples) {
  const auto content = read_bytes(folder_ / "plain");
  const auto first = std::span(content).first(16 + 784 * 10);
  const auto rest = std::span(content).subspan(first.size());
  ByteVector file = test::zstd_frame(first);
  SeekTable table(false);
  table.add(static_cast<std::uint32_t>(file.size()), static_cast<std::uint32_t>(first.size()), 0);
  const auto second = test::zstd_frame(rest);
  table.add(static_cast<std::uint32_t>(second.size()), static_cast<std::uint32_t>(rest.size()), 0);
  write_bytes(images_, test::joined({file, second, table.encode()}));
  const auto data = open();
  ASSERT_EQ(data->blocks().size(), 2U);
  EXPECT_EQ(data->blocks()[1].first, 10U);
  expect_same(*data, {0, 9, 10, 2999});
  EXPECT_EQ(data->hash(), whole_->hash());
}

TEST_F(SeekableDatasetTest, SwapsBytes) {
  std::vector<float> values(4000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 7;
  SeekableIdxWriter writer(images_, {DType::kFloat32, {40, 100}});
  writer.append(test::bytes_of(values));
  writer.commit();
  write_bytes(labels_, small_labels(40, 3));
  const auto data = open();
  std::vector<float> found(100);
  std::vector<std::int32_t> label(1);
  data->read(std::vector<std::uint64_t>{38}, std::as_writable_bytes(std::span(found)), label);
  EXPECT_TRUE(std::ranges::equal(found, std::span(values).subspan(3800, 100)));
}

TEST_F(SeekableDatasetTest, HasTargets) {
  const test::SeekableSet set(900);
  std::vector<float> targets(900 * 2);
  for (std::size_t i = 0; i < targets.size(); ++i) targets[i] = 0.5F * static_cast<float>(i);
  write_idx(set.labels, {DType::kFloat32, {900, 2}}, test::bytes_of(targets));
  OpenOptions options{.task = Task::kRegression};
  const auto whole = open_folder(set.folder.path(), options).train;
  options.in_blocks = true;
  const auto opened = open_folder(set.folder.path(), options);
  EXPECT_EQ(opened.description,
            set.folder.path().string() + ": 900 training samples, 28x28 uint8, 2 targets");
  const auto& streamed = dynamic_cast<const BlockDataset&>(*opened.train);
  EXPECT_EQ(streamed.size(), 900U);
  EXPECT_EQ(streamed.hash(), whole->hash());
  EXPECT_EQ(streamed.labels().size(), 1800U);
  const std::vector<std::uint64_t> ids{899, 3};
  test::ByteVector samples(ids.size() * 784);
  std::vector<std::int32_t> words(4);
  streamed.read(ids, samples, words);
  EXPECT_EQ(target_of(words[0]), 899);
  EXPECT_EQ(target_of(words[1]), 899.5F);
  EXPECT_EQ(target_of(words[3]), 3.5F);
  const auto block = streamed.blocks()[1];
  samples.resize(block.count * 784);
  words.resize(block.count * 2);
  streamed.decode_block(1, samples, words);
  EXPECT_EQ(target_of(words[1]), static_cast<float>(block.first) + 0.5F);
  words.pop_back();
  EXPECT_THROW(streamed.decode_block(1, samples, words), std::invalid_argument);
}

TEST_F(SeekableDatasetTest, TakesOnlySeekableFilesOfWholeSamples) {
  EXPECT_TRUE(SeekableDataset::opens(images_));
  EXPECT_TRUE(SeekableDataset::opens(images_, kCount * 784));
  EXPECT_FALSE(SeekableDataset::opens(images_, kCount * 784 + 16));
  EXPECT_FALSE(SeekableDataset::opens(folder_ / "plain"));

  const auto content = read_bytes(folder_ / "plain");
  SeekTable table;
  ByteVector file;
  for (const auto part : {std::span(content).first(1000), std::span(content).subspan(1000)}) {
    const auto frame = test::zstd_frame(part);
    table.add(static_cast<std::uint32_t>(frame.size()), static_cast<std::uint32_t>(part.size()),
              frame_checksum(part));
    file = test::joined({file, frame});
  }
  write_bytes(images_, test::joined({file, table.encode()}));
  EXPECT_FALSE(SeekableDataset::opens(images_));
  EXPECT_EQ(data_error_of([&] { open(); }),
            images_.string() +
                ": byte 1000: expected frames of whole samples of 784 bytes, found one that ends "
                "inside a sample");
  EXPECT_EQ(open_folder(folder_.path()).train->hash(), whole_->hash());
  write_bytes(images_, test::zstd_frame(content));
  EXPECT_NE(data_error_of([&] { open(); }).find("expected a seekable zstd file"),
            std::string::npos);
}

TEST_F(SeekableDatasetTest, IsWhatAFolderOpensWhereItIsLarge) {
  const auto small = open_folder(folder_.path());
  EXPECT_FALSE(small.train->contiguous().samples.empty());
  EXPECT_EQ(small.train->hash(), whole_->hash());
  const auto large = open_folder(folder_.path(), {.most_decoded = 1'000'000});
  EXPECT_TRUE(large.train->contiguous().samples.empty());
  EXPECT_NE(dynamic_cast<const SeekableDataset*>(large.train.get()), nullptr);
  expect_same(*large.train, {17, 2000});
}

TEST_F(SeekableDatasetTest, RefusesAHeaderThatTheFramesDoNotFill) {
  auto content = read_bytes(folder_ / "plain");
  content[6] = std::byte{9};  // 2488 samples
  SeekTable table;
  const auto frame = test::zstd_frame(content);
  table.add(static_cast<std::uint32_t>(frame.size()), static_cast<std::uint32_t>(content.size()),
            frame_checksum(content));
  write_bytes(images_, test::joined({frame, table.encode()}));
  EXPECT_NE(data_error_of([&] { open(); }).find("found frames of 2352016 bytes"),
            std::string::npos);
}

// After all of it was decoded.
std::uint64_t mapped_after_a_pass(const SeekableDataset& data) {
  ByteVector samples(data.largest_block() * 784);
  for (std::size_t i = 0; i < data.blocks().size(); ++i) {
    data.decode_block(i, std::span(samples).first(data.blocks()[i].count * 784));
  }
  return test::mapped_bytes(data.file(0));
}

TEST_F(SeekableDatasetTest, DoesNotKeepALargeFileInMemory) {
  const auto data = open();
  const auto size = std::filesystem::file_size(images_);
  ASSERT_GT(mapped_after_a_pass(*data), size / 2) << "this system does not count mapped pages";
  // Bytes that no decoder makes smaller.
  constexpr std::uint32_t kMany = 46'000;
  ByteVector noise(kMany * std::size_t{784});
  std::uint64_t state = 1;
  for (auto& byte : noise) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<std::byte>(state >> 56U);
  }
  SeekableIdxWriter writer(folder_ / "large.zst", {DType::kUInt8, {kMany, 28, 28}}, {.level = 1});
  writer.append(noise);
  writer.commit();
  ASSERT_GT(std::filesystem::file_size(folder_ / "large.zst"), 34U << 20U);
  write_bytes(folder_ / "labels", small_labels(kMany, 7));
  const SeekableDataset large(folder_ / "large.zst", read_idx(folder_ / "labels"));
  // The kernel maps pages around those touched, a few times 64 KiB in all.
  EXPECT_LT(mapped_after_a_pass(large), 1U << 20U);
}

}  // namespace
}  // namespace millrace
