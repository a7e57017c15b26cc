#include "formats/json_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "formats/error.h"

namespace millrace {
namespace {

constexpr JsonForm kForm{"a list of cats", 8, 3};

std::string error_of(std::string_view text, const JsonForm& form = kForm) {
  try {
    static_cast<void>(parse_json("f", text, form));
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(JsonText, IsRead) {
  EXPECT_EQ(parse_json("f", R"({"a": [1, {"a": 2}]})", kForm)["a"][1]["a"], 2);
}

TEST(JsonText, ErrorsNameTheByteInTheFile) {
  using std::string_literals::operator""s;
  EXPECT_EQ(error_of("[1]\0[2]"s), "f: byte 11: expected a list of cats, found a NUL byte");
  EXPECT_EQ(error_of("[1,]").substr(0, 51), "f: byte 11: expected a list of cats, found syntax e");
  EXPECT_EQ(error_of(R"({"a": 1, "a": 2})"),
            R"(f: byte 8: expected each name once, found "a" twice)");
  EXPECT_EQ(error_of("[[[[[]]]]]"),
            "f: byte 8: expected a list of cats, found JSON nested too deeply");
  EXPECT_EQ(error_of("[[[[[]]]]]", {"cats", 0, 3}),
            "f: expected cats, found JSON nested too deeply");
}

TEST(JsonText, ValuesAreBriefInMessages) {
  EXPECT_EQ(brief(7), "7");
  EXPECT_EQ(brief("a\nb"), R"("a\nb")");
  EXPECT_EQ(brief(nlohmann::json::array({1, 2})), "array");
  EXPECT_EQ(brief(std::string(500, 'x')).size(), 102U);
}

}  // namespace
}  // namespace millrace
