#include "formats/cifar.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "formats/folder.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using test::ByteVector;
using test::data_error_of;

constexpr std::size_t kSample = 3072;

// What channel c of pixel p of a sample holds that was made from `seed`.
std::byte value(int seed, std::size_t channel, std::size_t pixel) {
  return static_cast<std::byte>((static_cast<std::size_t>(seed) * 31 + channel * 100 + pixel) %
                                251);
}

// One record as the format's page describes it.
ByteVector record(std::initializer_list<int> labels, int seed) {
  ByteVector bytes = test::make_bytes(labels);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t p = 0; p < 1024; ++p) bytes.push_back(value(seed, c, p));
  }
  return bytes;
}

class CifarTest : public testing::Test {
 protected:
  fs::path add(const std::string& name, const ByteVector& bytes) const {
    return test::write_bytes(folder_ / name, bytes);
  }
  test::TempFolder folder_;
};

TEST_F(CifarTest, ReadsBatchesInOrder) {
  add("data_batch_2.bin", record({9}, 3));
  add("data_batch_1.bin", test::joined({record({4}, 1), record({0}, 2)}));
  add("test_batch.bin", record({7}, 4));
  const auto opened = open_folder(folder_.path());
  const Dataset& data = *opened.train;
  EXPECT_EQ(data.size(), 3U);
  EXPECT_EQ(data.classes(), 10U);
  EXPECT_EQ(data.shape(), (SampleShape{{32, 32, 3}}));
  ASSERT_TRUE(opened.test);
  EXPECT_EQ(opened.test->size(), 1U);

  ByteVector samples(2 * kSample);
  std::vector<std::int32_t> labels(2);
  const std::vector<std::uint64_t> ids{2, 0};
  data.read(ids, samples, labels);
  EXPECT_EQ(labels, (std::vector<std::int32_t>{9, 4}));
  for (std::size_t p = 0; p < 1024; ++p) {
    for (std::size_t c = 0; c < 3; ++c) {
      ASSERT_EQ(samples[p * 3 + c], value(3, c, p)) << p << ' ' << c;
      ASSERT_EQ(samples[kSample + p * 3 + c], value(1, c, p)) << p << ' ' << c;
    }
  }
  EXPECT_EQ(data.contiguous().samples.size(), 3 * kSample);
  EXPECT_EQ(data.contiguous().labels[1], 0);
  EXPECT_NE(opened.description.find("3 training and 1 test samples, 32x32x3 uint8, 10 classes"),
            std::string::npos)
      << opened.description;
}

TEST_F(CifarTest, TakesTheFineLabelsOfCifar100) {
  add("train.bin", test::joined({record({3, 99}, 1), record({19, 0}, 2)}));
  const auto opened = open_folder(folder_.path());
  EXPECT_EQ(opened.train->classes(), 100U);
  EXPECT_EQ(opened.train->contiguous().labels[0], 99);
  EXPECT_EQ(opened.train->contiguous().samples[4], value(1, 1, 1));
  EXPECT_FALSE(opened.test);
}

TEST_F(CifarTest, NamesTheRecordThatIsCut) {
  auto bytes = test::joined({record({1}, 1), record({2}, 2)});
  bytes.resize(bytes.size() - 10);
  const auto file = add("data_batch_1.bin", bytes);
  EXPECT_EQ(data_error_of([&] { (void)open_folder(folder_.path()); }),
            file.string() +
                ": byte 3073: expected records of 3073 bytes, found 3063 bytes after 1 records");
  add("data_batch_1.bin", {});
  EXPECT_NE(data_error_of([&] { (void)open_folder(folder_.path()); }).find("an empty file"),
            std::string::npos);
}

TEST_F(CifarTest, NamesTheLabelThatIsTooLarge) {
  const auto file = add("data_batch_1.bin", test::joined({record({1}, 1), record({10}, 2)}));
  EXPECT_EQ(data_error_of([&] { (void)open_folder(folder_.path()); }),
            file.string() + ": byte 3073: expected a label below 10, found 10");
  const auto fine = add("train.bin", record({1, 100}, 1));
  EXPECT_EQ(data_error_of([&] { const CifarDataset data(CifarKind::kCifar100, {fine}); }),
            fine.string() + ": byte 1: expected a label below 100, found 100");
}

TEST_F(CifarTest, RefusesGapsAndMixtures) {
  add("data_batch_1.bin", record({1}, 1));
  add("data_batch_3.bin", record({1}, 1));
  EXPECT_NE(data_error_of([&] {
              (void)open_folder(folder_.path());
            }).find("expected data_batch_2.bin before data_batch_3.bin, found none"),
            std::string::npos);
  fs::remove(folder_ / "data_batch_3.bin");
  add("train.bin", record({1, 1}, 1));
  EXPECT_NE(data_error_of([&] {
              (void)open_folder(folder_.path());
            }).find("CIFAR-10 (data_batch_1.bin) and CIFAR-100 (train.bin)"),
            std::string::npos);
}

TEST_F(CifarTest, IsNotThereWithoutTrainingFiles) {
  add("test_batch.bin", record({1}, 1));
  EXPECT_FALSE(find_cifar_files(folder_.path()));
}

TEST_F(CifarTest, ChecksRoomAndIds) {
  const CifarDataset data(CifarKind::kCifar10, {add("data_batch_1.bin", record({1}, 1))});
  ByteVector sample(kSample);
  std::vector<std::int32_t> label(1);
  const std::vector<std::uint64_t> beyond{1};
  const std::vector<std::uint64_t> first{0};
  EXPECT_THROW(data.read(beyond, sample, label), std::out_of_range);
  EXPECT_THROW(data.read(first, std::span(sample).first(3), label), std::invalid_argument);
  EXPECT_THROW(CifarDataset(CifarKind::kCifar10, {}), std::invalid_argument);
}

TEST_F(CifarTest, HashIsOfTheContentHoweverItIsCut) {
  const auto one = add("one.bin", test::joined({record({1}, 1), record({2}, 2)}));
  const auto first = add("first.bin", record({1}, 1));
  const auto second = add("second.bin", record({2}, 2));
  const auto hash = CifarDataset(CifarKind::kCifar10, {one}).hash();
  EXPECT_EQ(hash.size(), 32U);
  EXPECT_EQ(CifarDataset(CifarKind::kCifar10, {first, second}).hash(), hash);
  EXPECT_NE(CifarDataset(CifarKind::kCifar10, {second, first}).hash(), hash);
}

}  // namespace
}  // namespace millrace
