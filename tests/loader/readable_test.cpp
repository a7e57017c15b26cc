#include "loader/readable.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <vector>

#include "formats/file_stamp.h"
#include "formats/image_folder.h"
#include "tests/support/fake_dataset.h"
#include "tests/support/faulty_dataset.h"
#include "tests/support/files.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

using testing::FakeDataset;

struct Read {
  explicit Read(const Dataset& data, std::vector<std::uint64_t> from)
      : ids(std::move(from)),
        samples(ids.size() * data.sample_bytes(), std::byte{7}),
        labels(ids.size(), 7) {
    bad = read_readable(data, ids, samples, labels);
  }
  std::vector<std::uint64_t> ids;
  std::vector<std::byte> samples;
  std::vector<std::int32_t> labels;
  std::vector<BadPlace> bad;
};

TEST(ReadReadable, IsOneReadWhileNothingIsBad) {
  const FakeDataset data(20, 3);
  const Read read(data, {4, 19, 0});
  EXPECT_TRUE(read.bad.empty());
  EXPECT_EQ(data.reads(), 1U);
  EXPECT_EQ(read.labels, (std::vector<std::int32_t>{4, 19, 0}));
}

TEST(ReadReadable, ListsWhatIsBadAndReadsTheRest) {
  FakeDataset data(20, 3);
  data.fail_at(19);
  data.fail_at(4);
  const Read read(data, {19, 5, 4, 0, 4});
  EXPECT_EQ(read.labels, (std::vector<std::int32_t>{0, 5, 0, 0, 0}));
  ASSERT_EQ(read.bad.size(), 3U);
  EXPECT_EQ(read.bad[0].place, 0U);
  EXPECT_EQ(read.bad[0].sample.id, 19U);
  EXPECT_EQ(read.bad[0].sample.reason, "fake.bin: sample 19 is broken");
  EXPECT_EQ(read.bad[0].sample.file, "fake.bin");
  EXPECT_FALSE(read.bad[0].sample.offset);
  EXPECT_EQ(read.bad[1].place, 2U);
  EXPECT_EQ(read.bad[2].place, 4U);
  for (std::size_t i = 0; i < read.ids.size(); ++i) {
    for (std::size_t k = 0; k < 3; ++k) {
      const auto expected = read.ids[i] == 19 || read.ids[i] == 4
                                ? std::byte{0}
                                : FakeDataset::expected_byte(read.ids[i], k);
      EXPECT_EQ(read.samples[i * 3 + k], expected) << i;
    }
  }
}

TEST(ReadReadable, ThrowsWhatIsNoDataError) {
  FakeDataset data(20, 3);
  data.fail_at(4);
  EXPECT_THROW(Read(data, {4, 20}), std::out_of_range);
}

TEST(ReadReadable, TakesAFileThatWasAnotherOneBeforeForNoBadSample) {
  namespace fs = std::filesystem;
  const test::TempFolder folder;
  fs::create_directory(folder / "a");
  const auto image = test::write_bytes(folder / "a" / "1.pgm", test::make_bytes("P5 1 1 255\nx"));
  test::write_bytes(folder / "a" / "2.pgm", test::make_bytes("P5 1 1 255\n"));
  const ImageFolder data(folder.path());
  EXPECT_EQ(Read(data, {0, 1}).bad.size(), 1U);
  const auto hash = hash_readable(data);
  EXPECT_EQ(hash_readable(data), hash);
  fs::last_write_time(image, fs::last_write_time(image) + std::chrono::seconds(1));
  EXPECT_THROW(Read(data, {0, 1}), ChangedFile);
  EXPECT_THROW(hash_readable(data), ChangedFile);
  EXPECT_EQ(Read(data, {1}).bad.size(), 1U);
}

TEST(HashReadable, IsTheHashOfWhatIsWhole) {
  const auto whole = test::memory_dataset({.size = 100});
  EXPECT_EQ(hash_readable(*whole), whole->hash());
  const auto stored = test::SeekableSet(300);
  EXPECT_EQ(hash_readable_now(*stored.open()), stored.open()->hash());
}

TEST(HashReadable, KnowsWhichSamplesAreBad) {
  const auto whole = test::memory_dataset({.size = 100});
  const auto other = test::memory_dataset({.size = 100, .seed = 9});
  const auto hash = [](auto data, std::set<std::uint64_t> bad) {
    return hash_readable(test::FaultyDataset(data, std::move(bad)));
  };
  const auto expected = hash(whole, {3, 70});
  EXPECT_EQ(hash(whole, {3, 70}), expected);
  EXPECT_NE(hash(whole, {3}), expected);
  EXPECT_NE(hash(whole, {3, 71}), expected);
  EXPECT_NE(hash(other, {3, 70}), expected);
  EXPECT_NE(whole->hash(), expected);
}

}  // namespace
}  // namespace millrace
