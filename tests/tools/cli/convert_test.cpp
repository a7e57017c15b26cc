#include "tools/cli/convert.h"

#include <gtest/gtest.h>

#include "formats/compression.h"
#include "formats/folder.h"
#include "formats/idx.h"
#include "formats/seek_table.h"
#include "tests/support/compressed.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::read_bytes;
using test::TempFolder;
using test::write_bytes;

const auto kGoOn = [](std::uint64_t, std::uint64_t) { return true; };

ByteVector content_of(const std::filesystem::path& path) {
  auto bytes = EncodedFile(path).peek(10'000'000);
  return bytes;
}

/// Training images plain, test images .gz, training labels of 32 bits.
class ConvertTest : public testing::Test {
 protected:
  ConvertTest() {
    std::filesystem::create_directory(in_);
    const IdxHeader images{DType::kUInt8, {900, 28, 28}};
    write_idx(in_ / "train-images-idx3-ubyte", images, test::pixels(900 * 784));
    write_idx(in_ / "t10k-images-idx3-ubyte.gz", {DType::kUInt8, {100, 28, 28}},
              test::pixels(78'400, 9));
    std::vector<std::int32_t> labels(900);
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % 10);
    write_idx(in_ / "train-labels-idx1-int", {DType::kInt32, {900}}, test::bytes_of(labels));
    write_bytes(in_ / "t10k-labels-idx1-ubyte.zst", test::zstd_frame(test::small_labels(100, 10)));
  }
  ConvertSpec spec(StoredAs to, const std::string& out = "out") const {
    ConvertSpec spec;
    spec.in = in_;
    spec.out = folder_ / out;
    spec.to = to;
    return spec;
  }
  void expect_same(const std::filesystem::path& out, const std::string& end) const {
    EXPECT_EQ(content_of(out / ("train-images-idx3-ubyte" + end)),
              content_of(in_ / "train-images-idx3-ubyte"));
    EXPECT_EQ(content_of(out / ("train-labels-idx1-int" + end)),
              content_of(in_ / "train-labels-idx1-int"));
    EXPECT_EQ(content_of(out / ("t10k-images-idx3-ubyte" + end)),
              content_of(in_ / "t10k-images-idx3-ubyte.gz"));
    EXPECT_EQ(content_of(out / ("t10k-labels-idx1-ubyte" + end)),
              content_of(in_ / "t10k-labels-idx1-ubyte.zst"));
    const auto before = open_folder(in_);
    const auto after = open_folder(out);
    EXPECT_EQ(after.train->hash(), before.train->hash());
    EXPECT_EQ(after.test->hash(), before.test->hash());
  }

  TempFolder folder_;
  std::filesystem::path in_ = folder_ / "in";
};

TEST_F(ConvertTest, KeepsEveryByteInEveryForm) {
  for (const auto to : {StoredAs::kSeekable, StoredAs::kGzip, StoredAs::kPlain}) {
    const std::string name(name_of(to));
    const auto files = convert(spec(to, name), kGoOn);
    ASSERT_EQ(files.size(), 4U);
    expect_same(folder_ / name, to == StoredAs::kPlain ? "" : "." + name);
    // And from there on to each of the others.
    for (const auto next : {StoredAs::kSeekable, StoredAs::kGzip, StoredAs::kPlain}) {
      auto again = spec(next, name + "-" + std::string(name_of(next)));
      again.in = folder_ / name;
      convert(again, kGoOn);
      expect_same(again.out, next == StoredAs::kPlain ? "" : "." + std::string(name_of(next)));
    }
  }
}

TEST_F(ConvertTest, WritesSeekableFilesAndTellsTheirSizes) {
  const auto files = convert(spec(StoredAs::kSeekable), kGoOn);
  const auto& images = files[2];
  EXPECT_EQ(images.to.filename(), "train-images-idx3-ubyte.zst");
  EXPECT_EQ(images.content, 900U * 784 + 16);
  EXPECT_EQ(images.stored_before, images.content);
  const auto file = read_bytes(images.to);
  EXPECT_EQ(images.stored, file.size());
  const auto table = read_seek_table(images.to, file);
  ASSERT_TRUE(table);
  EXPECT_EQ(images.frames, table->frames().size());
  EXPECT_EQ(images.frames, 4U);
}

TEST_F(ConvertTest, TakesLevelsAndThreads) {
  auto low = spec(StoredAs::kSeekable, "low");
  low.level = 1;
  low.jobs = 3;
  auto high = spec(StoredAs::kSeekable, "high");
  high.level = 19;
  EXPECT_GT(convert(low, kGoOn)[2].stored, convert(high, kGoOn)[2].stored);
  auto gzip = spec(StoredAs::kGzip, "gz1");
  gzip.level = 1;
  auto best = spec(StoredAs::kGzip, "gz12");
  best.level = 12;
  EXPECT_GT(convert(gzip, kGoOn)[2].stored, convert(best, kGoOn)[2].stored);
  best.level = 13;
  EXPECT_THROW(convert(best, kGoOn), std::invalid_argument);
  auto plain = spec(StoredAs::kPlain);
  plain.level = 3;
  EXPECT_THROW(convert(plain, kGoOn), std::invalid_argument);
}

TEST_F(ConvertTest, OverwritesOnlyByForce) {
  convert(spec(StoredAs::kSeekable), kGoOn);
  const auto path = folder_ / "out" / "t10k-images-idx3-ubyte.zst";
  const auto before = read_bytes(path);
  auto again = spec(StoredAs::kSeekable);
  again.level = 19;
  EXPECT_NE(data_error_of([&] { convert(again, kGoOn); }).find("is there already; --force"),
            std::string::npos);
  EXPECT_EQ(read_bytes(path), before);
  again.force = true;
  convert(again, kGoOn);
  EXPECT_NE(read_bytes(path), before);
  // A form that would hide or be hidden is never written beside it.
  EXPECT_NE(data_error_of([&] {
              auto gzip = spec(StoredAs::kGzip);
              gzip.force = true;
              convert(gzip, kGoOn);
            }).find("would hold too; remove one of them"),
            std::string::npos);
}

TEST_F(ConvertTest, ConvertsInPlace) {
  auto place = spec(StoredAs::kSeekable);
  place.out = in_;
  place.force = true;
  const auto hash = open_folder(in_).test->hash();
  EXPECT_EQ(convert(place, kGoOn).size(), 4U);
  std::filesystem::remove(in_ / "t10k-images-idx3-ubyte.gz");
  EXPECT_EQ(open_folder(in_).test->hash(), hash);
}

TEST_F(ConvertTest, TakesOneFile) {
  auto one = spec(StoredAs::kSeekable);
  one.in = in_ / "t10k-images-idx3-ubyte.gz";
  EXPECT_EQ(convert(one, kGoOn).size(), 1U);
  EXPECT_EQ(content_of(folder_ / "out" / "t10k-images-idx3-ubyte.zst"), content_of(one.in));
}

TEST_F(ConvertTest, LeavesNothingWhenItIsStoppedOrFails) {
  std::filesystem::create_directory(folder_ / "out");
  int calls = 0;
  EXPECT_TRUE(convert(spec(StoredAs::kSeekable), [&](auto, auto) { return ++calls < 3; }).empty());
  EXPECT_EQ(calls, 3);
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "out"));

  auto broken = read_bytes(in_ / "t10k-labels-idx1-ubyte.zst");
  broken.back() ^= std::byte{1};
  write_bytes(in_ / "t10k-labels-idx1-ubyte.zst", broken);
  EXPECT_NE(data_error_of([&] { convert(spec(StoredAs::kSeekable), kGoOn); }).find("broken zstd"),
            std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "out"));
}

TEST_F(ConvertTest, SaysWhatItLookedFor) {
  auto wrong = spec(StoredAs::kSeekable);
  wrong.in = folder_ / "nothing";
  EXPECT_NE(data_error_of([&] { convert(wrong, kGoOn); }).find("nothing: cannot open"),
            std::string::npos);
  wrong.in = write_bytes(folder_ / "file", test::make_bytes("x"));
  EXPECT_NE(data_error_of([&] { convert(wrong, kGoOn); }).find("an IDX file named like"),
            std::string::npos);
}

TEST_F(ConvertTest, TellsProgressUpToTheEnd) {
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  convert(spec(StoredAs::kSeekable), [&](std::uint64_t done, std::uint64_t all) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
    return true;
  });
  EXPECT_EQ(last, total);
  EXPECT_EQ(total, 900U * 784 + 16 + 100 * 784 + 16 + 900 * 4 + 8 + 100 + 8);
}

}  // namespace
}  // namespace millrace
