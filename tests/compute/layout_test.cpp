#include "compute/cpu/layout.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

namespace millrace::cpu {
namespace {

TEST(PanelLayout, GivesEveryElementAPlaceOfItsOwn) {
  for (const std::size_t width : {1U, 7U, 15U, 16U, 17U, 31U, 32U, 33U, 48U, 49U, 64U, 100U}) {
    for (const std::size_t depth : {1U, 3U, 20U}) {
      const PanelLayout layout{depth, width};
      std::vector<int> used(layout.size());
      for (std::size_t row = 0; row < depth; ++row) {
        for (std::size_t column = 0; column < width; ++column) {
          ASSERT_LT(layout.offset(row, column), used.size()) << depth << " x " << width;
          EXPECT_EQ(++used[layout.offset(row, column)], 1);
        }
      }
      const std::size_t last = layout.panels() - 1;
      EXPECT_EQ(layout.panel_offset(last) + depth * layout.panel_width(last), layout.size());
    }
  }
}

TEST(PanelLayout, KeepsAPanelContiguous) {
  const PanelLayout layout{10, 48};
  EXPECT_EQ(layout.panels(), 2U);
  EXPECT_EQ(layout.panel_width(0), 32U);
  EXPECT_EQ(layout.panel_width(1), 16U);
  EXPECT_EQ(layout.offset(3, 5), 3U * 32U + 5U);
  EXPECT_EQ(layout.offset(3, 33), 320U + 3U * 16U + 1U);
}

TEST(InputRanges, CoverTheInputsInOrderAndGoEvenlyIntoParts) {
  for (std::size_t width = 1; width < 3000; ++width) {
    const InputRanges ranges{width};
    EXPECT_EQ(ranges.begin(0), 0U);
    EXPECT_EQ(ranges.end(ranges.count() - 1), width) << width;
    EXPECT_EQ(ranges.parts() * ranges.per_part(), ranges.count()) << width;
    for (std::size_t range = 0; range < ranges.count(); ++range) {
      const std::size_t length = ranges.end(range) - ranges.begin(range);
      EXPECT_LE(length, InputRanges::kLongest) << width;
      EXPECT_LE(length, ranges.longest()) << width;
      for (const std::size_t i : {ranges.begin(range), ranges.end(range) - 1}) {
        if (length > 0) {
          EXPECT_EQ(i / ranges.longest(), range) << width;
        }
      }
    }
  }
}

TEST(ActLayout, GivesEveryElementAPlaceOfItsOwn) {
  for (const std::size_t width : {1U, 31U, 32U, 33U, 96U, 100U}) {
    for (const std::size_t rows : {1U, 5U, 32U}) {
      const ActLayout layout{rows, width};
      std::vector<int> used(layout.size());
      for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < width; ++column) {
          ASSERT_LT(layout.offset(row, column), used.size()) << rows << " x " << width;
          EXPECT_EQ(++used[layout.offset(row, column)], 1);
        }
      }
    }
  }
}

TEST(ActLayout, KeepsAPanelContiguous) {
  const ActLayout layout{10, 70};
  EXPECT_EQ(layout.panels(), 3U);
  EXPECT_EQ(layout.offset(3, 5), 3U * 32U + 5U);
  EXPECT_EQ(layout.offset(3, 33), 320U + 3U * 32U + 1U);
}

}  // namespace
}  // namespace millrace::cpu
