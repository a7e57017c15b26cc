#include "formats/run_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "formats/array_dataset.h"
#include "formats/folder.h"
#include "formats/idx.h"
#include "formats/image_folder.h"
#include "formats/seekable_writer.h"
#include "formats/webdataset.h"
#include "tests/support/compressed.h"
#include "tests/support/images.h"
#include "tests/support/mapped_bytes.h"
#include "tests/support/npy_files.h"
#include "tests/support/seekable.h"
#include "tests/support/tar_files.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using test::ByteVector;
using test::data_error_of;
using test::make_bytes;
using test::write_bytes;

OpenOptions blockwise(const ImageOptions& image = {}) {
  return {.image = image, .in_blocks = true};
}

class RunBlocksTest : public testing::Test {
 protected:
  /// What is at `path` in blocks, which is the same data set.
  std::shared_ptr<const BlockDataset> open(const fs::path& path, const ImageOptions& image = {}) {
    const auto whole = open_folder(path, {.image = image}).train;
    auto data =
        std::dynamic_pointer_cast<const BlockDataset>(open_folder(path, blockwise(image)).train);
    EXPECT_NE(data, nullptr) << path;
    if (!data) return nullptr;
    EXPECT_EQ(data->size(), whole->size());
    EXPECT_EQ(data->shape(), whole->shape());
    EXPECT_EQ(data->name(), whole->name());
    EXPECT_EQ(data->hash(), whole->hash()) << path;
    // All samples, in order, block by block and by their numbers.
    const auto bytes = static_cast<std::size_t>(data->sample_bytes());
    std::vector<std::uint64_t> ids(data->size());
    std::iota(ids.begin(), ids.end(), std::uint64_t{0});
    ByteVector expected(ids.size() * bytes);
    ByteVector found(expected.size());
    std::vector<std::int32_t> labels(ids.size());
    std::vector<std::int32_t> found_labels(ids.size());
    whole->read(ids, expected, labels);
    EXPECT_TRUE(std::ranges::equal(data->labels(), labels));
    std::uint64_t next = 0;
    for (std::size_t b = 0; b < data->blocks().size(); ++b) {
      const auto block = data->blocks()[b];
      EXPECT_EQ(block.first, next);
      data->expect_block(b);
      data->decode_block(b, std::span(found).subspan(next * bytes, block.count * bytes));
      next += block.count;
    }
    EXPECT_EQ(next, data->size());
    EXPECT_TRUE(found == expected) << path;
    std::ranges::reverse(ids);
    data->read(ids, found, found_labels);
    std::ranges::reverse(labels);
    EXPECT_EQ(found_labels, labels);
    return data;
  }
  std::string refusal(const fs::path& path) {
    return data_error_of([&] { (void)open_folder(path, blockwise()); });
  }
  void add_idx(std::uint32_t count) const {
    write_idx(folder_ / "train-images-idx3-ubyte", {DType::kUInt8, {count, 28, 28}},
              test::pixels(std::size_t{count} * 784));
    write_bytes(folder_ / "train-labels-idx1-ubyte", test::small_labels(count, 7));
  }

  test::TempFolder folder_;
};

TEST_F(RunBlocksTest, AreRunsOfAPlainFile) {
  add_idx(1000);
  const auto data = open(folder_.path());
  EXPECT_EQ(data->blocks().size(), 3U);  // of 334 samples, 256 KiB
  EXPECT_EQ(data->fingerprint(), std::nullopt);
  const auto small = open(folder_.path(), {.resize = ImageSize{16, 16}});
  EXPECT_EQ(small->blocks().size(), 3U) << "as it is stored";
  open(folder_.path(), {.channels = ImageChannels::kRgb});
}

TEST_F(RunBlocksTest, AreTheFramesOfASeekableFileThatIsResized) {
  const test::SeekableSet set(2000);
  const auto stored = open(set.folder.path());
  const auto data = open(set.folder.path(), {.resize = ImageSize{9, 5}});
  EXPECT_TRUE(std::ranges::equal(data->blocks(), stored->blocks()));
  EXPECT_NE(stored->fingerprint(), std::nullopt);
  EXPECT_EQ(data->fingerprint(), std::nullopt);
}

