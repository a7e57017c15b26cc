#include "tools/trainer/label_table.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace millrace {
namespace {

LabelScores scores(std::vector<std::string> names) {
  LabelScores of(3, std::move(names));
  of.add(std::vector<float>{1, 0, 0}, std::vector<float>{2, -1, -3});
  of.add(std::vector<float>{1, 1, 0}, std::vector<float>{-1, 1, -1});
  return of;
}

TEST(LabelTable, HasALineForEachLabel) {
  EXPECT_EQ(render_labels(scores({"cat", "sunny day", "elk"})),
            "accuracy: 0.8333 of labels, 0.5000 of samples all right\n"
            "F1: 0.8000 of all decisions, 0.8333 mean of the labels\n\n"
            "Label       accuracy   precision   recall       F1   samples\n"
            "      cat     0.5000      1.0000   0.5000   0.6667         2\n"
            "sunny day     1.0000      1.0000   1.0000   1.0000         1\n"
            "      elk     1.0000           -        -        -         0\n");
}

TEST(LabelTable, FitsInEightyColumnsAndForty) {
  LabelScores many(60, std::vector<std::string>(60, std::string(100, 'x') + "\nline"));
  many.add(std::vector<float>(60, 1.0F), std::vector<float>(60, 1.0F));
  std::istringstream lines(render_labels(many));
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line); all.push_back(line)) {
    EXPECT_LE(line.size(), 80U) << line;
  }
  ASSERT_EQ(all.size(), 3 + 1 + 40 + 1U);
  EXPECT_EQ(all.back(), "20 more, which --json lists");
}

TEST(LabelTable, IsJsonForPrograms) {
  const auto of = scores({});
  EXPECT_EQ(scores_json(of).dump(), "{\"accuracy\":" + nlohmann::json(of.accuracy()).dump() +
                                        ",\"exact\":0.5,\"f1_micro\":0.8,\"f1_macro\":" +
                                        nlohmann::json(*of.macro_f1()).dump() + "}");
  const auto labels = labels_json(of);
  ASSERT_EQ(labels.size(), 3U);
  EXPECT_EQ(labels[2].dump(),
            "{\"label\":2,\"accuracy\":1.0,\"precision\":null,\"recall\":null,\"f1\":null,"
            "\"samples\":0,\"guesses\":0}");
  EXPECT_EQ(labels_json(scores({"a", "b", "c"}))[1].at("name"), "b");
}

}  // namespace
}  // namespace millrace
