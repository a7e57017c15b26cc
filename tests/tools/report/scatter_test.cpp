#include "tools/report/scatter.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace millrace {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Scatter, HasADotForEachPointThatIsFinite) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const auto svg = render_scatter({"a & b", {{1.0F, 2.0F}, {3.0F, 2.5F}, {kNan, 1.0F}, {1, kNan}}});
  EXPECT_EQ(count(svg, "<circle"), 2U);
  EXPECT_NE(svg.find("a &amp; b"), std::string::npos);
  EXPECT_NE(svg.find(">predicted</text>"), std::string::npos);
}

TEST(Scatter, HasOneScaleForBoth) {
  // A point on the diagonal is as far from the left as from the bottom of the square.
  const auto svg = render_scatter({"t", {{0.0F, 0.0F}, {10.0F, 10.0F}, {5.0F, 5.0F}}});
  EXPECT_NE(svg.find(R"(cx="249.0" cy="204.0")"), std::string::npos) << svg;
}

TEST(Scatter, OfOnePointIsOneToo) {
  EXPECT_EQ(count(render_scatter({"t", {{7.0F, 7.0F}}}), "<circle"), 1U);
  EXPECT_EQ(render_scatter({"t", {}}), "");
}

}  // namespace
}  // namespace millrace
