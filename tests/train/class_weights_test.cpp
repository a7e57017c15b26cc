#include "train/class_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/training.h"
#include "train/confusion.h"
#include "train/predictions.h"
#include "train/trained_model.h"

namespace millrace {
namespace {

using test::outcome;
using test::run;

std::string refusal(const ClassWeights& weights) {
  try {
    resolve(weights, *test::training_data());
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ClassWeights, BalancedOnesGiveEachClassTheSameShare) {
  EXPECT_EQ(balanced_weights(std::vector<std::uint64_t>{30, 0, 10, 20}),
            (std::vector<float>{60.0F / 90.0F, 1.0F, 2.0F, 1.0F}));
  const auto data = test::training_data();
  const auto weights = resolve({.balanced = true}, *data);
  ASSERT_EQ(weights.size(), 5U);
  double sum = 0.0;
  for (const auto label : data->labels()) {
    sum += weights[static_cast<std::size_t>(label)];
  }
  EXPECT_NEAR(sum, 300.0, 1e-4) << "1 on the average";
}

TEST(ClassWeights, ThatCannotBeAreRefused) {
  EXPECT_TRUE(resolve({}, *test::training_data()).empty());
  EXPECT_EQ(refusal({.values = {1.0F, 2.0F}}),
            "--class-weights: expected 5 numbers, one for each class of memory, found 2");
  EXPECT_EQ(refusal({.values = {1.0F, 2.0F, -1.0F, 1.0F, 1.0F}}),
            "--class-weights: expected finite numbers of at least 0, found -1");
  EXPECT_NE(refusal({.values = {1.0F, 2.0F, std::numeric_limits<float>::infinity(), 1.0F, 1.0F}}),
            "accepted");
  EXPECT_EQ(refusal({.values = std::vector<float>(5, 0.0F)}),
            "--class-weights: expected a class with samples that weighs more than 0, found none");
}

TEST(ClassWeights, AreToldShort) {
  EXPECT_EQ(describe_class_weights({}), "none");
  EXPECT_EQ(describe_class_weights(std::vector<float>{1.0F, 0.5F}), "1,0.5");
  EXPECT_EQ(describe_class_weights(std::vector<float>(9, 2.0F)), "2,2,2,2,2,2,2,2,…");
}

// Of class 0 nine in ten samples, and each of them noise but for a hint.
class Rare final : public Dataset {
 public:
  Rare() : samples_(kSize * 4), labels_(kSize) {
    std::uint32_t state = 5;
    const auto draw = [&state] { return (state = state * 1664525U + 1013904223U) >> 24U; };
    for (std::uint64_t i = 0; i < kSize; ++i) {
      labels_[i] = i % 10 == 9 ? 1 : 0;
      for (std::uint64_t k = 0; k < 4; ++k) {
        samples_[i * 4 + k] =
            static_cast<std::byte>(draw() / 2 + (labels_[i] == 1 && k < 2 ? 50 : 0));
      }
    }
  }
  std::uint64_t size() const noexcept override { return kSize; }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return DType::kUInt8; }
  std::uint32_t classes() const noexcept override { return 2; }
  std::string name() const override { return "rare"; }
  std::string hash() const override { return std::string(32, '1'); }
  ContiguousView contiguous() const noexcept override { return {samples_, labels_}; }
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    check_read(*this, ids, samples, labels);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      std::copy_n(samples_.begin() + static_cast<std::ptrdiff_t>(ids[i] * 4), 4,
                  samples.begin() + static_cast<std::ptrdiff_t>(i * 4));
      labels[i] = labels_[ids[i]];
    }
  }

 private:
  static constexpr std::uint64_t kSize = 1000;
  SampleShape shape_{{4}};
  std::vector<std::byte> samples_;
  std::vector<std::int32_t> labels_;
};

TEST(ClassWeights, BalancedARunFindsTheRareClass) {
  const auto data = std::make_shared<const Rare>();
  const auto recall = [&](bool balanced) {
    const test::TempFolder folder;
    RunSpec spec = test::small_run();
    spec.optimizer = {0.05F, 0.9F, 0.0F};
    spec.validation_size = 0;
    spec.epochs = 10;
    spec.class_weights.balanced = balanced;
    spec.checkpoint_dir = folder.path();
    run(spec, data, nullptr);
    const TrainedModel model = load_model(folder / "last.safetensors");
    EXPECT_EQ(model.checkpoint.state.options.class_weights,
              balanced ? (std::vector<float>{1000.0F / 1800.0F, 5.0F}) : std::vector<float>{});
    const auto engine = make_engine(model, {Device::Kind::kCpu});
    Confusion confusion(2);
    predict_all(*engine, model.spec, {data, Subset::all(1000)}, 1,
                [&](const Prediction& p) { confusion.add(p.label, p.guess); });
    return confusion.recall(1).value();
  };
  EXPECT_GT(recall(true), recall(false) + 0.2);
}

TEST(ClassWeights, AResumedRunMayHaveOthersAndSaysSo) {
  const test::TempFolder folder;
  RunSpec spec = test::small_run();
  spec.class_weights.values = {1.0F, 2.0F, 1.0F, 0.5F, 1.0F};
  const auto whole = outcome(run(spec));
  EXPECT_NE(whole, outcome(run(test::small_run())));
  spec.checkpoint_dir = folder.path();
  spec.epochs = 1;
  run(spec);
  spec.epochs = 3;
  spec.resume = true;
  RunSpec other = spec;
  EXPECT_EQ(outcome(run(spec)), whole);
  other.resume_from = folder / "last.safetensors";
  other.epochs = 4;
  other.class_weights = {};
  test::Recorder recorder;
  run(other, test::training_data(), test::test_data(), {&recorder});
  ASSERT_EQ(recorder.notices.size(), 1U);
  EXPECT_EQ(recorder.notices[0], "class weights: checkpoint 1,2,1,0.5,1, this run none");
}

TEST(ClassWeights, ThatDifferWhereTheyAreNotShownAreNamed) {
  const test::TempFolder folder;
  RunSpec spec = test::small_run();
  spec.epochs = 1;
  spec.checkpoint_dir = folder.path();
  spec.class_weights.values.assign(12, 1.0F);
  const auto data = test::memory_dataset({.classes = 12, .width = 24});
  run(spec, data, nullptr);
  spec.epochs = 2;
  spec.resume = true;
  spec.class_weights.values[10] = 0.5F;
  test::Recorder recorder;
  run(spec, data, nullptr, {&recorder});
  ASSERT_EQ(recorder.notices.size(), 1U);
  EXPECT_EQ(recorder.notices[0], "weight of class 10: checkpoint 1, this run 0.5");
}

}  // namespace
}  // namespace millrace
