#include "formats/idx_dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "formats/idx.h"
#include "tests/support/compressed.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::idx_header;
using test::joined;
using test::make_bytes;
using test::small_images;
using test::small_labels;
using test::TempFolder;
using test::write_bytes;

class IdxDatasetTest : public testing::Test {
 protected:
  std::shared_ptr<const ArrayDataset> open(const ByteVector& images, const ByteVector& labels,
                                           std::optional<std::uint32_t> classes = {}) const {
    return test::read_idx_pair(write_bytes(images_, images), write_bytes(labels_, labels), classes);
  }
  std::string error_of(const ByteVector& images, const ByteVector& labels,
                       std::optional<std::uint32_t> classes = {}) const {
    return data_error_of([&] { open(images, labels, classes); });
  }

  TempFolder folder_;
  std::filesystem::path images_ = folder_ / "images";
  std::filesystem::path labels_ = folder_ / "labels";
};

TEST_F(IdxDatasetTest, KnowsWhatItHolds) {
  const auto data = open(small_images(20), small_labels(20, 7));
  EXPECT_EQ(data->size(), 20U);
  EXPECT_EQ(data->shape(), (SampleShape{.dims = {2, 3}}));
  EXPECT_EQ(data->dtype(), DType::kUInt8);
  EXPECT_EQ(data->classes(), 7U);
  EXPECT_EQ(data->name(), images_.string());
  EXPECT_EQ(data->sample_bytes(), 6U);
}

TEST_F(IdxDatasetTest, IsContiguous) {
  const auto data = open(small_images(5), small_labels(5, 3));
  const auto view = data->contiguous();
  EXPECT_TRUE(
      std::ranges::equal(view.samples, std::span<const std::byte>(small_images(5)).subspan(16)));
  EXPECT_EQ((std::vector<std::int32_t>(view.labels.begin(), view.labels.end())),
            (std::vector<std::int32_t>{0, 1, 2, 0, 1}));
}

TEST_F(IdxDatasetTest, ReadsSamplesInTheOrderAsked) {
  const auto data = open(small_images(20), small_labels(20, 7));
  const std::vector<std::uint64_t> ids{19, 0, 8, 8};
  ByteVector samples(ids.size() * 6);
  std::vector<std::int32_t> labels(ids.size());
  data->read(ids, samples, labels);
  EXPECT_EQ(labels, (std::vector<std::int32_t>{5, 0, 1, 1}));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    for (std::size_t j = 0; j < 6; ++j) {
      EXPECT_EQ(samples[6 * i + j], static_cast<std::byte>(6 * ids[i] + j));
    }
  }
  data->read({}, {}, {});
}

TEST_F(IdxDatasetTest, ChecksBoundsBeforeItWrites) {
  const auto data = open(small_images(20), small_labels(20, 7));
  const std::vector<std::uint64_t> ids{0, 20};
  ByteVector samples(12, std::byte{0xee});
  std::vector<std::int32_t> labels(2, -1);
  EXPECT_THROW(data->read(ids, samples, labels), std::out_of_range);
  EXPECT_EQ(samples, ByteVector(12, std::byte{0xee}));
  EXPECT_EQ(labels, (std::vector<std::int32_t>{-1, -1}));
  const std::vector<std::uint64_t> good{0, 1};
  EXPECT_THROW(data->read(good, std::span(samples).first(11), labels), std::invalid_argument);
  EXPECT_THROW(data->read(good, samples, std::span(labels).first(1)), std::invalid_argument);
}

TEST_F(IdxDatasetTest, TakesLabelsOfEveryIntegerType) {
  const std::vector<std::int32_t> expected{0, 1, 5};
  const std::pair<int, ByteVector> forms[] = {
      {0x08, make_bytes({0, 1, 5})},
      {0x09, make_bytes({0, 1, 5})},
      {0x0b, make_bytes({0, 0, 0, 1, 0, 5})},
      {0x0c, make_bytes({0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 5})},
  };
  std::string hash;
  for (const auto& [type, bytes] : forms) {
    const auto data = open(small_images(3), joined({idx_header(type, {3}), bytes}));
    EXPECT_TRUE(std::ranges::equal(data->contiguous().labels, expected)) << type;
    EXPECT_EQ(data->classes(), 6U);
    if (hash.empty()) hash = data->hash();
    EXPECT_EQ(data->hash(), hash) << "equal content, equal hash";
  }
}

TEST_F(IdxDatasetTest, TakesSamplesOfOtherTypes) {
  const std::vector<float> values{1.5F, -2.0F, 0.0F, 3.25F};
  write_idx(images_, {.dtype = DType::kFloat32, .dims = {2, 2}}, test::bytes_of(values));
  const auto data = test::read_idx_pair(images_, write_bytes(labels_, small_labels(2, 2)));
  EXPECT_EQ(data->dtype(), DType::kFloat32);
  EXPECT_EQ(data->shape(), (SampleShape{.dims = {2}}));
  EXPECT_TRUE(std::ranges::equal(data->contiguous().samples, test::bytes_of(values)));
}

