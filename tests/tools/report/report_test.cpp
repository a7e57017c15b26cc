#include "tools/report/report.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace {
namespace {

bool has(const std::string& html, const std::string& part) {
  return html.find(part) != std::string::npos;
}

Report sample_report() {
  Report report;
  report.command = "trainer --data 'a <b>'";
  report.data = "a <b>: 10 samples";
  report.options = {{"--lr", "0.5"}};
  report.info.widths = {784, 32, 10};
  report.info.dataset_hash = "00dd";
  report.result.weights_hash = "00ee";
  report.result.test_acc = 0.9661;
  report.result.test_loss = 0.117;
  EpochResult epoch;
  epoch.val_acc = 0.95;
  epoch.val_loss = 0.2;
  epoch.learning_rate = 0.5;
  report.result.history = {epoch};
  report.versions = "trainer 1";
  return report;
}

TEST(RenderReport, ShowsTheRun) {
  const std::string html = render_report(sample_report());
  for (const char* part : {"<b>96.61 %</b>", "Training run 784-32-10", "<dt>--lr</dt><dd>0.5</dd>",
                           "00dd", "00ee", "trainer 1", "a &lt;b&gt;: 10 samples", "</html>"}) {
    EXPECT_TRUE(has(html, part)) << part;
  }
  EXPECT_FALSE(has(html, "<b>: 10"));
}

TEST(RenderReport, NamesTheEpochOfTheBestCheckpoint) {
  Report report = sample_report();
  EpochResult later = report.result.history[0];
  later.epoch = 1;
  later.val_loss = 0.1;  // as accurate, and surer
  report.result.history.push_back(later);
  EXPECT_TRUE(has(render_report(report), "<b>95.00 %</b><span>best validation, epoch 1<"));
}

TEST(RenderReport, NeedsNoNetworkAndNoScripts) {
  const std::string html = render_report(sample_report());
  EXPECT_FALSE(has(html, "<script"));
  EXPECT_FALSE(has(html, "http"));
  EXPECT_FALSE(has(html, "url("));
  EXPECT_TRUE(has(html, "prefers-color-scheme:dark"));
}

TEST(RenderReport, StaysSmallWithLargePictures) {
  Report report = sample_report();
  report.judged.emplace();
  report.judged->split = "test";
  report.judged->confusion = Confusion(2);
  std::uint32_t noise = 1;
  for (std::uint64_t i = 0; i < 40; ++i) {
    Picture picture(300, 300, 3);
    for (auto& p : picture.pixels)
      p = static_cast<std::uint8_t>((noise = noise * 1664525U + 1U) >> 24U);
    Mistake mistake;
    mistake.sample = i;
    mistake.picture = std::move(picture);
    report.judged->worst.push_back(std::move(mistake));
  }
  const std::string html = render_report(report);
  EXPECT_TRUE(has(html, "no. 0<"));
  EXPECT_FALSE(has(html, "no. 39<"));
  EXPECT_LT(html.size(), 2'000'000U);
}

TEST(RenderReport, OfARunWithoutEpochsIsAPageToo) {
  Report report = sample_report();
  report.result.history.clear();
  report.result.test_acc.reset();
  const std::string html = render_report(report);
  EXPECT_FALSE(has(html, "<svg"));
  EXPECT_TRUE(has(html, "</html>"));
}

TEST(FirstLayer, ShowsUnitsToOneScale) {
  Tensor weights{"0.weight", {3, 4}, {1, 1, 1, 1, -2, -2, -2, -2, 0, 0, 0, 0}};
  const auto pictures = first_layer(weights, {{2, 2}}, 2);
  ASSERT_EQ(pictures.size(), 2U);
  EXPECT_EQ(pictures[0].pixels[3], 128);
  EXPECT_EQ(pictures[1].pixels[3], 255);
  EXPECT_EQ(first_layer(weights, {{1, 2, 2}}, 9).size(), 3U);
  EXPECT_TRUE(first_layer(weights, {{4}}, 9).empty());
  EXPECT_TRUE(first_layer(weights, {{2, 3}}, 9).empty());
}

}  // namespace
}  // namespace millrace
