#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "formats/array_dataset.h"
#include "formats/error.h"
#include "formats/forwarding_dataset.h"
#include "tests/support/files.h"
#include "tests/support/training.h"
#include "train/predictions.h"
#include "train/target_errors.h"
#include "train/target_scales.h"
#include "train/trained_model.h"

// Whole runs that learn numbers.

namespace millrace {
namespace {

using test::memory_dataset;
using test::outcome;

std::shared_ptr<const Dataset> numbers(std::uint32_t targets) {
  return memory_dataset({.size = 600, .targets = targets});
}
std::shared_ptr<const Dataset> other_numbers(std::uint32_t targets) {
  return memory_dataset({.size = 90, .seed = 7, .name = "memory-test", .targets = targets});
}

RunSpec learning() {
  RunSpec spec = test::small_run();
  spec.hidden = {24};
  spec.optimizer = {0.05F, 0.9F, 0.0F};
  spec.epochs = 12;
  return spec;
}

RunResult run(const RunSpec& spec, std::uint32_t targets = 1) {
  return test::run(spec, numbers(targets), other_numbers(targets));
}

std::string refusal(const RunSpec& spec, std::uint32_t targets = 1) {
  try {
    run(spec, targets);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Regression, LearnsNumbersFarFromZero) {
  for (const std::uint32_t targets : {1U, 3U}) {
    for (const Loss loss : {Loss::kSquaredError, Loss::kAbsoluteError, Loss::kHuber}) {
      RunSpec spec = learning();
      spec.loss = loss;
      const RunResult result = run(spec, targets);
      EXPECT_GT(*result.test_r2, 0.9) << name_of(loss) << ' ' << targets;
      EXPECT_GT(*result.history.back().val_r2, 0.9);
      EXPECT_GT(*result.history.back().train_r2, 0.9);
      EXPECT_FALSE(result.test_acc);
      EXPECT_FALSE(result.history.back().val_acc);
      EXPECT_EQ(result.test_rmse.has_value(), targets == 1);
      EXPECT_EQ(result.history.back().val_rmse.has_value(), targets == 1);
    }
  }
}

TEST(Regression, InBfloat16Too) {
  RunSpec spec = learning();
  spec.precision = Precision::kBFloat16;
  EXPECT_GT(*run(spec, 2).test_r2, 0.9);
}

TEST(Regression, ARunIsTheSameWhereverItsSamplesAre) {
  const auto expected = outcome(run(learning(), 3));
  for (const auto residency : {Residency::kResident, Residency::kHost}) {
    RunSpec spec = learning();
    spec.residency = residency;
    spec.workers = 3;
    spec.device.threads = 2;
    EXPECT_EQ(outcome(run(spec, 3)), expected);
    spec.batch = 17;
    EXPECT_NE(outcome(run(spec, 3)), expected);
  }
}

TEST(Regression, MeasuresWhatItsPredictionsSay) {
  const test::TempFolder folder;
  RunSpec spec = learning();
  spec.epochs = 3;
  spec.checkpoint_dir = folder.path();
  const RunResult result = run(spec);
  const TrainedModel model = load_model(result.checkpoint);
  EXPECT_EQ(model.task(), Task::kRegression);
  ASSERT_EQ(model.spec.target_scales.size(), 1U);
  EXPECT_GT(model.spec.target_scales[0].mean, 1000.0F);
  const auto data = other_numbers(1);
  const auto engine = make_engine(model, spec.device);
  double squares = 0.0;
  double sum = 0.0;
  double sum_of_squares = 0.0;
  std::uint64_t next = 0;
  predict_all(*engine, model.spec, {seen_by(model, data), Subset::all(data->size())}, 1,
              [&](const Prediction& prediction) {
                ASSERT_EQ(prediction.targets.size(), 1U);
                ASSERT_EQ(prediction.logits.size(), 1U);
                EXPECT_EQ(prediction.sample, next);
                EXPECT_EQ(target_word(prediction.targets[0]), data->labels()[next++]);
                const double target = prediction.targets[0];
                squares += std::pow(target - double{prediction.logits[0]}, 2);
                sum += target;
                sum_of_squares += target * target;
              });
  EXPECT_NEAR(*result.test_rmse, std::sqrt(squares / 90.0), 1e-3);
  const double spread = sum_of_squares - sum * sum / 90.0;
  EXPECT_NEAR(*result.test_r2, 1.0 - squares / spread, 1e-5);
}

TEST(Regression, GoesOnInMidEpochAsIfItHadNotBeenStopped) {
  const auto expected = run(learning(), 2);
  const test::TempFolder folder;
  RunSpec spec = learning();
  spec.checkpoint_dir = folder.path();
  spec.checkpoint_every = 50;  // an epoch has 35
  spec.keep = 100;
  spec.epochs = 2;
  run(spec, 2);
  spec = learning();
  spec.resume = true;
  spec.resume_from = folder.path() / "step-50.safetensors";
  const auto resumed = run(spec, 2);
  EXPECT_EQ(resumed.weights_hash, expected.weights_hash);
  ASSERT_EQ(resumed.history.size(), expected.history.size());
  for (std::size_t e = 0; e < resumed.history.size(); ++e) {
    EXPECT_EQ(resumed.history[e].train_r2, expected.history[e].train_r2) << e;
    EXPECT_EQ(resumed.history[e].val_r2, expected.history[e].val_r2) << e;
  }
  EXPECT_EQ(resumed.test_r2, expected.test_r2);
}

TEST(Regression, IsNotGoneOnWithAsAnotherOne) {
  const test::TempFolder folder;
  RunSpec spec = learning();
  spec.epochs = 1;
  spec.checkpoint_dir = folder.path();
  run(spec);
  spec.resume = true;
  spec.epochs = 2;
  spec.standardize_targets = false;
  try {
    run(spec);
    FAIL() << "targets of another scale";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("standardised targets: checkpoint on, this run off"),
              std::string::npos)
        << error.what();
  }
  spec.standardize_targets = true;
  spec.loss = Loss::kHuber;  // as another learning rate
  test::Recorder recorder;
  test::run(spec, numbers(1), other_numbers(1), {&recorder});
  ASSERT_FALSE(recorder.notices.empty());
  EXPECT_EQ(recorder.notices.back(), "loss: checkpoint mse, this run huber");
}

TEST(Regression, BeginsWithWeightsAndScalesOfAnotherRun) {
  const test::TempFolder folder;
  RunSpec spec = learning();
  spec.epochs = 2;
  spec.checkpoint_dir = folder.path();
  const auto before = run(spec);
  RunSpec next = learning();
  next.epochs = 1;
  next.optimizer.learning_rate = 0.0F;
  next.init = before.checkpoint;
  test::Recorder recorder;
  // Of data with another mean: the scale is still that of the weights.
  const auto shifted = memory_dataset({.size = 400, .seed = 3, .targets = 1});
  const auto after = test::run(next, shifted, other_numbers(1), {&recorder});
  EXPECT_EQ(after.test_r2, before.test_r2);
  ASSERT_FALSE(recorder.notices.empty());
  EXPECT_EQ(recorder.notices[0],
            "targets are standardised as those of " + before.checkpoint.string() + " were");
  next.standardize_targets = false;
  EXPECT_THROW(test::run(next, shifted, other_numbers(1)), DataError);
  // Weights that learnt targets as they are, and nobody said so.
  spec.standardize_targets = false;
  spec.optimizer.learning_rate = 1e-6F;
  next.standardize_targets = true;
  next.init = run(spec).checkpoint;
  test::Recorder other;
  test::run(next, shifted, other_numbers(1), {&other});
  ASSERT_FALSE(other.notices.empty());
  EXPECT_EQ(other.notices[0], next.init.string() +
                                  " says nothing of targets: they are standardised by those of "
                                  "memory");
}

TEST(Regression, TakesTargetsAsTheyAreWhereAsked) {
  RunSpec spec = learning();
  spec.standardize_targets = false;
  spec.optimizer = {0.01F};
  spec.optimizer.kind = OptimizerSpec::Kind::kAdam;
  const test::TempFolder folder;
  spec.checkpoint_dir = folder.path();
  const auto result = run(spec);
  const auto model = load_model(result.checkpoint);
  EXPECT_TRUE(model.spec.target_scales.empty());
  EXPECT_EQ(model.task(), Task::kRegression);
  EXPECT_GT(result.history.front().train_loss, 1000.0) << "in the targets' own unit, squared";
}

TEST(Regression, StopsWhereR2IsReachedAndKeepsTheBestEpoch) {
  RunSpec spec = learning();
  spec.stopping.target_r2 = 0.5F;
  spec.epochs = 100;
  const auto result = run(spec);
  ASSERT_TRUE(result.ended_early);
  EXPECT_EQ(*result.ended_early, "the target R² of 0.5 is reached");
  EXPECT_GE(*result.history.back().val_r2, 0.5);
  EXPECT_TRUE(result.target_s);
}

// Of other numbers, whose targets are `scale` times as far from `shift`.
std::shared_ptr<const Dataset> moved(const Dataset& data, float scale, float shift) {
  Labels labels{.values = {}, .classes = 0, .targets = 1};
  for (const auto word : data.labels()) {
    labels.values.push_back(target_word(shift + scale * (target_of(word) - 1128.0F)));
  }
  const auto view = data.contiguous();
  return std::make_shared<ArrayDataset>(Array{.name = "moved",
                                              .dtype = data.dtype(),
                                              .dims = {data.size(), data.sample_bytes()},
                                              .owner = {},
                                              .data = view.samples},
                                        std::move(labels));
}

TEST(Regression, MeasuresWhatIsLeftOfErrorsThatAreVerySmall) {
  // The last bits of what was learnt are noise, of which R² must not be 1.
  const auto data = numbers(1);
  const auto tiny = moved(*data, 1e-5F, 0.0F);
  RunSpec spec = learning();
  spec.standardize_targets = false;
  spec.optimizer = {0.0F};
  spec.epochs = 1;
  const RunResult result = test::run(spec, tiny, nullptr);
  EXPECT_LT(*result.history[0].val_r2, 0.1) << "nothing was learnt";
  EXPECT_GT(*result.history[0].val_rmse, 1e-6);
  try {
    test::run(spec, moved(*data, 1e-10F, 0.0F), nullptr);
    FAIL() << "their squares are lost in rounding";
  } catch (const std::invalid_argument& error) {
    EXPECT_EQ(std::string(error.what())
                  .find("--standardize-targets: expected on for targets that "
                        "vary by less than 1e-06, found off for some that "),
              0U)
        << error.what();
  }
}

TEST(Regression, TellsOfTargetsThatFloatsHaveNoStepsFor) {
  test::Recorder recorder;
  RunSpec spec = learning();
  spec.epochs = 1;
  const auto data = numbers(1);
  test::run(spec, moved(*data, 1.0F, 1e9F), nullptr, {&recorder});
  ASSERT_EQ(recorder.notices.size(), 1U);
  EXPECT_NE(recorder.notices[0].find("float32 holds numbers near 1e+09 in steps of 64: "),
            std::string::npos)
      << recorder.notices[0];
}

TEST(Regression, GoesOnWhereSquaresAreNoFloatsButErrorsAre) {
  const test::TempFolder folder;
  RunSpec spec = learning();
  spec.standardize_targets = false;
  spec.loss = Loss::kAbsoluteError;
  spec.epochs = 2;
  const auto data = numbers(1);
  const auto huge = moved(*data, 1e30F, 0.0F);
  const auto expected = test::run(spec, huge, nullptr);
  EXPECT_TRUE(std::isfinite(*expected.history.back().val_r2));
  RunSpec first = spec;
  first.checkpoint_dir = folder.path();
  first.checkpoint_every = 10;
  first.keep = 100;
  test::run(first, huge, nullptr);
  spec.resume = true;
  spec.resume_from = folder.path() / "step-10.safetensors";
  EXPECT_EQ(test::run(spec, huge, nullptr).weights_hash, expected.weights_hash);
}

// Some of whose samples cannot be read, but for their targets.
class FaultyNumbers final : public ForwardingDataset<Dataset> {
 public:
  FaultyNumbers(std::shared_ptr<const Dataset> whole, std::set<std::uint64_t> bad)
      : ForwardingDataset(std::move(whole)), bad_(std::move(bad)) {}
  std::string hash() const override { throw DataError("numbers.bin", "is broken"); }
  std::span<const std::int32_t> labels() const noexcept override { return of().labels(); }
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    for (const auto id : ids) {
      if (bad_.contains(id)) throw DataError("numbers.bin", "sample " + std::to_string(id));
    }
    of().read(ids, samples, labels);
  }

