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

TEST(RenderChart, WritesSharesInPerCent) {
  const std::string svg = render_chart({"a", {{"s", "c1", {0.90, 0.98}}}, Chart::Unit::kPercent});
  EXPECT_NE(svg.find(">90 %<"), std::string::npos) << svg;
  EXPECT_NE(svg.find("epoch 1: 98.00 %"), std::string::npos) << svg;
}

}  // namespace
}  // namespace millrace
