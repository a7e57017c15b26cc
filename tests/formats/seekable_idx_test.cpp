#include "formats/seekable_idx.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "formats/compression.h"
#include "tests/support/files.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

using test::bytes_of;
using test::ByteVector;
using test::pixels;
using test::read_bytes;
using test::TempFolder;
using test::write_bytes;
using test::write_seekable;

TEST(SeekableIdx, IsReadAsTheFileItHolds) {
  const TempFolder folder;
  const auto content = write_seekable(folder / "a.zst", {1500, 28, 28});
  const auto plain = read_idx(write_bytes(folder / "a", content));
  const auto read = read_idx(folder / "a.zst");
  EXPECT_EQ(read.header(), plain.header());
  EXPECT_TRUE(std::ranges::equal(read.data(), plain.data()));
  EXPECT_EQ(read_idx_header(folder / "a.zst"), plain.header());
}

TEST(SeekableIdx, PutsWholeSamplesInEachFrame) {
  const TempFolder folder;
  const auto content = write_seekable(folder / "a.zst", {1000, 28, 28});
  const auto table = read_seek_table("a", read_bytes(folder / "a.zst")).value();
  ASSERT_EQ(table.frames().size(), 4U);  // header, 334, 334, 332
  EXPECT_EQ(table.frames()[0].content, 16U);
  EXPECT_EQ(table.frames()[1].content, 334U * 784);
  EXPECT_EQ(table.frames()[3].content, 332U * 784);
  EXPECT_EQ(table.content_size(), content.size());
}

TEST(SeekableIdx, TakesPiecesOfAnySizeAndSwapsBytes) {
  const TempFolder folder;
  std::vector<std::int32_t> values(200'000);
  std::iota(values.begin(), values.end(), -5);
  const IdxHeader header{DType::kInt32, {50'000, 4}};
  SeekableIdxWriter writer(folder / "a.zst", header);
  std::span<const std::byte> rest = bytes_of(values);
  for (std::size_t piece = 4; !rest.empty(); piece = piece * 3 % 100'004 / 4 * 4 + 4) {
    const auto some = rest.first(std::min(piece, rest.size()));
    writer.append(some);
    rest = rest.subspan(some.size());
  }
  writer.commit();
  EXPECT_TRUE(std::ranges::equal(read_idx(folder / "a.zst").data(), bytes_of(values)));
  write_idx(folder / "plain", header, bytes_of(values));
  auto decoded = EncodedFile(folder / "a.zst").peek(1'000'000);
  EXPECT_EQ(decoded, read_bytes(folder / "plain"));
}

TEST(SeekableIdx, WritesScalarsAndNothing) {
  const TempFolder folder;
  EXPECT_EQ(read_idx((write_seekable(folder / "a", {}), folder / "a")).elements(), 1U);
  EXPECT_EQ(read_idx((write_seekable(folder / "b", {0, 28}), folder / "b")).elements(), 0U);
  EXPECT_EQ(read_idx((write_seekable(folder / "c", {3, 500'000}), folder / "c")).elements(),
            1'500'000U);
}

TEST(SeekableIdx, CountsWhatComes) {
  const TempFolder folder;
  SeekableIdxWriter writer(folder / "a", {DType::kUInt8, {2, 3}});
  writer.append(pixels(4));
  EXPECT_THROW(writer.append(pixels(3)), std::invalid_argument);
  EXPECT_THROW(writer.commit(), std::logic_error);
  EXPECT_THROW(SeekableIdxWriter(folder / "b", {DType::kUInt8, {1, 0x40000001}}),
               std::invalid_argument);
  EXPECT_THROW(SeekableIdxWriter(folder / "b", {DType::kInt64, {1}}), std::invalid_argument);
}

TEST(SeekableIdx, IsWhatTheProgramZstdDecodes) {
  // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): the program itself is the referee
  if (std::system("zstd --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no program zstd";
  const TempFolder folder;
  const auto content = write_seekable(folder / "a.zst", {1000, 28, 28});
  const auto command = "zstd -q -d " + (folder / "a.zst").string();
  // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe)
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(read_bytes(folder / "a"), content);
}

}  // namespace
}  // namespace millrace
