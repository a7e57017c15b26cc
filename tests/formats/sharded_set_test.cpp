#include "formats/sharded_set.h"

#include <gtest/gtest.h>

#include "formats/folder.h"
#include "formats/seekable_dataset.h"
#include "tests/support/shards.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::read_bytes;
using test::write_bytes;

OpenOptions as_stream() { return {.most_decoded = 0}; }

class ShardedSetTest : public testing::Test {
 protected:
  std::filesystem::path images(std::uint32_t i) const { return set_.images_at(i, 3); }
  std::filesystem::path labels(std::uint32_t i) const { return set_.labels_at(i, 3); }
  /// The message for opening, which is the same decoded and streamed.
  std::string error() const {
    auto decoded = data_error_of([&] { open_folder(set_.path); });
    EXPECT_EQ(decoded, data_error_of([&] { open_folder(set_.path, as_stream()); }));
    return decoded;
  }

  test::ShardedFolder set_{{700, 1, 1000}};
};

TEST_F(ShardedSetTest, IsOneDataSet) {
  const auto whole = set_.open_whole();
  const auto decoded = open_folder(set_.path);
  const auto streamed = open_folder(set_.path / kManifestName, as_stream());
  EXPECT_EQ(decoded.description,
            set_.path.string() + ": 1701 training samples in 3 shards, 28x28 uint8, 7 classes");
  EXPECT_FALSE(decoded.train->contiguous().samples.empty());
  EXPECT_TRUE(streamed.train->contiguous().samples.empty());
  for (const auto& data : {decoded.train, streamed.train}) {
    EXPECT_EQ(data->size(), 1701U);
    EXPECT_EQ(data->classes(), 7U);
    EXPECT_EQ(data->hash(), whole->hash());
    EXPECT_EQ(data->name(), (set_.path / kManifestName).string());
  }
}

TEST_F(ShardedSetTest, HasTheNamesOfItsManifest) {
  EXPECT_TRUE(open_folder(set_.path).train->class_names().empty());
  auto manifest = read_manifest(set_.path / kManifestName);
  manifest.class_names = {"ash", "elm", "fir", "ivy", "oak", "rue", "yew"};
  write_manifest(set_.path, manifest);
  for (const auto& data : {open_folder(set_.path).train, open_folder(set_.path, as_stream()).train,
                           open_folder(set_.path, {.in_blocks = true}).train}) {
    EXPECT_EQ(data->class_names(), manifest.class_names);
  }
}

TEST_F(ShardedSetTest, ReadsAcrossShards) {
  const auto data = open_folder(set_.path, as_stream()).train;
  const auto& blocks = dynamic_cast<const SeekableDataset&>(*data);
  EXPECT_EQ(blocks.files(), 3U);
  EXPECT_EQ(blocks.file(1), images(1));
  std::uint64_t next = 0;
  for (const auto& block : blocks.blocks()) {
    EXPECT_EQ(block.first, next);
    next += block.count;
  }
  EXPECT_EQ(next, 1701U);
  const std::vector<std::uint64_t> ids{1700, 0, 700, 699, 701, 700};
  ByteVector samples(ids.size() * 784);
  ByteVector expected(samples.size());
  std::vector<std::int32_t> found(ids.size());
  std::vector<std::int32_t> expected_labels(ids.size());
  data->read(ids, samples, found);
  set_.open_whole()->read(ids, expected, expected_labels);
  EXPECT_TRUE(samples == expected);
  EXPECT_EQ(found, expected_labels);
}

TEST_F(ShardedSetTest, HasTargetsWhereItsManifestSaysSo) {
  auto& shards = set_.manifest.train.shards;
  std::vector<float> targets;
  const auto add = [&](std::uint32_t i, std::uint32_t each) {
    const auto count = static_cast<std::uint32_t>(shards[i].samples);
    std::vector<float> some(std::size_t{count} * each);
    for (auto& target : some)
      target = 0.5F * static_cast<float>(targets.size() + (&target - &some[0]));
    targets.insert(targets.end(), some.begin(), some.end());
    std::filesystem::remove(labels(i));
    SeekableIdxWriter writer(labels(i), {DType::kFloat32, {count, each}});
    writer.append(test::bytes_of(some));
    writer.commit();
    shards[i].labels = test::described(labels(i));
  };
  for (std::uint32_t i = 0; i < 3; ++i) add(i, 2);
  set_.manifest.classes = 0;
  set_.manifest.targets = 2;
  set_.write_manifest();
  const OpenOptions regression{.task = Task::kRegression};
  auto streamed = regression;
  streamed.most_decoded = 0;
  const auto decoded = open_folder(set_.path, regression);
  EXPECT_TRUE(decoded.description.ends_with("28x28 uint8, 2 targets")) << decoded.description;
  const auto stream = open_folder(set_.path, streamed).train;
  EXPECT_EQ(stream->hash(), decoded.train->hash());
  for (const auto& data : {decoded.train, stream}) {
    EXPECT_EQ(data->size(), 1701U);
    ASSERT_EQ(data->labels().size(), targets.size());
    EXPECT_EQ(target_of(data->labels()[1401]), targets[1401]) << "of the second shard";
    EXPECT_EQ(target_of(data->labels().back()), targets.back());
  }
  const auto manifest = (set_.path / kManifestName).string();
  EXPECT_EQ(error(),
            manifest +
                ": expected classes, found 2 targets (numbers that are to be "
                "learnt: --task regression; of 0 and 1 for each label: --task multilabel)");
  add(2, 3);
  set_.write_manifest();
  EXPECT_EQ(data_error_of([&] { open_folder(set_.path, regression); }),
            labels(2).string() + ": expected 2 targets of a sample, as those of " +
                images(0).string() + " have, found 3");
}

