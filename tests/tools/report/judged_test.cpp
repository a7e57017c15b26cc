#include "tools/report/judged.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

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

}  // namespace
}  // namespace millrace
