#include "formats/little_endian.h"

#include <gtest/gtest.h>

#include "tests/support/files.h"

namespace millrace {
namespace {

TEST(LittleEndian, PutsTheLowestByteFirst) {
  const auto bytes = test::make_bytes({9, 0x78, 0x56, 0x34, 0xf2});
  EXPECT_EQ(load_little_endian32(&bytes[1]), 0xf2345678U);
  EXPECT_EQ(load_little_endian16(&bytes[1]), 0x5678U);
  const auto eight = test::make_bytes({8, 7, 6, 5, 4, 3, 2, 0xf1});
  EXPECT_EQ(load_little_endian64(eight.data()), 0xf102030405060708U);
  test::ByteVector written(5);
  store_little_endian32(0xf2345678U, &written[1]);
  written[0] = std::byte{9};
  EXPECT_EQ(written, bytes);
}

}  // namespace
}  // namespace millrace
