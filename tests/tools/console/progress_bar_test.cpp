#include "tools/console/progress_bar.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace millrace {
namespace {

// Characters, not bytes, of UTF-8.
std::size_t width(const std::string& text) {
  std::size_t characters = 0;
  for (const char c : text) characters += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return characters;
}

Bar bar(double share) {
  return {"Epoch [3]", share, {"12 s left", "loss 0.2134", "1.21M samples/s"}};
}

TEST(RenderBar, FitsEveryWidth) {
  for (std::size_t columns = 0; columns <= 300; ++columns) {
    for (const bool utf8 : {false, true}) {
      for (const double share : {0.0, 0.001, 0.5, 0.999, 1.0}) {
        const std::string line = render_bar(bar(share), columns, utf8);
        EXPECT_LE(width(line), columns < 3 ? 0 : columns - 3) << columns;
        EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos);
      }
    }
  }
}

TEST(RenderBar, KeepsItsWidthWhileItFills) {
  const std::size_t at_start = width(render_bar(bar(0.0), 80, true));
  for (double share = 0.0; share <= 1.0; share += 0.003) {
    EXPECT_EQ(width(render_bar(bar(share), 80, true)), at_start);
    EXPECT_EQ(render_bar(bar(share), 80, false).size(), at_start);
  }
}

TEST(RenderBar, In80Columns) {
  EXPECT_EQ(render_bar(bar(0.5), 80, false),
            "Epoch [3] |=========>        |  50 %  12 s left  loss 0.2134  1.21M samples/s");
  EXPECT_EQ(width(render_bar(bar(0.5), 80, true)), 77U);
}

TEST(RenderBar, DropsTheLeastImportantFirst) {
  EXPECT_EQ(render_bar(bar(0.25), 60, false),
            "Epoch [3] |===>           |  25 %  12 s left  loss 0.2134");
  EXPECT_EQ(render_bar(bar(0.25), 46, false), "Epoch [3] |===>          |  25 %  12 s left");
  EXPECT_EQ(render_bar(bar(0.25), 20, false), "Epoch [3]  25 %");
  EXPECT_EQ(render_bar(bar(0.25), 10, false), "Epoch [");
}

TEST(RenderBar, DrawsEighthsOfACell) {
  const Bar short_bar{"x", 1.0 / 16, {}};
  EXPECT_EQ(render_bar(short_bar, 23, true), "x |\u258b         |   6 %");
  EXPECT_EQ(render_bar({"x", 1.0, {}}, 23, true),
            "x |\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588| 100 %");
  EXPECT_EQ(render_bar({"x", 1.0, {}}, 23, false), "x |==========| 100 %");
}

TEST(RenderBar, TakesAnyShare) {
  EXPECT_EQ(render_bar({"x", -1.0, {}}, 23, false), "x |>         |   0 %");
  EXPECT_EQ(render_bar({"x", 7.0, {}}, 23, false), "x |==========| 100 %");
  EXPECT_EQ(render_bar({"x", std::nan(""), {}}, 23, false), "x |>         |   0 %");
  // Not done is never shown as done.
  EXPECT_NE(render_bar({"x", 0.9999, {}}, 23, false).find(" 99 %"), std::string::npos);
}

TEST(RenderDuration, ChoosesTheUnit) {
  EXPECT_EQ(render_duration(0.0), "0 s");
  EXPECT_EQ(render_duration(0.2), "1 s");
  EXPECT_EQ(render_duration(59.0), "59 s");
  EXPECT_EQ(render_duration(59.5), "1:00 min");
  EXPECT_EQ(render_duration(185.0), "3:05 min");
  EXPECT_EQ(render_duration(3723.0), "1:02:03 h");
  EXPECT_EQ(render_duration(-5.0), "0 s");
  EXPECT_FALSE(render_duration(std::numeric_limits<double>::infinity()).empty());
  EXPECT_FALSE(render_duration(std::nan("")).empty());
}

TEST(RenderCount, KeepsThreeDigits) {
  EXPECT_EQ(render_count(0.0), "0");
  EXPECT_EQ(render_count(999.4), "999");
  EXPECT_EQ(render_count(999.6), "1.00k");
  EXPECT_EQ(render_count(1'214'000.0), "1.21M");
  EXPECT_EQ(render_count(47'240.0), "47.2k");
  EXPECT_EQ(render_count(999'600.0), "1.00M");
  EXPECT_EQ(render_count(123'456.0), "123k");
  EXPECT_EQ(render_count(std::numeric_limits<double>::infinity()), "?");
}

}  // namespace
}  // namespace millrace
