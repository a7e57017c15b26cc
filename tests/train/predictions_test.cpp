#include "train/predictions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "compute/stage.h"
#include "loader/standardized.h"
#include "tests/support/forwarding_engine.h"
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

// Hears of chunks and of who loads them.
class Chunks final : public test::ForwardingEngine, public StageListener {
 public:
  using ForwardingEngine::ForwardingEngine;

  void predict(const Chunk& chunk, std::span<float> logits) override {
    samples.push_back(chunk.samples.data());
    ForwardingEngine::predict(chunk, logits);
    said.insert(said.end(), logits.begin(), logits.end());
  }
  void begin(Stage stage, std::uint64_t) noexcept override {
    if (stage == Stage::kGather) loaded = true;
  }
  void end(Stage) noexcept override {}

  std::vector<const std::byte*> samples;
  std::vector<float> said;
  std::atomic<bool> loaded{false};
};

// Of 5,000 samples, more than the engine gets at once.
class PredictAllOf : public testing::Test {
 protected:
  std::unique_ptr<Chunks> predict(std::shared_ptr<const Dataset> data, const Subset& subset) const {
    auto chunks =
        std::make_unique<Chunks>(make_engine(model, TrainSpec{}, {Device::Kind::kCpu, 0, 1}));
    const StageListening listening(*chunks);
    predict_all(*chunks, model, {std::move(data), subset}, 1, [](const Prediction&) {});
    return chunks;
  }

  MlpSpec model = [] {
    MlpSpec of = small_model();
    of.features = 200;
    return of;
  }();
  const std::shared_ptr<const Dataset> in_memory =
      test::memory_dataset({.size = 5000, .width = 200});
  const std::shared_ptr<const Dataset> elsewhere =
      test::memory_dataset({.size = 5000, .width = 200, .contiguous = false});
};

TEST_F(PredictAllOf, HandsOverSamplesWhereTheyLie) {
  const auto loaded = predict(elsewhere, Subset::all(5000));
  const auto there = predict(in_memory, Subset::all(5000));
  EXPECT_TRUE(loaded->loaded);
  EXPECT_FALSE(there->loaded);
  EXPECT_EQ(there->said, loaded->said);
  const std::byte* first = in_memory->contiguous().samples.data();
  EXPECT_EQ(there->samples, (std::vector<const std::byte*>{first, first + 4096 * 200}));
}

TEST_F(PredictAllOf, ReadsAFewInAnyOrderItself) {
  const auto [many, few] = Split::random(5000, 100, 3);
  for (const Subset& subset : {many, few}) {
    const auto loaded = predict(elsewhere, subset);
    const auto read = predict(in_memory, subset);
    EXPECT_TRUE(loaded->loaded);
    EXPECT_EQ(read->loaded, subset.size() > 1000);
    EXPECT_EQ(read->said.size(), subset.size() * 5);
    EXPECT_EQ(read->said, loaded->said);
  }
}

TEST_F(PredictAllOf, ReadsAFewStandardisedOnesItself) {
  model.input = InputType::kFloat32;
  const auto by = std::make_shared<const Standardizer>(
      Standardizer{std::vector<float>(200, 100.0F), std::vector<float>(200, 50.0F)});
  const Subset few = Split::random(5000, 100, 3).validation;
  const auto loaded = predict(standardized(elsewhere, by), few);
  const auto read = predict(standardized(in_memory, by), few);
  EXPECT_TRUE(loaded->loaded);
  EXPECT_FALSE(read->loaded);
  EXPECT_EQ(read->said, loaded->said);
}

TEST_F(PredictAllOf, LeavesWhatIsWrongToTheLoader) {
  EXPECT_THROW(predict(in_memory, Subset{}), std::invalid_argument);
  EXPECT_ANY_THROW(predict(in_memory, Subset::all(5001)));
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
