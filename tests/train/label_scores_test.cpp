#include "train/label_scores.h"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <vector>

namespace millrace {
namespace {

void add(LabelScores& scores, const std::vector<float>& truth, const std::vector<float>& logits) {
  scores.add(truth, logits);
}

TEST(LabelScores, CountWhatIsSaidAndWhatIsSo) {
  LabelScores scores(3, {"cat", "dog", "elk"});
  add(scores, {1, 0, 0}, {2.0F, -1.0F, -3.0F});  // all right
  add(scores, {1, 1, 0}, {-0.5F, 0.0F, -1.0F});  // a logit of 0 is a yes
  add(scores, {0, 1, 0}, {0.1F, 4.0F, -1.0F});
  add(scores, {0, 0, 0}, {-1.0F, 1.0F, -1.0F});
  EXPECT_EQ(scores.samples(), 4U);
  EXPECT_EQ(scores.name(1), "dog");
  EXPECT_EQ(scores.with(0), 2U);
  EXPECT_EQ(scores.said(0), 2U);
  EXPECT_DOUBLE_EQ(scores.accuracy(0), 0.5);
  EXPECT_DOUBLE_EQ(*scores.precision(0), 0.5);
  EXPECT_DOUBLE_EQ(*scores.recall(0), 0.5);
  EXPECT_DOUBLE_EQ(*scores.f1(0), 0.5);
  EXPECT_DOUBLE_EQ(scores.accuracy(1), 0.75);
  EXPECT_DOUBLE_EQ(*scores.precision(1), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(*scores.recall(1), 1.0);
  EXPECT_DOUBLE_EQ(*scores.f1(1), 0.8);
  // Nobody has it, and it is said of nobody.
  EXPECT_DOUBLE_EQ(scores.accuracy(2), 1.0);
  EXPECT_FALSE(scores.precision(2));
  EXPECT_FALSE(scores.recall(2));
  EXPECT_FALSE(scores.f1(2));
  EXPECT_DOUBLE_EQ(scores.accuracy(), (0.5 + 0.75 + 1.0) / 3.0);
  EXPECT_DOUBLE_EQ(scores.exact(), 0.25);
  EXPECT_DOUBLE_EQ(*scores.micro_f1(), 2.0 * 3.0 / (4.0 + 5.0));
  EXPECT_DOUBLE_EQ(*scores.macro_f1(), (0.5 + 0.8) / 2.0);
}

TEST(LabelScores, HaveNumbersForNamesAndNothingWithoutSamples) {
  const LabelScores scores(2);
  EXPECT_FALSE(scores.named());
  EXPECT_EQ(scores.name(1), "1");
  EXPECT_EQ(scores.accuracy(), 0.0);
  EXPECT_EQ(scores.exact(), 0.0);
  EXPECT_FALSE(scores.micro_f1());
  EXPECT_FALSE(scores.macro_f1());
  EXPECT_THROW(LabelScores(2, {"one"}), std::invalid_argument);
}

TEST(LabelScores, ANanIsNoYes) {
  LabelScores scores(1);
  add(scores, {0}, {std::numeric_limits<float>::quiet_NaN()});
  EXPECT_EQ(scores.said(0), 0U);
}

}  // namespace
}  // namespace millrace
