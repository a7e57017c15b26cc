#include "formats/text_numbers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace {
namespace {

TEST(TextNumbers, AsksForEachTextOnce) {
  TextNumbers numbers;
  std::vector<std::string> asked;
  const auto read = [&asked](std::string_view cell) -> std::optional<std::int32_t> {
    asked.emplace_back(cell);
    return static_cast<std::int32_t>(asked.size()) - 1;
  };
  for (const auto* text : {"", "a", "a", "b", "", "a"}) (void)numbers.number_of(text, read);
  EXPECT_EQ(asked, (std::vector<std::string>{"", "a", "b"}));
  EXPECT_EQ(numbers.number_of("b", read), 2);
  EXPECT_EQ(numbers.number_of("", read), 0);
}

TEST(TextNumbers, OutliveTheTextThatTheyAreOf) {
  TextNumbers numbers;
  std::vector<std::string_view> kept;
  const auto read = [&kept](std::string_view cell) -> std::optional<std::int32_t> {
    kept.push_back(cell);
    return static_cast<std::int32_t>(kept.size());
  };
  for (int i = 0; i < 100; ++i) (void)numbers.number_of("text " + std::to_string(i), read);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(kept[i], "text " + std::to_string(i));
}

TEST(TextNumbers, RememberNothingThatIsRefused) {
  TextNumbers numbers;
  int asked = 0;
  const auto refuse = [&asked](std::string_view /*cell*/) -> std::optional<std::int32_t> {
    ++asked;
    return std::nullopt;
  };
  EXPECT_EQ(numbers.number_of("a", refuse), std::nullopt);
  EXPECT_EQ(numbers.number_of("a", refuse), std::nullopt);
  EXPECT_EQ(asked, 2);
}

TEST(TextNumbers, GiveReadersQuotesAsCellsHaveThem) {
  EXPECT_EQ(doubled_quotes(R"(a "b" c)"), R"(a ""b"" c)");
  EXPECT_EQ(doubled_quotes(""), "");
}

}  // namespace
}  // namespace millrace
