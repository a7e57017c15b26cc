#include "tools/report/judged.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "loader/standardized.h"
#include "tests/support/training.h"

namespace millrace {
namespace {

TEST(Judge, KeepsTheWorstMistakes) {
  MlpSpec model;
  model.features = 20;
  model.hidden = {8};
  model.classes = 5;
  const auto engine = make_engine(model, TrainSpec{}, {Device::Kind::kCpu, 0, 1});
  // Untrained: most of 2000 samples are mistakes, more than are kept on the way.
  const auto data = test::memory_dataset({.size = 2000});
  const Part part{data, Subset::all(2000)};
  std::vector<std::pair<double, std::uint64_t>> losses;
  predict_all(*engine, model, part, 1, [&](const Prediction& p) {
    if (p.guess != p.label) losses.emplace_back(-cross_entropy(p.logits, p.label), p.sample);
  });
  std::ranges::sort(losses);
  ASSERT_GT(losses.size(), 64U * 6U);

  const Judged judged = judge(*engine, model, part, "test", 1, 5);
  EXPECT_EQ(judged.metrics.samples, 2000U);
  EXPECT_EQ(judged.confusion.total() - judged.confusion.correct(), losses.size());
  ASSERT_EQ(judged.worst.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    const Mistake& m = judged.worst[i];
    EXPECT_EQ(m.sample, losses[i].second);
    EXPECT_EQ(m.loss, -losses[i].first);
    EXPECT_EQ(m.label, data->contiguous().labels[m.sample]);
    EXPECT_NE(m.guess, m.label);
    EXPECT_GT(m.guess_share, m.label_share);
    EXPECT_FALSE(m.picture);  // samples of 20 values are none
  }
}

TEST(Judge, DrawsSamplesAsTheyAreStored) {
  MlpSpec model;
  model.features = 20;
  model.input = InputType::kFloat32;
  model.input_scale = 1.0F;
  model.classes = 5;
  const auto engine = make_engine(model, TrainSpec{}, {Device::Kind::kCpu, 0, 1});
  const auto data = test::memory_dataset({.size = 50, .height = 4});
  Standardizer by;
  for (int f = 0; f < 20; ++f) {
    by.mean.push_back(static_cast<float>(9 * f));
    by.deviation.push_back(static_cast<float>(1 + f));
  }
  const auto seen = standardized(data, std::make_shared<const Standardizer>(by));
  const Judged judged = judge(*engine, model, {seen, Subset::all(50)}, "test", 1, 3);
  ASSERT_EQ(judged.worst.size(), 3U);
  for (const Mistake& mistake : judged.worst) {
    const auto stored = data->contiguous().samples.subspan(mistake.sample * 20, 20);
    const auto expected = picture_of(data->shape(), data->dtype(), stored);
    ASSERT_TRUE(mistake.picture && expected);
    EXPECT_EQ(mistake.picture->pixels, expected->pixels);
  }
}

}  // namespace
}  // namespace millrace