 private:
  std::set<std::uint64_t> bad_;
};

TEST(Regression, HoldsErrorsAgainstTheSamplesThatWereMeasured) {
  const auto test = other_numbers(1);
  std::set<std::uint64_t> large;  // a quarter, all on one side
  for (std::uint64_t i = 0; i < test->size(); ++i) {
    if (target_of(test->labels()[i]) > 1250.0F) large.insert(i);
  }
  ASSERT_GT(large.size(), 10U);
  const test::TempFolder folder;
  RunSpec spec = learning();
  spec.epochs = 3;
  spec.on_bad = OnBad::kSkip;
  spec.bad_budget = {.count = 90};
  spec.checkpoint_dir = folder.path();
  const auto faulty = std::make_shared<FaultyNumbers>(test, large);
  const RunResult result = test::run(spec, numbers(1), faulty);
  const TrainedModel model = load_model(result.checkpoint);
  const auto engine = make_engine(model, spec.device);
  TargetErrors errors(1);
  predict_all(
      *engine, model.spec, {faulty, Subset::all(test->size()), OnBad::kLeaveOut}, 1,
      [&](const Prediction& p) { errors.add(p.targets, p.logits); },
      [](std::span<const BadPlace>) {});
  EXPECT_EQ(errors.samples(), test->size() - large.size());
  EXPECT_NEAR(*result.test_r2, errors.r2(0), 1e-5);
}

TEST(Regression, RefusesWhatIsOfClasses) {
  RunSpec spec = learning();
  spec.label_smoothing = 0.1F;
  EXPECT_EQ(refusal(spec), "--label-smoothing: expected classes, found 1 target in memory");
  spec = learning();
  spec.class_weights.balanced = true;
  EXPECT_EQ(refusal(spec, 2), "--class-weights: expected classes, found 2 targets in memory");
  spec = learning();
  spec.stopping.target_accuracy = 0.9F;
  EXPECT_EQ(refusal(spec), "--target-acc: expected classes or labels, found 1 target in memory");
  spec = learning();
  spec.loss = Loss::kCrossEntropy;
  EXPECT_EQ(refusal(spec), "--loss: expected mse, mae or huber, found cross-entropy");
  spec = test::small_run();
  spec.stopping.target_r2 = 0.9F;
  try {
    test::run(spec);
    FAIL() << "there are classes";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "--target-r2: expected targets, numbers to learn, found 5 classes in memory");
  }
}