TEST_F(RunBlocksTest, AreRunsOfArrays) {
  write_bytes(folder_ / "x_train.npy", test::npy_images(50'000));
  write_bytes(folder_ / "y_train.npy", test::npy_labels(50'000, 3));
  EXPECT_EQ(open(folder_.path())->blocks().size(), 2U);
}

TEST_F(RunBlocksTest, AreRunsOfImages) {
  for (const auto* name : {"a/1.png", "a/2.png", "b/3.png"}) {
    fs::create_directories((folder_ / name).parent_path());
    write_bytes(folder_ / name, test::png_of(300, 300, 1, test::pixels(90'000, name[2])));
  }
  EXPECT_EQ(open(folder_.path())->blocks().size(), 2U) << "two images are 180 KB";
  open(folder_.path(), {.resize = ImageSize{8, 8}, .channels = ImageChannels::kRgb});
}

TEST_F(RunBlocksTest, AreRunsOfArchivesOrTheirFrames) {
  const auto archive = [](int first) {
    std::vector<test::TarEntry> entries;
    for (int i = first; i < first + 10; ++i) {
      const auto key = std::to_string(i);
      entries.push_back({key + ".png", test::png_of(28, 28, 1, test::pixels(784, i + 1))});
      entries.push_back({key + ".cls", make_bytes(std::to_string(i % 3))});
    }
    return test::tar_of(entries);
  };
  write_bytes(folder_ / "train-0.tar", archive(0));
  write_bytes(folder_ / "train-1.tar", archive(10));
  const auto plain = open(folder_.path());
  EXPECT_TRUE(std::ranges::equal(
      plain->blocks(),
      std::vector<BlockDataset::Block>{{.first = 0, .count = 10}, {.first = 10, .count = 10}}));
  EXPECT_EQ(open(folder_.path(), {.resize = ImageSize{300, 300}})->blocks().size(), 10U);
  // The same in frames, cut anywhere.
  for (const int shard : {0, 1}) {
    const auto name = "train-" + std::to_string(shard) + ".tar";
    SeekableWriter writer(folder_ / (name + ".zst"), {});
    const auto content = archive(shard * 10);
    constexpr std::size_t kFrame = 5000;
    for (std::size_t at = 0; at < content.size(); at += kFrame) {
      const auto part = std::span(content).subspan(at, std::min(kFrame, content.size() - at));
      writer.append({part.begin(), part.end()});
    }
    writer.commit();
    fs::remove(folder_ / name);
  }
  const auto framed = open(folder_.path());
  EXPECT_EQ(framed->hash(), plain->hash());
  EXPECT_GT(framed->blocks().size(), 4U);
}

TEST_F(RunBlocksTest, AreNotThereOfWhatIsDecodedWhole) {
  const auto content = make_bytes("label,a\n1,2\n0,3\n");
  const auto csv = write_bytes(folder_ / "a.csv", content);
  EXPECT_EQ(refusal(csv),
            csv.string() +
                ": expected data that can be streamed, being read piece by piece, found "
                "a CSV file that is decoded whole; 'tools convert " +
                csv.string() + " OUT' writes what can");
  const auto npy = write_bytes(folder_ / "x_train.npy.gz", test::gzip_member(test::npy_images(20)));
  write_bytes(folder_ / "y_train.npy", test::npy_labels(20, 3));
  EXPECT_NE(refusal(npy).find("a compressed file that is decoded whole"), std::string::npos);
  const auto tar = write_bytes(folder_ / "a.tar.gz", test::gzip_member(test::tar_of({})));
  EXPECT_NE(refusal(tar).find("a gzip file that is decoded whole"), std::string::npos);
  const test::TempFolder idx;
  const auto images = test::pixels(std::size_t{20} * 784);
  write_idx(idx / "train-images-idx3-ubyte.gz", {DType::kUInt8, {20, 28, 28}}, images);
  write_bytes(idx / "train-labels-idx1-ubyte", test::small_labels(20, 7));
  EXPECT_NE(refusal(idx.path())
                .find("a gzip file that is decoded whole; 'tools convert " + idx.path().string() +
                      " OUT'"),
            std::string::npos);
  fs::remove(idx / "train-images-idx3-ubyte.gz");
  write_idx(idx / "train-images-idx3-float", {DType::kFloat32, {20, 2, 2}}, ByteVector(320));
  EXPECT_NE(refusal(idx.path()).find("a file of big-endian float32 that is decoded whole"),
            std::string::npos);
}

// The test set need not be in blocks where the training set is.
TEST_F(RunBlocksTest, LeaveATestSetAsItIs) {
  add_idx(50);
  write_idx(folder_ / "t10k-images-idx3-ubyte.gz", {DType::kUInt8, {20, 28, 28}},
            test::pixels(std::size_t{20} * 784));
  write_bytes(folder_ / "t10k-labels-idx1-ubyte", test::small_labels(20, 7));
  const auto opened = open_folder(folder_.path(), blockwise());
  EXPECT_EQ(dynamic_cast<const BlockDataset*>(opened.test.get()), nullptr);
  EXPECT_NE(dynamic_cast<const BlockDataset*>(opened.train.get()), nullptr);
}

TEST_F(RunBlocksTest, DoNotKeepALargeFileInMemory) {
  constexpr std::uint32_t kMany = 46'000;  // 36 MB
  add_idx(kMany);
  const auto path = folder_ / "train-images-idx3-ubyte";
  const auto opened = open_folder(folder_.path(), blockwise());
  const auto& data = dynamic_cast<const BlockDataset&>(*opened.train);
  (void)data.hash();
  EXPECT_LT(test::mapped_bytes(path), 1U << 20U)
      << "the kernel maps some pages around those touched";
  std::vector<std::uint64_t> ids;
  for (std::uint64_t id = 0; id < kMany; id += 97) ids.push_back(id);
  ByteVector samples(ids.size() * 784);
  std::vector<std::int32_t> labels(ids.size());
  data.read(ids, samples, labels);
  EXPECT_LT(test::mapped_bytes(path), 1U << 20U);
  // Of what was opened as ever it stays.
  (void)open_folder(folder_.path()).train->hash();
  const auto kept = open_folder(folder_.path()).train;
  kept->read(ids, samples, labels);
  EXPECT_GT(test::mapped_bytes(path), 1U << 20U) << "this system does not count mapped pages";
}

}  // namespace
}  // namespace millrace
