#include "tools/trainer/nothing_learnt.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/array_dataset.h"
#include "formats/bytes.h"
#include "formats/class_sizes.h"
#include "tests/support/memory_dataset.h"

namespace millrace {
namespace {

/// Samples of one value, of classes 0, 1, 0, 1, …
ArrayDataset data_of(const std::vector<float>& values) {
  auto bytes = Bytes::allocate(values.size() * sizeof(float));
  std::memcpy(bytes.writable().data(), values.data(), bytes.size());
  const auto owner = std::make_shared<const Bytes>(std::move(bytes));
  Labels labels{.values = {}, .classes = 2};
  for (std::size_t i = 0; i < values.size(); ++i) {
    labels.values.push_back(static_cast<std::int32_t>(i % 2));
  }
  return {{.name = "x.npy",
           .dtype = DType::kFloat32,
           .dims = {values.size(), 1},
           .owner = owner,
           .data = owner->view()},
          std::move(labels)};
}

RunResult ended_at(double train_loss, std::optional<double> val_loss) {
  RunResult result;
  result.history.resize(2);
  result.history[1].train_loss = train_loss;
  result.history[1].val_loss = val_loss;
  return result;
}

std::string told(const RunSpec& spec, const RunResult& result, const Dataset& data) {
  return nothing_learnt_text(spec, result, data, class_sizes(data));
}

TEST(GuessingLoss, IsTheEntropyOfTheLabels) {
  EXPECT_NEAR(*guessing_loss(std::vector<std::uint64_t>{5, 5, 5}, 0.0), std::log(3.0), 1e-12);
  EXPECT_NEAR(*guessing_loss(std::vector<std::uint64_t>{3, 0, 1}, 0.0),
              -0.75 * std::log(0.75) - 0.25 * std::log(0.25), 1e-12);
  EXPECT_FALSE(guessing_loss(std::vector<std::uint64_t>{1, 0}, 0.0));
  EXPECT_FALSE(guessing_loss({}, 0.0));
  // Weighted, a class of nine samples and one of three are alike, and their losses 1.5 times as
  // large.
  EXPECT_NEAR(*guessing_loss(std::vector<std::uint64_t>{9, 3}, 0.0, std::vector<float>{1.0F, 3.0F}),
              1.5 * std::log(2.0), 1e-12);
  EXPECT_FALSE(
      guessing_loss(std::vector<std::uint64_t>{9, 3}, 0.0, std::vector<float>{1.0F, 0.0F}));
  // A tenth of each label's weight is shared by both classes.
  EXPECT_NEAR(*guessing_loss(std::vector<std::uint64_t>{3, 1}, 0.1),
              -0.725 * std::log(0.725) - 0.275 * std::log(0.275), 1e-12);
}

TEST(NothingLearnt, IsSaidOfARunThatEndsWhereGuessingDoes) {
  const auto small = data_of({0, 1, -1, 2});
  RunSpec spec;
  spec.optimizer.learning_rate = 0.5F;
  EXPECT_EQ(told(spec, ended_at(0.70, 0.69), small),
            "hardly anything was learnt: train_loss is 0.7000, and 0.6931 where each class is "
            "guessed as often as it comes; another --lr than 0.5 may help");
  const auto large = data_of({0, 1, -300, 2});
  spec.optimizer.learning_rate = 0.1F;
  const auto text = told(spec, ended_at(0.67, {}), large);
  EXPECT_TRUE(
      text.ends_with("another --lr than 0.1 may help, and --standardize on: values reach 300 and "
                     "are taken as they are"))
      << text;
}

TEST(NothingLearnt, IsSaidOfTargetsByR2) {
  const auto numbers = test::memory_dataset({.targets = 1});
  RunSpec spec;
  spec.optimizer.learning_rate = 0.1F;
  auto run = ended_at(1.0, 1.0);
  run.history.back().train_r2 = 0.01;
  run.history.back().val_r2 = -0.02;
  EXPECT_EQ(nothing_learnt_text(spec, run, *numbers, {}),
            "hardly anything was learnt: train_r2 is 0.01, and 0 where the mean is predicted of "
            "each sample; another --lr than 0.1 may help");
  run.history.back().val_r2 = 0.3;
  EXPECT_EQ(nothing_learnt_text(spec, run, *numbers, {}), "");
  run.history.back().val_r2.reset();
  run.history.back().train_r2 = 0.1;
  EXPECT_EQ(nothing_learnt_text(spec, run, *numbers, {}), "");
}

TEST(NothingLearnt, IsSaidOfLabelsByTheirShares) {
  // Half of the samples have the one label.
  Labels labels{.values = {}, .classes = 0, .targets = 1};
  for (int i = 0; i < 4; ++i) labels.values.push_back(target_word(i % 2 == 0 ? 1.0F : 0.0F));
  const std::vector<float> values{0, 1, -1, 2};
  const ArrayDataset data({.name = "labels",
                           .dtype = DType::kFloat32,
                           .dims = {4, 1},
                           .owner = {},
                           .data = std::as_bytes(std::span(values))},
                          std::move(labels));
  RunSpec spec;
  spec.loss = Loss::kBinaryCrossEntropy;
  spec.optimizer.learning_rate = 0.5F;
  EXPECT_EQ(nothing_learnt_text(spec, ended_at(0.70, 0.69), data, {}),
            "hardly anything was learnt: train_loss is 0.7000, and 0.6931 where each label is "
            "given as often as it comes; another --lr than 0.5 may help");
  EXPECT_EQ(nothing_learnt_text(spec, ended_at(0.70, 0.5), data, {}), "");
  EXPECT_EQ(nothing_learnt_text(spec, ended_at(0.5, 0.69), data, {}), "");
}

TEST(LargeValues, AreToldOf) {
  RunSpec spec;
  EXPECT_EQ(large_values_text(spec, data_of({0, 1, -300, 2})),
            "--standardize on: values reach 300 and are taken as they are");
  EXPECT_EQ(large_values_text(spec, data_of({0, 1, -3, 2})), "");
  spec.standardize = true;
  EXPECT_EQ(large_values_text(spec, data_of({0, 1, -300, 2})), "");
}

TEST(NothingLearnt, IsNotSaidOfOthers) {
  const auto data = data_of({0, 1, 300, 2});
  const RunSpec spec;
  EXPECT_EQ(told(spec, ended_at(0.5, 0.9), data), "") << "learnt by heart";
  EXPECT_EQ(told(spec, ended_at(0.7, 0.5), data), "") << "just begun to";
  auto short_run = ended_at(0.7, 0.7);
  short_run.history.erase(short_run.history.begin());
  EXPECT_EQ(told(spec, short_run, data), "");
  EXPECT_EQ(told(spec, ended_at(0.7, 0.7), data_of({1})), "") << "one class";
}

}  // namespace
}  // namespace millrace
