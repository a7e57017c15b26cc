#include "formats/seek_table.h"

#include <gtest/gtest.h>

#include "formats/little_endian.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::joined;
using test::make_bytes;

SeekTable small_table(bool checksums = true) {
  SeekTable table(checksums);
  table.add(20, 16, 0x01020304);
  table.add(8, 0, 0);
  table.add(100, 5000, 0xfffefdfc);
  return table;
}

/// Frames of which only the sizes matter, and the table.
ByteVector file_with(const SeekTable& table) {
  return joined({ByteVector(table.stored_size()), table.encode()});
}

std::string error_of(const ByteVector& file) {
  return data_error_of([&] { read_seek_table("f", file); });
}

std::string broken(const std::string& rest) { return "f: broken seek table: byte " + rest; }

TEST(SeekTable, IsWrittenAsThePublishedFormatSays) {
  SeekTable table;
  table.add(0x14, 0x10, 0x01020304);
  EXPECT_EQ(table.encode(),
            make_bytes({0x5e, 0x2a, 0x4d, 0x18, 21, 0, 0, 0, 0x14, 0,    0,    0,    0x10, 0,   0,
                        0,    4,    3,    2,    1,  1, 0, 0, 0,    0x80, 0xb1, 0xea, 0x92, 0x8f}));
  SeekTable bare(false);
  bare.add(0x14, 0x10, 0x01020304);
  EXPECT_EQ(bare.encode(),
            make_bytes({0x5e, 0x2a, 0x4d, 0x18, 17, 0, 0, 0, 0x14, 0,    0,    0,   0x10,
                        0,    0,    0,    1,    0,  0, 0, 0, 0xb1, 0xea, 0x92, 0x8f}));
}

TEST(SeekTable, IsReadBack) {
  for (const bool checksums : {true, false}) {
    const auto table = small_table(checksums);
    const auto found = read_seek_table("f", file_with(table));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->frames(), table.frames());
    EXPECT_EQ(found->has_checksums(), checksums);
    EXPECT_EQ(found->stored_size(), 128U);
    EXPECT_EQ(found->content_size(), 5016U);
    EXPECT_EQ(found->frames()[2], (SeekFrame{28, 16, 100, 5000, checksums ? 0xfffefdfcU : 0U}));
  }
  EXPECT_TRUE(read_seek_table("f", SeekTable().encode())->frames().empty());
}

TEST(SeekTable, FindsTheFrameOfAByte) {
  const auto table = small_table();
  EXPECT_EQ(table.frame_holding(0), 0U);
  EXPECT_EQ(table.frame_holding(15), 0U);
  EXPECT_EQ(table.frame_holding(16), 2U);
  EXPECT_EQ(table.frame_holding(5015), 2U);
}

TEST(SeekTable, IsNotThereInOtherFiles) {
  EXPECT_FALSE(read_seek_table("f", {}));
  EXPECT_FALSE(read_seek_table("f", make_bytes({0xb1, 0xea, 0x92, 0x8f})));
  auto file = file_with(small_table());
  file.pop_back();
  EXPECT_FALSE(read_seek_table("f", file));
}

TEST(SeekTable, RefusesWhatDoesNotAddUp) {
  const auto file = file_with(small_table());  // 128 bytes of frames, 8 + 36 + 9 of table
  const auto with = [&](std::size_t at, std::uint32_t value) {
    auto changed = file;
    store_little_endian32(value, &changed[at]);
    return changed;
  };
  EXPECT_EQ(error_of(with(172, 0xffffffff)),
            broken("172 of the compressed file: expected at most 13 frames in a file of 181 bytes, "
                   "found 4294967295"));
  EXPECT_EQ(error_of(with(172, 2)),
            broken("140 of the compressed file: expected the skippable frame 184d2a5e of 2 frames, "
                   "found 00000010"));
  EXPECT_EQ(error_of(with(132, 44)),
            broken("132 of the compressed file: expected a table of 45 bytes, found 44"));
  EXPECT_EQ(error_of(with(136, 19)),
            broken("128 of the compressed file: expected the table behind 3 frames of 127 bytes, "
                   "found it 1 bytes later"));
  EXPECT_EQ(error_of(with(136, 0)),
            broken("136 of the compressed file: expected frame 0 to have 8 to 128 bytes in the "
                   "file, found 0"));
  EXPECT_EQ(error_of(with(160, 101)),
            broken("160 of the compressed file: expected frame 2 to have 8 to 100 bytes in the "
                   "file, found 101"));
  EXPECT_EQ(
      error_of(with(140, 0xffffffff)),
      broken("140 of the compressed file: expected at most 655360 bytes of content in frame 0 "
             "of 20 bytes, found 4294967295"));
  auto reserved = file;
  reserved[176] |= std::byte{0x04};
  EXPECT_EQ(error_of(reserved),
            broken("176 of the compressed file: expected a descriptor whose reserved bits are 0, "
                   "found 84"));
}

TEST(SeekTable, RefusesAFrameThatClaimsMoreThanOneGibibyte) {
  SeekTable table;
  table.add(40'000, 0x40000001, 0);
  EXPECT_NE(error_of(file_with(table)).find("at most 1073741824 bytes of content in frame 0"),
            std::string::npos);
}

}  // namespace
}  // namespace millrace
