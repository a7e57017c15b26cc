#include "formats/little_endian.h"

#include <gtest/gtest.h>

#include "tests/support/files.h"

namespace millrace {
namespace {

TEST(LittleEndian, PutsTheLowestByteFirst) {
  const auto bytes = test::make_bytes({9, 0x78, 0x56, 0x34, 0xf2});
  EXPECT_EQ(load_little_endian32(&bytes[1]), 0xf2345678U);
  test::ByteVector written(5);
  store_little_endian32(0xf2345678U, &written[1]);
  written[0] = std::byte{9};
  EXPECT_EQ(written, bytes);
}

}  // namespace
}  // namespace millrace
