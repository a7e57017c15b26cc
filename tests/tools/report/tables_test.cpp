#include "tools/report/tables.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace {
namespace {

Judged judged_of(std::uint32_t classes) {
  Judged judged;
  judged.split = "test";
  judged.confusion = Confusion(classes);
  for (int i = 0; i < 97; ++i) judged.confusion.add(0, 0);
  for (int i = 0; i < 3; ++i) judged.confusion.add(0, 1);
  judged.metrics.samples = 100;
  judged.metrics.correct = 97;
  return judged;
}

bool has(const std::string& html, const std::string& part) {
  return html.find(part) != std::string::npos;
}

TEST(RenderQuality, ShowsTableAndClasses) {
  const std::string html = render_quality(judged_of(3));
  EXPECT_TRUE(has(html, "3 of the 100 test samples")) << html;
  EXPECT_TRUE(has(html, "title=\"0 taken for 1: 3\">3</td>")) << html;
  EXPECT_TRUE(has(html, "<tr><td>0</td><td>100.00</td><td>97.00</td><td>100</td>")) << html;
  // Nothing of class 2, and nothing taken for it.
  EXPECT_TRUE(has(html, "<tr><td>2</td><td>–</td><td>–</td><td>0</td>")) << html;
}

TEST(RenderQuality, CallsClassesByTheirNames) {
  Judged judged;
  judged.confusion = Confusion(2, {"ash", "<elm>"});
  judged.confusion.add(0, 1);
  const std::string html = render_quality(judged);
  EXPECT_TRUE(has(html, "title=\"ash taken for &lt;elm&gt;: 1\"")) << html;
  EXPECT_TRUE(has(html, "<tr><td>&lt;elm&gt;</td>")) << html;
  // No class is recognised: bars begin at nothing.
  EXPECT_TRUE(has(html, "recall, from 0 to 100")) << html;
}

TEST(RenderQuality, ListsMistakesOfManyClasses) {
  const std::string html = render_quality(judged_of(62));
  EXPECT_FALSE(has(html, "class=\"confusion\""));
  EXPECT_TRUE(has(html, "<tr><td>0</td><td>1</td><td>3</td></tr>")) << html;
  EXPECT_FALSE(has(render_quality(judged_of(Confusion::kMostTabled + 1)), "Most frequent"));
}

TEST(RenderQuality, ShowsTheWorstOfVeryManyClasses) {
  EXPECT_FALSE(has(render_quality(judged_of(100)), "lowest F1"));
  const std::string html = render_quality(judged_of(50'000));
  EXPECT_TRUE(has(html, "; the 100 of the lowest F1, without 49900 more</caption>")) << html;
  EXPECT_TRUE(has(html, "<tr><td>1</td><td>0.00</td>")) << html;
  EXPECT_LT(html.size(), 20'000U);
}

TEST(SecondsText, HasThreeDigitsAndNoPowersOfTen) {
  EXPECT_EQ(seconds_text(0.0), "0 s");
  EXPECT_EQ(seconds_text(2.7e-6), "3 µs");
  EXPECT_EQ(seconds_text(0.04123), "0.0412 s");
  EXPECT_EQ(seconds_text(7.0), "7 s");
  EXPECT_EQ(seconds_text(999.4), "999 s");
  EXPECT_EQ(seconds_text(999.7), "1000 s");
  EXPECT_EQ(seconds_text(12345.6), "12346 s");
}

TEST(RenderStages, ShowsSharesOfEachStage) {
  Report report;
  report.result.verdict = "compute-bound: <yes>";
  report.result.engine = {8.0, 2.0, 2.0};
  report.result.train_loader.fill = {1.0, 0.0, 3.0};
  report.process.wall_s = 10.0;
  report.process.load_s = 1.0;
  EpochResult epoch;
  epoch.train_s = 6.0;
  epoch.val_s = 2.0;
  report.result.history = {epoch};
  const std::string html = render_stages(report);
  EXPECT_TRUE(has(html, "compute-bound: &lt;yes&gt;")) << html;
  EXPECT_TRUE(has(html, "training 6 s, 60 %")) << html;
  EXPECT_TRUE(has(html, "the rest 1 s, 10 %")) << html;
  EXPECT_TRUE(has(html, "computing 6 s, 60 %")) << html;
  EXPECT_TRUE(has(html, "waiting for room 3 s, 75 %")) << html;
  EXPECT_FALSE(has(html, "Training loop")) << html;  // no time at all
}

}  // namespace
}  // namespace millrace
