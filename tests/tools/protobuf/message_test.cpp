#include "tools/protobuf/message.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/support/protobuf_reader.h"

namespace millrace {
namespace {

using namespace std::string_literals;

// The examples of the encoding's description.
TEST(ProtoMessage, WritesTheBytesOfTheSpecification) {
  ProtoMessage integer;
  integer.integer(1, 150);
  EXPECT_EQ(integer.bytes(), "\x08\x96\x01");
  ProtoMessage text;
  text.text(2, "testing");
  EXPECT_EQ(text.bytes(), "\x12\x07testing");
  ProtoMessage outer;
  outer.message(3, integer);
  EXPECT_EQ(outer.bytes(), "\x1a\x03\x08\x96\x01");
  ProtoMessage negative;
  negative.integer(1, -2);
  EXPECT_EQ(negative.bytes(), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(ProtoMessage, WritesRealNumbersInFourAndEightBytes) {
  ProtoMessage message;
  message.real(1, 1.0F);
  message.real(2, -2.0);
  EXPECT_EQ(message.bytes(), "\x0d\x00\x00\x80\x3f\x11\x00\x00\x00\x00\x00\x00\x00\xc0"s);
}

TEST(ProtoMessage, WritesHighFieldNumbersAndZeros) {
  ProtoMessage message;
  message.integer(20, 0);
  message.text(16, "");
  EXPECT_EQ(message.bytes(), "\xa0\x01\x00\x82\x01\x00"s);
}

TEST(ProtoMessage, IsReadBack) {
  const std::vector<double> values{0.5, -1e300, std::numeric_limits<double>::infinity()};
  ProtoMessage inner;
  inner.packed(7, values);
  inner.real(4, 0.1F);
  ProtoMessage message;
  message.integer(1, std::numeric_limits<std::int64_t>::max());
  message.integer(1, std::numeric_limits<std::int64_t>::min());
  message.message(2, inner);
  message.text(3, std::string(300, '\0'));
  const test::ProtoReader reader(message.bytes());
  const auto integers = reader.all(1);
  ASSERT_EQ(integers.size(), 2U);
  EXPECT_EQ(integers[0].value, 0x7fffffffffffffffULL);
  EXPECT_EQ(integers[1].value, 0x8000000000000000ULL);
  EXPECT_EQ(reader.message(2).packed(7), values);
  EXPECT_EQ(reader.message(2).real32(4), 0.1F);
  EXPECT_EQ(reader.text(3), std::string(300, '\0'));
}

}  // namespace
}  // namespace millrace
