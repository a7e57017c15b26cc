#include "train/predictions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/support/training.h"

namespace millrace {
namespace {

MlpSpec small_model() {
  MlpSpec model;
  model.features = 20;
  model.hidden = {8};
  model.classes = 5;
  return model;
}

TEST(PredictAll, TellsOfEverySampleInOrder) {
  const MlpSpec model = small_model();
  const auto engine = make_engine(model, TrainSpec{}, {Device::Kind::kCpu, 0, 1});
  // More than one evaluation batch.
  const auto data = test::memory_dataset({.size = 4500});
  std::uint64_t next = 0;
  std::uint64_t correct = 0;
  double loss = 0.0;
  const Metrics metrics =
      predict_all(*engine, model, {data, Subset::all(4500)}, 1, [&](const Prediction& p) {
        EXPECT_EQ(p.sample, next++);
        EXPECT_EQ(p.label, data->contiguous().labels[p.sample]);
        EXPECT_EQ(p.logits.size(), 5U);
        if (p.guess == p.label) ++correct;
        loss += cross_entropy(p.logits, p.label);
      });
  EXPECT_EQ(next, 4500U);
  EXPECT_EQ(metrics.samples, 4500U);
  EXPECT_EQ(metrics.correct, correct);
  EXPECT_NEAR(metrics.loss_sum, loss, 1e-5 * loss);
}

TEST(PredictAll, NumbersTheSamplesOfASubsetAsTheirDataSetDoes) {
  const MlpSpec model = small_model();
  const auto engine = make_engine(model, TrainSpec{}, {Device::Kind::kCpu, 0, 1});
  const auto data = test::memory_dataset({.size = 100});
  const auto split = Split::random(100, 30, 3);
  std::vector<std::uint64_t> seen;
  for (const Subset& part : {split.train, split.validation}) {
    predict_all(*engine, model, {data, part}, 1, [&](const Prediction& p) {
      EXPECT_EQ(p.label, data->contiguous().labels[p.sample]);
      seen.push_back(p.sample);
    });
  }
  EXPECT_FALSE(std::ranges::is_sorted(seen));
  std::ranges::sort(seen);
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(seen[i], i);
}

TEST(Softmax, IsADistributionWhateverTheSizeOfItsLogits) {
  const auto shares = softmax(std::vector<float>{1000.0F, 1000.0F, -1000.0F});
  EXPECT_EQ(shares, (std::vector<double>{0.5, 0.5, 0.0}));
  EXPECT_TRUE(softmax({}).empty());
}

TEST(CrossEntropy, IsTheLogarithmOfTheLabelsShare) {
  const std::vector<float> logits{0.5F, -1.0F, 2.0F};
  for (std::int32_t label = 0; label < 3; ++label) {
    EXPECT_NEAR(cross_entropy(logits, label),
                -std::log(softmax(logits)[static_cast<std::size_t>(label)]), 1e-12);
  }
  EXPECT_EQ(cross_entropy(std::vector<float>{0.0F, 1e6F}, 0), 1e6);
}

}  // namespace
}  // namespace millrace
