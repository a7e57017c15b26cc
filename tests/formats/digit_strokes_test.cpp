#include "formats/digit_strokes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

namespace millrace::strokes {
namespace {

class DigitStrokes : public testing::TestWithParam<std::uint32_t> {};

TEST_P(DigitStrokes, ADigitIsWrittenInSeveralWays) {
  const auto styles = styles_of(GetParam());
  EXPECT_GE(styles.size(), 4U);
  for (const Style& style : styles) EXPECT_GT(style.weight, 0U);
}

TEST_P(DigitStrokes, AStrokeHasAtLeastTwoPlacesWithinTheBox) {
  for (const Style& style : styles_of(GetParam())) {
    ASSERT_LE(style.path.size(), kMaxWaypoints);
    for (auto rest = style.path; !rest.empty();) {
      const auto length =
          static_cast<std::size_t>(std::find(rest.begin(), rest.end(), kLift) - rest.begin());
      const auto stroke = rest.first(length);
      ASSERT_GE(length, 2U);
      EXPECT_TRUE(std::any_of(stroke.begin(), stroke.end(),
                              [&](Waypoint p) { return p != stroke.front(); }));
      for (const Waypoint p : stroke) {
        EXPECT_TRUE(p.x >= 0 && p.x <= 100 && p.y >= 0 && p.y <= 100)
            << int{p.x} << ", " << int{p.y};
      }
      rest = rest.subspan(std::min(length + 1, rest.size()));
    }
  }
}

TEST_P(DigitStrokes, AStyleFillsTheHeightOfTheBox) {
  for (const Style& style : styles_of(GetParam())) {
    int top = 100;
    int bottom = 0;
    for (const Waypoint p : style.path) {
      if (p == kLift) continue;
      top = std::min(top, int{p.y});
      bottom = std::max(bottom, int{p.y});
    }
    EXPECT_LE(top, 10);
    EXPECT_GE(bottom, 90);
  }
}

INSTANTIATE_TEST_SUITE_P(All, DigitStrokes, testing::Range(0U, 10U));

}  // namespace
}  // namespace millrace::strokes
