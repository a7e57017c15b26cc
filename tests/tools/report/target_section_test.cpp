#include "tools/report/target_section.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace millrace {
namespace {

TEST(TargetSection, HasErrorsAndTheFarthest) {
  Judged judged;
  judged.split = "test";
  judged.errors.emplace(2, std::vector<std::string>{"a<b", "c"});
  judged.errors->add(std::array{1.0F, 5.0F}, std::array{2.0F, 5.0F});
  judged.errors->add(std::array{3.0F, 6.0F}, std::array{3.0F, 9.0F});
  judged.farthest = {{1, 1, 6.0F, 9.0F, 3.0}};
  judged.points = {{{1.0F, 2.0F}}, {{5.0F, 5.0F}, {6.0F, 9.0F}}};
  const std::string html = render_targets(judged);
  EXPECT_NE(html.find("<td>a&lt;b</td>"), std::string::npos) << html;
  EXPECT_EQ(html.find("a<b"), std::string::npos);
  EXPECT_NE(html.find("<tr><td>1</td><td>c</td><td>6</td><td>9</td></tr>"), std::string::npos);
  EXPECT_NE(html.find("a&lt;b, 1 of the samples"), std::string::npos);
  EXPECT_NE(html.find("2 test samples"), std::string::npos);
}

}  // namespace
}  // namespace millrace
