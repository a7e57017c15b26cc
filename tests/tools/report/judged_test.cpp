#include "tools/report/judged.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
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

TEST(Judge, KeepsTheTargetsThatAreFarthestOff) {
  MlpSpec model;
  model.features = 20;
  model.classes = 2;
  model.loss = Loss::kSquaredError;
  model.target_scales = {{1000.0F, 10.0F}, {2000.0F, 20.0F}};
  const auto engine = make_engine(model, TrainSpec{}, {Device::Kind::kCpu, 0, 1});
  const auto data = test::memory_dataset({.size = 2500, .targets = 2});
  const Part part{data, Subset::all(2500)};
  double largest = 0.0;
  predict_all(*engine, model, part, 1, [&](const Prediction& p) {
    for (std::size_t t = 0; t < 2; ++t) {
      largest = std::max(largest, std::abs(double{p.logits[t]} - double{p.targets[t]}) /
                                      double{model.target_scales[t].deviation});
    }
  });
  const Judged judged = judge(*engine, model, part, "test", 1, 5);
  ASSERT_TRUE(judged.errors);
  EXPECT_EQ(judged.errors->samples(), 2500U);
  ASSERT_EQ(judged.farthest.size(), 12U);
  EXPECT_EQ(judged.farthest[0].error, largest);
  EXPECT_TRUE(std::ranges::is_sorted(judged.farthest, std::ranges::greater{}, &FarOff::error));
  const FarOff& far = judged.farthest[3];
  EXPECT_EQ(target_word(far.truth), data->labels()[2 * far.sample + far.target]);
  ASSERT_EQ(judged.points.size(), 2U);
  EXPECT_LE(judged.points[0].size(), 1000U);
  EXPECT_GE(judged.points[0].size(), 800U);
  EXPECT_EQ(target_word(judged.points[1][0].truth), data->labels()[1]);
  EXPECT_TRUE(judged.worst.empty());
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
