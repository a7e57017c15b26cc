#include "formats/seekable_writer.h"

#include <gtest/gtest.h>
#include <xxhash.h>

#include "formats/compression.h"
#include "tests/support/compressed.h"
#include "tests/support/files.h"
#include "tests/support/limits.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::pixels;
using test::read_bytes;
using test::TempFolder;

ByteVector written(const std::filesystem::path& path, SeekableOptions options) {
  SeekableWriter writer(path, options);
  for (std::uint32_t i = 0; i < 50; ++i) writer.append(pixels(5000 + 100 * i, i));
  writer.commit();
  return read_bytes(path);
}

TEST(SeekableWriter, WritesTheSameFileWithAnyNumberOfThreads) {
  const TempFolder folder;
  const auto one = written(folder / "a", {.level = 3, .threads = 1});
  EXPECT_EQ(written(folder / "b", {.level = 3, .threads = 7}), one);
  EXPECT_EQ(written(folder / "c", {.level = 3, .threads = 0}), one);
  EXPECT_LT(written(folder / "d", {.level = 19, .threads = 2}).size(), one.size());
}

TEST(SeekableWriter, WritesFramesThatStandAlone) {
  const TempFolder folder;
  const auto file = written(folder / "a", {});
  const auto table = read_seek_table("a", file).value();
  ASSERT_EQ(table.frames().size(), 50U);
  for (std::uint32_t i = 0; i < 50; ++i) {
    const auto content = pixels(5000 + 100 * i, i);
    const auto& frame = table.frames()[i];
    EXPECT_EQ(frame.checksum, static_cast<std::uint32_t>(XXH64(content.data(), content.size(), 0)));
    ByteVector out(content.size());
    // libzstd alone: the frame holds its size and its checksum itself.
    EXPECT_EQ(ZSTD_getFrameContentSize(&file[frame.stored_at], frame.stored), content.size());
    EXPECT_EQ(ZSTD_decompress(out.data(), out.size(), &file[frame.stored_at], frame.stored),
              content.size());
    EXPECT_EQ(out, content);
  }
}

TEST(SeekableWriter, TellsItsTable) {
  const TempFolder folder;
  SeekableWriter writer(folder / "a");
  writer.append(pixels(10));
  writer.append(pixels(20));
  writer.commit();
  EXPECT_EQ(writer.table().frames(), read_seek_table("a", read_bytes(folder / "a"))->frames());
}

TEST(SeekableWriter, LeavesNothingUnlessItIsCommitted) {
  const TempFolder folder;
  {
    SeekableWriter writer(folder / "a");
    for (int i = 0; i < 20; ++i) writer.append(pixels(100'000));
  }
  EXPECT_TRUE(folder.names().empty());
  SeekableWriter empty(folder / "b");
  empty.commit();
  EXPECT_TRUE(read_seek_table("b", read_bytes(folder / "b"))->frames().empty());
}

TEST(SeekableWriter, FinishLeavesOnlyTheNameToCommit) {
  const TempFolder folder;
  SeekableWriter writer(folder / "a");
  writer.append(pixels(10));
  writer.finish();
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
  EXPECT_EQ(writer.table().frames().size(), 1U);
  EXPECT_THROW(writer.append(pixels(10)), std::logic_error);
  const test::FileSizeLimit limit(0);  // nothing is left to be written
  writer.commit();
  EXPECT_EQ(read_seek_table("a", read_bytes(folder / "a"))->frames(), writer.table().frames());
}

TEST(SeekableWriter, RefusesWhatNoFrameHolds) {
  const TempFolder folder;
  SeekableWriter writer(folder / "a");
  EXPECT_THROW(writer.append({}), std::invalid_argument);
  EXPECT_THROW(SeekableWriter(folder / "b", {.level = 23}), std::invalid_argument);
  EXPECT_THROW(SeekableWriter(folder / "none" / "b"), DataError);
}

}  // namespace
}  // namespace millrace
