#include "tools/search/search_section.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
    ++found;
  return found;
}

Trial trial(std::uint64_t number, double score, const Combination& values) {
  TrialRun run;
  run.score = score;
  run.loss = 1.0 - score;
  run.epochs = 3;
  return {number, values, {run}};
}

class SearchSection : public testing::Test {
 protected:
  std::string section() { return render_search(ranked(trials_), axes_, "val_acc"); }
  std::vector<Axis> axes_{parse_axis("lr=0.001..1:log"), parse_axis("activation=relu/<tanh>")};
  std::vector<Trial> trials_{trial(1, 0.75, {"0.01", "relu"}), trial(2, 0.9, {"0.1", "<tanh>"}),
                             trial(3, 0.1, {"0.9", "relu"}), trial(4, 0.85, {"0.2", "<tanh>"})};
};

TEST_F(SearchSection, HasAChartForEachOptionAndADotForEachTrial) {
  const std::string html = section();
  EXPECT_EQ(count(html, "<svg "), 2U);
  EXPECT_EQ(count(html, "<circle "), 8U);
  EXPECT_EQ(count(html, "<circle class=\"c2\""), 2U) << "the one that was chosen, in each";
  EXPECT_NE(html.find("val_acc over lr"), std::string::npos);
  EXPECT_EQ(count(html, "<tr>"), 1U + 4U);
  EXPECT_NE(html.find("<td>0.9000</td>"), std::string::npos);
  EXPECT_EQ(html.find("<tanh>"), std::string::npos) << "names are text";
  EXPECT_NE(html.find("&lt;tanh&gt;"), std::string::npos);
  EXPECT_EQ(html.find("nan"), std::string::npos);
}

TEST_F(SearchSection, ShowsRangesByTheirLogarithm) {
  const std::string html = section();
  // 0.01 to 0.9: a tick at 0.01 and 0.1, the same way apart as 0.1 is from 1.
  EXPECT_NE(html.find(">0.01</text>"), std::string::npos);
  EXPECT_NE(html.find(">0.1</text>"), std::string::npos);
}

TEST_F(SearchSection, LeavesTheChartsWithoutWhatDiverged) {
  trials_[2].runs[0].diverged = "nan";
  const std::string html = section();
  EXPECT_EQ(count(html, "<circle "), 6U);
  EXPECT_EQ(count(html, "<td>diverged</td>"), 1U);
  for (Trial& trial : trials_) trial.runs[0].diverged = "nan";
  EXPECT_EQ(section(), "");
}

TEST_F(SearchSection, StandsOneTrialAndEqualOnes) {
  trials_.resize(1);
  EXPECT_EQ(count(section(), "<circle "), 2U);
  trials_.push_back(trial(2, 0.75, {"0.01", "relu"}));
  const std::string html = section();
  EXPECT_EQ(html.find("nan"), std::string::npos);
  EXPECT_EQ(html.find("inf"), std::string::npos);
}

TEST_F(SearchSection, ListsTwentyOfMany) {
  for (std::uint64_t i = 5; i < 60; ++i) trials_.push_back(trial(i, 0.5, {"0.05", "relu"}));
  EXPECT_EQ(count(section(), "<tr>"), 21U);
}

}  // namespace
}  // namespace millrace