TEST_F(IdxDatasetTest, ClassesCanBeGiven) {
  EXPECT_EQ(open(small_images(5), small_labels(5, 3), 10)->classes(), 10U);
  EXPECT_EQ(open(small_images(5), small_labels(5, 3), 3)->classes(), 3U);
}

TEST_F(IdxDatasetTest, HashIsOfTheContentAndNotOfItsForm) {
  const auto images = small_images(20);
  const auto labels = small_labels(20, 7);
  const auto hash = open(images, labels)->hash();
  EXPECT_EQ(hash.size(), 32U);
  EXPECT_EQ(open(test::gzip_member(images), test::zstd_frame(labels))->hash(), hash);

  auto other = images;
  other.back() ^= std::byte{1};
  EXPECT_NE(open(other, labels)->hash(), hash) << "a pixel";
  other = labels;
  other.back() = std::byte{0};
  EXPECT_NE(open(images, other)->hash(), hash) << "a label";
  other = joined({idx_header(0x08, {20, 3, 2}), std::span(images).subspan(16)});
  EXPECT_NE(open(other, labels)->hash(), hash) << "the shape";
  other = joined({idx_header(0x09, {20, 2, 3}), std::span(images).subspan(16)});
  EXPECT_NE(open(other, labels)->hash(), hash) << "the type";
}

TEST_F(IdxDatasetTest, HashMayBeAskedForByManyThreads) {
  const auto data = open(small_images(200), small_labels(200, 7));
  std::vector<std::string> hashes(8);
  {
    std::vector<std::jthread> threads;
    threads.reserve(hashes.size());
    for (auto& hash : hashes) threads.emplace_back([&] { hash = data->hash(); });
  }
  for (const auto& hash : hashes) EXPECT_EQ(hash, hashes.front());
  EXPECT_EQ(hashes.front().size(), 32U);
}

TEST_F(IdxDatasetTest, NamesCountsThatDiffer) {
  EXPECT_EQ(error_of(small_images(20), small_labels(19, 7)),
            labels_.string() + ": byte 4: expected 20 labels, one for each image in " +
                images_.string() + ", found 19");
}

TEST_F(IdxDatasetTest, NamesAnEmptySet) {
  EXPECT_EQ(error_of(small_images(0), small_labels(0, 1)),
            images_.string() + ": byte 4: expected at least one sample, found none");
}

TEST_F(IdxDatasetTest, NamesSamplesWithoutElements) {
  EXPECT_EQ(
      error_of(idx_header(0x08, {3, 5, 0}), small_labels(3, 1)),
      images_.string() + ": byte 12: expected samples of at least one element, found 3x5x0 uint8");
}

TEST_F(IdxDatasetTest, NamesFilesThatAreSwapped) {
  EXPECT_EQ(error_of(small_labels(20, 7), small_images(20)),
            images_.string() + ": byte 3: expected samples, of rank 2 or more, found 20 uint8");
}

TEST_F(IdxDatasetTest, NamesLabelsOfTheWrongRank) {
  EXPECT_EQ(error_of(small_images(20), small_images(20)),
            labels_.string() + ": byte 3: expected labels, of rank 1, found 20x2x3 uint8");
}

TEST_F(IdxDatasetTest, NamesLabelsThatAreNoIntegers) {
  EXPECT_EQ(error_of(small_images(1), joined({idx_header(0x0d, {1}), make_bytes({0, 0, 0, 0})})),
            labels_.string() +
                ": byte 2: expected labels of an integer type, found float32 "
                "(numbers that are to be learnt: --task regression; of 0 and 1 for each label: "
                "--task multilabel)");
}

TEST_F(IdxDatasetTest, NamesALabelOutsideTheClasses) {
  EXPECT_EQ(error_of(small_images(20), small_labels(20, 7), 6),
            labels_.string() + ": byte 14: expected a label in [0, 6) for sample 6, found 6");
}

TEST_F(IdxDatasetTest, NamesANegativeLabel) {
  EXPECT_EQ(
      error_of(small_images(3), joined({idx_header(0x09, {3}), make_bytes({0, 1, 0xff})})),
      labels_.string() + ": byte 10: expected a label in [0, 1048576) for sample 2, found -1");
  EXPECT_EQ(
      error_of(small_images(2), joined({idx_header(0x0b, {2}), make_bytes({0, 0, 0x80, 0})})),
      labels_.string() + ": byte 10: expected a label in [0, 1048576) for sample 1, found -32768");
}

TEST_F(IdxDatasetTest, NamesAnAbsurdLabel) {
  EXPECT_EQ(
      error_of(small_images(2),
               joined({idx_header(0x0c, {2}), make_bytes({0, 0xf, 0xff, 0xff, 0, 0x10, 0, 0})})),
      labels_.string() + ": byte 12: expected a label in [0, 1048576) for sample 1, found 1048576");
}

}  // namespace
}  // namespace millrace
