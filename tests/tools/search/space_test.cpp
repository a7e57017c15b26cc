#include "tools/search/space.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include "tests/tools/usage_error.h"
#include "tools/console/numbers.h"

namespace millrace {
namespace {

// Ranges of "batch" and "hidden" are of whole numbers.
std::vector<Axis> axes_of(const std::vector<std::string>& texts) {
  std::vector<Axis> axes;
  for (const std::string& text : texts) {
    axes.push_back(parse_axis(text));
    Axis& axis = axes.back();
    if (axis.range) axis.range->whole = axis.option == "batch" || axis.option == "hidden";
  }
  return axes;
}

TEST(ParseAxis, ReadsListsAndRanges) {
  const Axis list = parse_axis("--hidden=32/64/128,64/none");
  EXPECT_EQ(list.option, "hidden");
  EXPECT_EQ(list.values, (std::vector<std::string>{"32", "64", "128,64", "none"}));
  EXPECT_FALSE(list.range);
  EXPECT_EQ(parse_axis("lr=0.5").values, std::vector<std::string>{"0.5"});

  const Axis range = parse_axis("lr=1e-3..1:log");
  ASSERT_TRUE(range.range);
  EXPECT_TRUE(range.values.empty());
  EXPECT_EQ(range.range->low, 1e-3);
  EXPECT_EQ(range.range->high, 1.0);
  EXPECT_TRUE(range.range->logarithmic);
  EXPECT_FALSE(parse_axis("batch=16..512").range->logarithmic);
}

TEST(ParseAxis, SaysWhatIsWrong) {
  const auto error = [](const std::string& text) {
    return test::usage_error_of([&] { parse_axis(text); });
  };
  const std::string form =
      "expected an option and what to try for it, as lr=0.1/0.3 or lr=0.01..1:log, found ";
  EXPECT_EQ(error("lr"), form + "'lr'");
  EXPECT_EQ(error("=1"), form + "'=1'");
  EXPECT_EQ(error("--=1"), form + "'--=1'");
  EXPECT_EQ(error("lr="), "--lr: expected values with / between, found ''");
  EXPECT_EQ(error("lr=1//2"), "--lr: expected values with / between, found '1//2'");
  EXPECT_EQ(error("lr=1/2/1"), "--lr: expected each value once, found 1 and 1");
  EXPECT_EQ(error("lr=0.1/1e-1"), "--lr: expected each value once, found 0.1 and 1e-1");
  const std::string ends =
      "--lr: expected two numbers, the lower one first, as 0.01..1 or 0.01..1:log, found ";
  for (const std::string range : {"1..", "..1", "..", "1..0.1", "1..1", "a..2", "1...2", "1..nan",
                                  "1..inf", "0..1:ln", ":log..", "0..:log", "-1e308..1e308"}) {
    EXPECT_EQ(error("lr=" + range), ends + shown(range)) << range;
  }
  EXPECT_EQ(error("lr=0..1:log"), "--lr: expected a lower end above 0 for :log, found 0");
}

TEST(ValueText, HasDigitsThatTellValuesApart) {
  const auto text = [](double value, double low, double high) {
    return value_text(value, {low, high, false, false});
  };
  EXPECT_EQ(text(0.123456, 0.0, 1.0), "0.1235");
  EXPECT_EQ(text(1.0 / 3.0, 1e-6, 1.0), "0.3333");
  EXPECT_EQ(text(0.999961, 0.99994, 0.99999), "0.999961");
  EXPECT_EQ(text(0.99998999, 0.99, 0.99999), "0.99999");
  EXPECT_EQ(text(0.99999999, 0.9, 0.99999999), "0.99999999") << "1 is beyond it";
  EXPECT_EQ(text(0.12344, 0.12344, 0.9), "0.12344") << "0.1234 is below it";
  EXPECT_EQ(text(1.7976931348623157e308, 1.0, 1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(text(-0.5, -1.0, 1.0), "-0.5");
  EXPECT_EQ(value_text(12.0, {1, 20, true, false}), "12");
}

TEST(OneSpelling, IsThatOfTheNumber) {
  for (const std::string same : {"0.1", "0.10", "1e-1", ".1"}) EXPECT_EQ(one_spelling(same), "0.1");
  EXPECT_EQ(one_spelling("08"), "8");
  EXPECT_EQ(one_spelling("000"), "0");
  EXPECT_NE(one_spelling("9007199254740992"), one_spelling("9007199254740993"));
  for (const std::string text : {"adam", "8,08", "", "nan", "1e999"})
    EXPECT_EQ(one_spelling(text), text);
}

TEST(Trials, OfANarrowRangeStayWithinIt) {
  for (const Combination& values : trials(axes_of({"lr=0.12341..0.12344"}), 50, 0)) {
    EXPECT_GE(std::stod(values[0]), 0.12341);
    EXPECT_LE(std::stod(values[0]), 0.12344);
  }
  EXPECT_EQ(trials(axes_of({"lr=0.12341..0.12344"}), 50, 0).size(), 50U);
}

TEST(DescribeAxis, IsForPeople) {
  EXPECT_EQ(describe(parse_axis("lr=0.01..1:log")), "lr 0.01 to 1 (log)");
  EXPECT_EQ(describe(parse_axis("hidden=32/64/128,64")), "hidden 32, 64 or 128,64");
  EXPECT_EQ(describe(parse_axis("lr=0.5")), "lr 0.5");
}

TEST(Combinations, AreCountedWhereTheyCanBe) {
  EXPECT_EQ(combinations(axes_of({"a=1/2/3", "b=1/2"})), 6U);
  EXPECT_EQ(combinations(axes_of({"a=1/2/3", "b=1..2"})), std::nullopt);
  std::string many = "a=0";
  for (int i = 1; i < 256; ++i) many += '/' + std::to_string(i);
  EXPECT_EQ(combinations(axes_of(std::vector<std::string>(7, many))), std::uint64_t{1} << 56U);
  EXPECT_EQ(combinations(axes_of(std::vector<std::string>(8, many))), std::nullopt);
}

TEST(Trials, AreAllCombinationsInOrder) {
  const std::vector<Combination> all{{"1", "x"}, {"1", "y"}, {"2", "x"},
                                     {"2", "y"}, {"3", "x"}, {"3", "y"}};
  const auto axes = axes_of({"a=1/2/3", "b=x/y"});
  EXPECT_EQ(trials(axes, std::nullopt, 0), all);
  auto drawn = trials(axes, 100, 5);
  EXPECT_EQ(trials(axes, 6, 5), drawn);
  EXPECT_NE(drawn, all);
  std::ranges::sort(drawn);
  EXPECT_EQ(drawn, all);
}

TEST(Trials, AreDrawnFromAList) {
  const auto axes = axes_of({"a=1/2/3/4/5", "b=1/2/3/4", "c=1/2/3"});
  const auto ten = trials(axes, 10, 1);
  const auto thirty = trials(axes, 30, 1);
  EXPECT_EQ(std::set<Combination>(thirty.begin(), thirty.end()).size(), 30U);
  EXPECT_TRUE(std::equal(ten.begin(), ten.end(), thirty.begin()));
  EXPECT_NE(trials(axes, 10, 2), ten);
}

TEST(Trials, AreDrawnFromRanges) {
  const auto axes = axes_of({"lr=0.001..1:log", "dropout=0.0..0.5", "batch=1..4", "act=x/y"});
  const auto some = trials(axes, 4000, 7);
  ASSERT_EQ(some.size(), 4000U);
  double logs = 0.0;
  double shares = 0.0;
  std::map<std::string, int> batches;
  std::map<std::string, int> names;
  for (const Combination& values : some) {
    const double rate = std::stod(values[0]);
    EXPECT_GE(rate, 0.001);
    EXPECT_LE(rate, 1.0);
    logs += std::log10(rate) / 4000;
    const double share = std::stod(values[1]);
    EXPECT_GE(share, 0.0);
    EXPECT_LE(share, 0.5);
    shares += share / 4000;
    ++batches[values[2]];
    ++names[values[3]];
    EXPECT_LE(values[0].size(), 9U) << "more than four digits";
  }
  // Five standard deviations of such means.
  EXPECT_NEAR(logs, -1.5, 5 * 0.87 / std::sqrt(4000.0));
  EXPECT_NEAR(shares, 0.25, 5 * 0.145 / std::sqrt(4000.0));
  ASSERT_EQ(batches.size(), 4U);
  for (const auto& [value, count] : batches) EXPECT_NEAR(count, 1000, 5 * 28) << value;
  ASSERT_EQ(names.size(), 2U);
  EXPECT_NEAR(names["x"], 2000, 5 * 32);

  const auto fewer = trials(axes, 100, 7);
  EXPECT_TRUE(std::equal(fewer.begin(), fewer.end(), some.begin()));
  EXPECT_NE(trials(axes, 1, 8), trials(axes, 1, 7));
}

TEST(Trials, OfWholeNumbersByTheirLogarithmReachBothEnds) {
  std::set<std::string> seen;
  for (const Combination& values : trials(axes_of({"batch=1..8:log"}), 8, 0))
    seen.insert(values[0]);
  EXPECT_EQ(seen, (std::set<std::string>{"1", "2", "3", "4", "5", "6", "7", "8"}));
}

TEST(Trials, EndWhereThereAreNoOthers) {
  const auto four = trials(axes_of({"batch=1..4"}), 100, 0);
  EXPECT_EQ(std::set<Combination>(four.begin(), four.end()).size(), four.size());
  EXPECT_EQ(four.size(), 4U);
}

// What a seed draws may not change: searches go on from journals of other days.
TEST(Trials, StayWhatTheyAre) {
  EXPECT_EQ(trials(axes_of({"lr=0.001..1:log", "hidden=16..256", "act=x/y/z"}), 3, 0),
            (std::vector<Combination>{
                {"0.05695", "135", "z"}, {"0.1216", "142", "x"}, {"0.01211", "20", "z"}}));
  EXPECT_EQ(trials(axes_of({"lr=1/2/3/4", "hidden=16/32/64"}), 3, 0),
            (std::vector<Combination>{{"3", "64"}, {"2", "16"}, {"2", "64"}}));
}

TEST(Trials, NeedSomethingToTry) {
  EXPECT_THROW(trials({}, 3, 0), std::invalid_argument);
  EXPECT_THROW(trials(axes_of({"lr=0..1"}), std::nullopt, 0), std::invalid_argument);
}

}  // namespace
}  // namespace millrace
