#include "train/sample_labels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "formats/array_dataset.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

// Samples of one value each, whose targets are `targets`.
ArrayDataset labelled(std::uint32_t labels, const std::vector<float>& targets,
                      std::vector<std::string> names = {}) {
  static const std::vector<float> values(100);
  Labels of{.values = {}, .classes = 0, .targets = labels};
  for (const float target : targets) of.values.push_back(target_word(target));
  ColumnNames columns;
  columns.targets = std::move(names);
  return {Array{.name = "days",
                .dtype = DType::kFloat32,
                .dims = {targets.size() / labels, 1},
                .owner = {},
                .data = std::as_bytes(std::span(values).first(targets.size() / labels))},
          std::move(of),
          {},
          std::move(columns)};
}

TEST(SampleLabels, AreZeroOrOne) {
  check_sample_labels(labelled(2, {0, 1, 1, 1, -0.0F, 0}));
  for (const std::string& text : std::vector<std::string>{"2", "0.5", "-1"}) {
    const float bad = std::stof(text);
    EXPECT_EQ(test::data_error_of([&] {
                check_sample_labels(labelled(2, {0, 1, 1, bad, 7, 0}));
              }),
              "days: expected labels of 0 and 1 (--task multilabel), found " + text +
                  " as label 1 of sample 1");
  }
  EXPECT_EQ(
      test::data_error_of([&] {
        check_sample_labels(labelled(2, {0, 1, 3, 0}, {"wet", "windy"}));
      }),
      "days: expected labels of 0 and 1 (--task multilabel), found 3 as label \"wet\" of sample 1");
}

TEST(SampleLabels, AreGuessedByTheirShares) {
  const auto shares = label_shares(labelled(3, {1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(shares, (std::vector<double>{0.75, 0.25, 0.0}));
  const double each = -(0.75 * std::log(0.75) + 0.25 * std::log(0.25));
  EXPECT_NEAR(guessing_loss_of_labels(shares), 2.0 * each / 3.0, 1e-12);
  EXPECT_EQ(guessing_loss_of_labels({}), 0.0);
}

}  // namespace
}  // namespace millrace
