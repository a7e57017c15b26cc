#include "tools/console/numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

using test::usage_error_of;
using Widths = std::vector<std::uint32_t>;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(ParseWhole, TakesTheWholeRange) {
  EXPECT_EQ(parse_whole("0", 0, 9), 0U);
  EXPECT_EQ(parse_whole("9", 0, 9), 9U);
  EXPECT_EQ(parse_whole("+7", 0, 9), 7U);
  EXPECT_EQ(parse_whole("18446744073709551615", 0, kMax), kMax);
}

TEST(ParseWhole, RefusesAllElse) {
  for (const char* text : {"", "0", "11", "-1", "1.5", "1e1", "1x", " 1", "1 ", "0x1", "nan", "--1",
                           "18446744073709551616", "99999999999999999999999"}) {
    EXPECT_NE(usage_error_of([&] { parse_whole(text, 1, 10); }), "") << text;
  }
  EXPECT_EQ(usage_error_of([] { parse_whole("0", 1, 10); }),
            "expected a whole number from 1 to 10, found 0");
  EXPECT_EQ(usage_error_of([] { parse_whole("many", 0, kMax); }),
            "expected a whole number below 2^64, found 'many'");
}

TEST(ParseWholeOrAuto, MapsAutoToZeroAndRefusesZero) {
  EXPECT_EQ(parse_whole_or_auto("auto", 8), 0U);
  EXPECT_EQ(parse_whole_or_auto("8", 8), 8U);
  EXPECT_EQ(usage_error_of([] { parse_whole_or_auto("0", 8); }),
            "expected auto or a whole number from 1 to 8, found 0");
  EXPECT_NE(usage_error_of([] { parse_whole_or_auto("9", 8); }), "");
}

TEST(ParseRate, TakesFiniteNumbersOfAtLeastZero) {
  EXPECT_EQ(parse_rate("0"), 0.0F);
  EXPECT_EQ(parse_rate("0.1"), 0.1F);
  EXPECT_EQ(parse_rate(".5"), 0.5F);
  EXPECT_EQ(parse_rate("+1e-3"), 1e-3F);
  EXPECT_EQ(parse_rate("3.4e38"), 3.4e38F);
  EXPECT_FALSE(std::signbit(parse_rate("-0")));
  EXPECT_EQ(parse_double_rate("0.1"), 0.1);
  EXPECT_EQ(parse_double_rate("1e300"), 1e300);
}

TEST(ParseRate, RefusesAllElse) {
  for (const char* text : {"", "-0.1", "-1e-3", "nan", "inf", "-inf", "1e39", "0,1", "1/2", "x"}) {
    EXPECT_NE(usage_error_of([&] { parse_rate(text); }), "") << text;
  }
  EXPECT_EQ(usage_error_of([] { parse_rate("-1"); }),
            "expected a finite number of at least 0, found -1");
  EXPECT_EQ(usage_error_of([] { parse_double_rate("1e309"); }),
            "expected a finite number of at least 0, found 1e309");
}

TEST(ParseFraction, EndsBelowOne) {
  EXPECT_EQ(parse_fraction("0.9"), 0.9F);
  EXPECT_NE(usage_error_of([] { parse_fraction("1"); }), "");
  EXPECT_NE(usage_error_of([] { parse_fraction("-0.5"); }), "");
}

TEST(ParseWidths, TakesListsAndNone) {
  EXPECT_EQ(parse_widths("32"), Widths({32}));
  EXPECT_EQ(parse_widths("512,256,1048576"), Widths({512, 256, 1'048'576}));
  EXPECT_EQ(parse_widths("none"), Widths());
  EXPECT_EQ(parse_widths(""), Widths());
}

TEST(ParseWidths, RefusesAllElse) {
  for (const char* text :
       {"0", "32,", ",32", "32,,32", "32 32", "32;32", "-1", "1.5", "1048577", "none,32", "x"}) {
    EXPECT_NE(usage_error_of([&] { parse_widths(text); }), "") << text;
  }
  std::string many = "1";
  for (int i = 0; i < 999; ++i) many += ",1";
  EXPECT_EQ(parse_widths(many).size(), 1000U);
  EXPECT_NE(usage_error_of([&] { parse_widths(many + ",1"); }), "");
}

TEST(ParsePath, TakesAnyTextButNone) {
  EXPECT_EQ(parse_path("a b"), "a b");
  EXPECT_EQ(usage_error_of([] { parse_path(""); }), "expected a path, found ''");
}

TEST(ParseSwitch, KnowsFourWords) {
  EXPECT_TRUE(parse_switch("on"));
  EXPECT_TRUE(parse_switch("true"));
  EXPECT_FALSE(parse_switch("off"));
  EXPECT_FALSE(parse_switch("false"));
  EXPECT_EQ(usage_error_of([] { parse_switch("maybe"); }), "expected on or off, found 'maybe'");
}

TEST(ParseSplit, KnowsWhatFilesAreCalled) {
  EXPECT_EQ(parse_split("val"), DataSplit::kValidation);
  EXPECT_EQ(usage_error_of([] { parse_split("all"); }),
            "expected train, validation or test, found 'all'");
}

TEST(Shown, CutsAndKeepsToOneLine) {
  EXPECT_EQ(shown("-1.5e3"), "-1.5e3");
  EXPECT_EQ(shown("e"), "'e'");
  EXPECT_EQ(shown(""), "''");
  EXPECT_EQ(shown("a\nb"), "'a\\nb'");
  EXPECT_LT(shown(std::string(1000, 'x')).size(), 80U);
}

}  // namespace
}  // namespace millrace
