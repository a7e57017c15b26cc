#include "formats/text.h"

#include <gtest/gtest.h>

#include "tests/support/files.h"

namespace millrace {
namespace {

TEST(Text, IsThatOfBytes) {
  const auto bytes = test::make_bytes({'a', 0, 0xff});
  EXPECT_EQ(text_of(bytes), std::string_view("a\0\xff", 3));
  EXPECT_EQ(text_of({}), "");
}

TEST(Text, HasSmallLettersForAsciiAlone) {
  std::string text = "@AZ[`az{\xc4";
  for (char& c : text) c = lower(c);
  EXPECT_EQ(text, "@az[`az{\xc4");
}

TEST(Text, LosesAByteOrderMarkInFrontAlone) {
  EXPECT_EQ(without_byte_order_mark("\xef\xbb\xbfx\xef\xbb\xbf"), "x\xef\xbb\xbf");
  EXPECT_EQ(without_byte_order_mark("\xef\xbb"), "\xef\xbb");
}

}  // namespace
}  // namespace millrace
