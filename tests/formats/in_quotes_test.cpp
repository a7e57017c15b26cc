#include "formats/in_quotes.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(InQuotes, ShowsAnyBytesOnOneLine) {
  EXPECT_EQ(in_quotes(""), "\"\"");
  EXPECT_EQ(in_quotes("a b~"), "\"a b~\"");
  EXPECT_EQ(in_quotes("\"\\"), "\"\\\"\\\\\"");
  EXPECT_EQ(in_quotes(std::string_view("\n\r\t\0\x1b[2J\x7f\xff", 10)),
            "\"\\n\\r\\t\\x00\\x1b[2J\\x7f\\xff\"");
}

TEST(InQuotes, CutsLongTexts) {
  EXPECT_EQ(in_quotes(std::string(60, 'x')), '"' + std::string(60, 'x') + '"');
  EXPECT_EQ(in_quotes(std::string(61, 'x')), '"' + std::string(60, 'x') + "…\"");
}

TEST(InQuotes, NameMembersOfFiles) {
  EXPECT_EQ(name_within("a.tar", "x/0.png"), "a.tar/x/0.png");
  EXPECT_EQ(name_within("a.tar", "x\n"), "a.tar/\"x\\n\"");
}

}  // namespace
}  // namespace millrace
