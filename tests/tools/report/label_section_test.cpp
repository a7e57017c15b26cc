#include "tools/report/label_section.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace {
namespace {

TEST(LabelSection, HasALineForEachLabel) {
  Judged judged;
  judged.split = "test";
  judged.labels.emplace(2, std::vector<std::string>{"<cat>", "dog"});
  judged.labels->add(std::vector<float>{1, 0}, std::vector<float>{1, -1});
  judged.labels->add(std::vector<float>{1, 0}, std::vector<float>{-1, -1});
  const std::string html = render_labels(judged);
  EXPECT_NE(html.find("2 test samples. All labels of 50.00 % of them are right"),
            std::string::npos);
  EXPECT_NE(html.find("<tr><td>&lt;cat&gt;</td><td>0.5000</td><td>1.0000</td><td>0.5000</td>"
                      "<td>0.6667</td><td>2</td><td>1</td></tr>"),
            std::string::npos)
      << html;
  EXPECT_NE(html.find("<tr><td>dog</td><td>1.0000</td><td>–</td><td>–</td><td>–</td><td>0</td>"
                      "<td>0</td></tr>"),
            std::string::npos);
}

TEST(LabelSection, SaysHowManyLabelsItLeavesOut) {
  Judged judged;
  judged.labels.emplace(250);
  judged.labels->add(std::vector<float>(250), std::vector<float>(250));
  EXPECT_NE(render_labels(judged).find("50 more labels."), std::string::npos);
}

}  // namespace
}  // namespace millrace