TEST_F(ShardedSetTest, NamesAManifestOfClasses) {
  EXPECT_EQ(data_error_of([&] { open_folder(set_.path, {.task = Task::kRegression}); }),
            (set_.path / kManifestName).string() +
                ": expected targets (--task regression or multilabel), found 7 classes");
}

TEST_F(ShardedSetTest, HasAFingerprintThatDependsOnEachShard) {
  const auto print = [&] {
    return dynamic_cast<const SeekableDataset&>(*open_folder(set_.path, as_stream()).train)
        .fingerprint();
  };
  const auto before = print();
  EXPECT_EQ(print(), before);
  std::swap(set_.manifest.train.shards[0], set_.manifest.train.shards[2]);
  set_.write_manifest();
  EXPECT_NE(print(), before);
}

TEST_F(ShardedSetTest, NamesAMissingShard) {
  std::filesystem::remove(images(1));
  EXPECT_EQ(error(),
            images(1).string() + ": expected a shard, as manifest.json says, found no such file");
}

TEST_F(ShardedSetTest, NamesAShardOfAnotherSize) {
  auto bytes = read_bytes(labels(2));
  bytes.push_back(std::byte{0});
  write_bytes(labels(2), bytes);
  EXPECT_EQ(error(), labels(2).string() + ": expected " + std::to_string(bytes.size() - 1) +
                         " bytes, as manifest.json says, found " + std::to_string(bytes.size()));
}

TEST_F(ShardedSetTest, NamesAShardOfAnotherHash) {
  auto bytes = read_bytes(images(0));
  bytes[5000] ^= std::byte{16};
  write_bytes(images(0), bytes);
  EXPECT_EQ(data_error_of([&] {
              open_folder(set_.path);
            }).find(images(0).string() + ": expected a file of hash "),
            0U);
  // A stream finds the frame when it comes to it.
  const auto data = open_folder(set_.path, as_stream()).train;
  const auto message = data_error_of([&] { (void)data->hash(); });
  EXPECT_EQ(message.find(images(0).string() + ": broken frame 1 "), 0U) << message;
}

TEST_F(ShardedSetTest, StreamsNoShardInPlaceOfAnother) {
  test::write_seekable(images(1), {1, 28, 28});
  auto& said = set_.manifest.train.shards[1].images;
  said.bytes = std::filesystem::file_size(images(1));
  set_.write_manifest();
  const auto message = data_error_of([&] { open_folder(set_.path, as_stream()); });
  EXPECT_EQ(message.find(images(1).string() + ": expected the seek table of hash "), 0U) << message;
}

TEST_F(ShardedSetTest, NamesAShardOfAnotherShapeOrCount) {
  test::write_seekable(images(1), {1, 28, 27});
  set_.manifest.train.shards[1].images = test::described(images(1));
  set_.write_manifest();
  EXPECT_EQ(error(), images(1).string() +
                         ": byte 4: expected 1x28x28 uint8, as manifest.json says, found 1x28x27 "
                         "uint8");
  test::write_seekable(images(1), {1, 28, 28});
  set_.manifest.train.shards[1].images = test::described(images(1));
  SeekableIdxWriter two(labels(1), {DType::kUInt8, {2}});
  two.append(ByteVector(2));
  two.commit();
  set_.manifest.train.shards[1].labels = test::described(labels(1));
  set_.write_manifest();
  EXPECT_EQ(error(), labels(1).string() + ": byte 4: expected 1 labels, one for each image in " +
                         images(1).string() + ", found 2");
}

TEST_F(ShardedSetTest, NamesALabelOutsideTheClasses) {
  set_.manifest.classes = 6;
  set_.write_manifest();
  EXPECT_EQ(error(),
            labels(0).string() + ": byte 14: expected a label in [0, 6) for sample 6, found 6");
}

TEST_F(ShardedSetTest, WantsItsManifest) {
  std::filesystem::remove(set_.path / kManifestName);
  EXPECT_NE(error().find("manifest.json: expected beside the shards, found none"),
            std::string::npos);
  write_bytes(set_.path / kManifestName, test::make_bytes("{\"format\": 7}"));
  EXPECT_NE(error().find("manifest.json: expected a manifest of shards"), std::string::npos);
  write_bytes(set_.path / kUnfinishedName, {});
  EXPECT_NE(error().find("a conversion that was interrupted"), std::string::npos);
}

TEST_F(ShardedSetTest, GivesTestSamplesTheClassesOfTraining) {
  set_.manifest.test = {.samples = 1, .hash = std::string(32, '0'), .shards = {}};
  set_.manifest.test->shards.push_back(set_.manifest.train.shards[1]);
  set_.manifest.train.shards.erase(set_.manifest.train.shards.begin() + 1);
  set_.manifest.train.samples = 1700;
  set_.write_manifest();
  const auto opened = open_folder(set_.path);
  EXPECT_EQ(opened.train->size(), 1700U);
  ASSERT_TRUE(opened.test);
  EXPECT_EQ(opened.test->size(), 1U);
  EXPECT_EQ(opened.test->classes(), 7U);
}

}  // namespace
}  // namespace millrace
