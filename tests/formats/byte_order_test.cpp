#include "formats/byte_order.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstring>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::make_bytes;

TEST(ByteOrder, Loads16And32Bits) {
  EXPECT_EQ(load_big_endian16(make_bytes({0xfe, 0xdc}).data()), 0xfedcU);
  EXPECT_EQ(load_big_endian32(make_bytes({0x00, 0x00, 0x08, 0x03}).data()), 0x803U);
  EXPECT_EQ(load_big_endian32(make_bytes({0xfe, 0xdc, 0xba, 0x98}).data()), 0xfedcba98U);
}

TEST(ByteOrder, Stores32Bits) {
  ByteVector bytes(4);
  store_big_endian32(0xfedcba98U, bytes.data());
  EXPECT_EQ(bytes, make_bytes({0xfe, 0xdc, 0xba, 0x98}));
}

template <typename T>
T converted(const ByteVector& stored) {
  ByteVector host(stored.size());
  convert_big_endian(stored, host, sizeof(T));
  T value;
  std::memcpy(&value, host.data(), sizeof(T));
  return value;
}

TEST(ByteOrder, ConvertsEachWidth) {
  EXPECT_EQ(converted<std::uint8_t>(make_bytes({0xab})), 0xab);
  EXPECT_EQ(converted<std::int16_t>(make_bytes({0xff, 0xfe})), -2);
  EXPECT_EQ(converted<std::int32_t>(make_bytes({0x12, 0x34, 0x56, 0x78})), 0x12345678);
  EXPECT_EQ(converted<float>(make_bytes({0x3f, 0x80, 0, 0})), 1.0F);
  EXPECT_EQ(converted<double>(make_bytes({0xc0, 0x04, 0, 0, 0, 0, 0, 0})), -2.5);
}

TEST(ByteOrder, ConvertsInPlaceAndBack) {
  for (const std::size_t width : {1U, 2U, 4U, 8U}) {
    // Not a multiple of any vector width, so that loops with a tail run it.
    ByteVector original(width * 37);
    for (std::size_t i = 0; i < original.size(); ++i)
      original[i] = static_cast<std::byte>(3 * i + 1);
    auto bytes = original;
    convert_big_endian(bytes, bytes, width);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const auto within = i % width;
      const bool swapped = std::endian::native == std::endian::little;
      ASSERT_EQ(bytes[i], original[swapped ? i - within + (width - 1 - within) : i])
          << width << ' ' << i;
    }
    convert_big_endian(bytes, bytes, width);
    EXPECT_EQ(bytes, original) << width;
  }
}

TEST(ByteOrder, NothingIsFine) { convert_big_endian({}, {}, 4); }

}  // namespace
}  // namespace millrace