TEST(Regression, IsTestedOnAsManyTargets) {
  try {
    test::run(learning(), numbers(2), other_numbers(1));
    FAIL() << "the test set has one";
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(),
                 "memory-test: expected 2 targets, as in the training set, found 1 target");
  }
  EXPECT_THROW(test::run(learning(), numbers(2), test::test_data()), DataError);
}

TEST(Regression, AModelGoesWithItsTargetsAlone) {
  const test::TempFolder folder;
  RunSpec spec = learning();
  spec.epochs = 1;
  spec.checkpoint_dir = folder.path();
  const auto named = [](std::vector<std::string> names) {
    return memory_dataset({.size = 600,
                           .columns = {.values = {}, .label = "", .targets = std::move(names)},
                           .targets = 2});
  };
  const auto model = load_model(test::run(spec, named({"x", "y"}), nullptr).checkpoint);
  EXPECT_EQ(model.checkpoint.state.columns.targets, (std::vector<std::string>{"x", "y"}));
  EXPECT_NO_THROW(check_goes_with(model, *named({"x", "y"})));
  EXPECT_NO_THROW(check_goes_with(model, *numbers(2)));
  const auto reason = [&](const Dataset& data) {
    try {
      check_goes_with(model, data);
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string("goes");
  };
  EXPECT_NE(reason(*named({"x", "z"})).find("target 1: model \"y\", memory \"z\""),
            std::string::npos);
  EXPECT_NE(reason(*numbers(1)).find("to be predicted: model 2 targets, memory 1 target"),
            std::string::npos);
  EXPECT_NE(reason(*test::training_data()).find("model 2 targets, memory 5 classes"),
            std::string::npos);
}

}  // namespace
}  // namespace millrace
