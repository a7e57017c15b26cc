#include "tools/report/chart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace millrace {
namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(Ticks, AreRoundAndCoverTheirRange) {
  const std::vector<std::pair<double, double>> ranges{
      {0.07, 0.39}, {0.88, 0.978}, {0, 9},   {0, 1},  {-3, 2},       {1e-9, 2e-9}, {1e6, 3e6},
      {0.5, 0.5},   {0, 0},        {-2, -2}, {0, 99}, {0.99, 0.991}, {1e-12, 5e4}};
  for (const auto& [least, largest] : ranges) {
    const auto ticks = ticks_of(least, largest);
    ASSERT_GE(ticks.size(), 3U) << least << ' ' << largest;
    EXPECT_LE(ticks.size(), 8U) << least << ' ' << largest;
    const double step = ticks[1] - ticks[0];
    EXPECT_LE(ticks.front(), least + 1e-6 * step);
    EXPECT_GE(ticks.back(), largest - 1e-6 * step);
    const double digit = step / std::pow(10.0, std::floor(std::log10(step) + 1e-9));
    EXPECT_TRUE(std::abs(digit - 1) < 1e-6 || std::abs(digit - 2) < 1e-6 ||
                std::abs(digit - 5) < 1e-6)
        << step;
  }
}

TEST(RenderChart, DrawsEachSeriesOnce) {
  const std::string svg = render_chart(
      {"Loss & more", {{"training", "c1", {0.5, 0.25}}, {"validation", "c2", {0.4, 0.3}}}});
  EXPECT_EQ(count_of(svg, "<path "), 2U);
  EXPECT_EQ(count_of(svg, "<circle "), 4U);
  EXPECT_EQ(count_of(svg, "class=\"key"), 2U);
  EXPECT_NE(svg.find("Loss &amp; more"), std::string::npos);
  EXPECT_NE(svg.find("<title>training, epoch 1: 0.25</title>"), std::string::npos);
}

TEST(RenderChart, PutsLargerValuesHigher) {
  const std::string svg = render_chart({"a", {{"s", "c1", {0.0, 1.0}}}});
  // The first point at the bottom left, the second at the top right.
  EXPECT_NE(svg.find("d=\"M58.0 220.0L422.0 14.0\""), std::string::npos) << svg;
}

TEST(RenderChart, LeavesGapsWhereThereIsNoValue) {
  const std::string svg = render_chart(
      {"a", {{"s", "c1", {1.0, std::nullopt, 2.0, std::numeric_limits<double>::quiet_NaN()}}}});
  EXPECT_EQ(count_of(svg, "<circle "), 2U);
  EXPECT_EQ(svg.find('L', svg.find("d=\"")), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(RenderChart, BeginsAtZeroWhereLengthsCount) {
  Chart chart{"a", {{"s", "c1", {1.9, 2.1}}}};
  EXPECT_EQ(render_chart(chart).find(">0.0<"), std::string::npos);
  chart.from_zero = true;
  EXPECT_NE(render_chart(chart).find(">0.0<"), std::string::npos) << render_chart(chart);
}

TEST(RenderChart, IsEmptyWithoutValues) {
  EXPECT_EQ(render_chart({"a", {{"s", "c1", {}}}}), "");
  EXPECT_EQ(render_chart({"a", {{"s", "c1", {std::nullopt}}}}), "");
}

TEST(RenderChart, ShowsOneEpochAndVeryMany) {
  EXPECT_EQ(count_of(render_chart({"a", {{"s", "c1", {0.5}}}}), "<circle "), 1U);
  const std::string many =
      render_chart({"a", {{"s", "c1", std::vector<std::optional<double>>(1000, 0.5)}}});
  EXPECT_EQ(count_of(many, "<circle "), 0U);
  EXPECT_LT(many.size(), 20'000U);
}

// What stands left of the axis of values, from below.
std::vector<std::string> labels_of(const Chart& chart) {
  const std::string svg = render_chart(chart);
  const std::string before = "<text class=\"end\"";
  std::vector<std::string> labels;
  for (std::size_t at = svg.find(before); at != std::string::npos; at = svg.find(before, at + 1)) {
    const std::size_t begin = svg.find('>', at) + 1;
    labels.push_back(svg.substr(begin, svg.find('<', begin) - begin));
  }
  return labels;
}

TEST(RenderChart, TellsTicksApartInFewCharacters) {
  using Labels = std::vector<std::string>;
  const auto of = [](double least, double largest) {
    return labels_of({"a", {{"s", "c1", {least, largest}}}});
  };
  EXPECT_EQ(of(0.0, 1e-6), (Labels{"0", "2.0e-7", "4.0e-7", "6.0e-7", "8.0e-7", "1.0e-6"}));
  EXPECT_EQ(of(1.5e-6, 1.8e-6), (Labels{"1.5e-6", "1.6e-6", "1.7e-6", "1.8e-6"}));
  EXPECT_EQ(of(2.302585, 2.302588), (Labels{"2.302585", "2.302586", "2.302587", "2.302588"}));
  EXPECT_EQ(of(0.0, 4e20), (Labels{"0", "1e20", "2e20", "3e20", "4e20"}));
  EXPECT_EQ(of(0.0, 2e-4), (Labels{"0.00000", "0.00005", "0.00010", "0.00015", "0.00020"}));
  EXPECT_EQ(of(0.0, 20'000.0), (Labels{"0", "5000", "10000", "15000", "20000"}));
}

TEST(RenderChart, HasNoSharesBeyondAll) {
  using Labels = std::vector<std::string>;
  const auto of = [](double share) {
    return labels_of({"a", {{"s", "c1", {share}}}, Chart::Unit::kPercent});
  };
  EXPECT_EQ(of(1.0), (Labels{"94 %", "96 %", "98 %", "100 %"}));
  EXPECT_EQ(of(0.0), (Labels{"0 %", "20 %", "40 %", "60 %"}));
}

TEST(RenderChart, KeepsTheExtremesOfVeryManyValues) {
  std::vector<std::optional<double>> values(100'000, 0.5);
  values[12'345] = 4.0;
  values[77'777] = 0.0;
  values[50'001] = std::nullopt;
  const std::string svg = render_chart({"a", {{"s", "c1", std::move(values)}}});
  EXPECT_LT(svg.size(), 40'000U);
  EXPECT_EQ(count_of(svg, " 14.0L"), 1U);   // up to the top
  EXPECT_EQ(count_of(svg, " 220.0L"), 1U);  // and down to the bottom
}

TEST(RenderChart, WritesSharesInPerCent) {
  const std::string svg = render_chart({"a", {{"s", "c1", {0.90, 0.98}}}, Chart::Unit::kPercent});
  EXPECT_NE(svg.find(">90 %<"), std::string::npos) << svg;
  EXPECT_NE(svg.find("epoch 1: 98.00 %"), std::string::npos) << svg;
}

}  // namespace
}  // namespace millrace
