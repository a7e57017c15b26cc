#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "formats/array_dataset.h"
#include "formats/error.h"
#include "tests/support/files.h"
#include "tests/support/training.h"
#include "train/label_scores.h"
#include "train/predictions.h"
#include "train/trained_model.h"

// Whole runs that learn which labels samples have.

namespace millrace {
namespace {

using test::memory_dataset;
using test::outcome;

// Numbers of noise, each a label where it is above what it is on the average.
std::shared_ptr<const Dataset> labelled(std::uint64_t size, std::uint32_t seed,
                                        std::vector<float> changed = {},
                                        std::vector<std::string> names = {}) {
  const auto numbers = memory_dataset({.size = size, .seed = seed, .targets = 3});
  Labels labels{.values = {}, .classes = 0, .targets = 3};
  for (std::size_t i = 0; i < size * 3; ++i) {
    const float above = target_of(numbers->labels()[i]) - 1000.0F * static_cast<float>(i % 3 + 1);
    labels.values.push_back(target_word(above > 127.5F ? 1.0F : 0.0F));
  }
  for (std::size_t i = 0; i < changed.size(); ++i) labels.values[i] = target_word(changed[i]);
  const auto view = numbers->contiguous();
  ColumnNames columns;
  columns.targets = std::move(names);
  return std::make_shared<ArrayDataset>(Array{.name = "labelled",
                                              .dtype = numbers->dtype(),
                                              .dims = {size, numbers->sample_bytes()},
                                              .owner = numbers,
                                              .data = view.samples},
                                        std::move(labels), std::vector<std::string>{},
                                        std::move(columns));
}

RunSpec learning() {
  RunSpec spec = test::small_run();
  spec.loss = Loss::kBinaryCrossEntropy;
  spec.hidden = {24};
  spec.optimizer = {0.5F, 0.9F, 0.0F};
  spec.epochs = 12;
  return spec;
}

RunResult run(const RunSpec& spec) { return test::run(spec, labelled(600, 1), labelled(90, 7)); }

TEST(Multilabel, LearnsLabelsAndSaysHowManyAreRight) {
  const test::TempFolder folder;
  RunSpec spec = learning();
  spec.checkpoint_dir = folder.path();
  test::Recorder recorder;
  const RunResult result = test::run(spec, labelled(600, 1), labelled(90, 7), {&recorder});
  EXPECT_EQ(recorder.started.at(0).task, Task::kMultilabel);
  EXPECT_GT(*result.test_acc, 0.85);
  EXPECT_GT(*result.history.back().val_acc, 0.85);
  EXPECT_GT(result.history.back().train_acc, 0.85);
  EXPECT_FALSE(result.test_r2);
  EXPECT_FALSE(result.history.back().val_r2);
  const TrainedModel model = load_model(result.checkpoint);
  EXPECT_EQ(model.task(), Task::kMultilabel);
  EXPECT_TRUE(model.spec.multilabel());
  // What the run says of the test is what the model says of its samples, one by one.
  const auto data = labelled(90, 7);
  const auto engine = make_engine(model, spec.device);
  LabelScores scores(3);
  double loss = 0.0;
  predict_all(*engine, model.spec, {seen_by(model, data), Subset::all(data->size())}, 1,
              [&](const Prediction& p) {
                scores.add(p.targets, p.logits);
                for (std::size_t t = 0; t < 3; ++t) {
                  const double yes = sigmoid(p.logits[t]);
                  loss -= std::log(p.targets[t] == 1.0F ? yes : 1.0 - yes) / 3.0;
                }
              });
  EXPECT_EQ(scores.accuracy(), *result.test_acc);
  EXPECT_NEAR(loss / 90.0, *result.test_loss, 1e-5);
}

TEST(Multilabel, ARunIsTheSameWhereverItsSamplesAre) {
  const auto expected = outcome(run(learning()));
  for (const auto residency : {Residency::kResident, Residency::kHost}) {
    RunSpec spec = learning();
    spec.residency = residency;
    spec.workers = 3;
    spec.device.threads = 2;
    EXPECT_EQ(outcome(run(spec)), expected);
  }
}

TEST(Multilabel, InBfloat16Too) {
  RunSpec spec = learning();
  spec.precision = Precision::kBFloat16;
  EXPECT_GT(*run(spec).test_acc, 0.75);
}

TEST(Multilabel, GoesOnInMidEpochAsIfItHadNotBeenStopped) {
  const auto expected = run(learning());
  const test::TempFolder folder;
  RunSpec spec = learning();
  spec.checkpoint_dir = folder.path();
  spec.checkpoint_every = 50;  // an epoch has 35
  spec.keep = 100;
  spec.epochs = 2;
  run(spec);
  spec = learning();
  spec.resume = true;
  spec.resume_from = folder.path() / "step-50.safetensors";
  const auto resumed = run(spec);
  EXPECT_EQ(resumed.weights_hash, expected.weights_hash);
  ASSERT_EQ(resumed.history.size(), expected.history.size());
  for (std::size_t e = 0; e < resumed.history.size(); ++e) {
    EXPECT_EQ(resumed.history[e].train_acc, expected.history[e].train_acc) << e;
    EXPECT_EQ(resumed.history[e].val_acc, expected.history[e].val_acc) << e;
  }
  EXPECT_EQ(resumed.test_acc, expected.test_acc);
  // Not as numbers.
  spec.loss = Loss::kSquaredError;
  try {
    run(spec);
    FAIL() << "went on with another task";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("task: checkpoint multilabel, this run regression"),
              std::string::npos)
        << error.what();
  }
}

TEST(Multilabel, StopsWhereAnAccuracyIsReached) {
  RunSpec spec = learning();
  spec.stopping.target_accuracy = 0.7F;
  spec.epochs = 100;
  const auto result = run(spec);
  ASSERT_TRUE(result.ended_early);
  EXPECT_GE(*result.history.back().val_acc, 0.7);
  EXPECT_LT(result.history.size(), 100U);
}

TEST(Multilabel, RefusesWhatIsOfOtherTasks) {
  const auto refusal = [](const auto& change) {
    RunSpec spec = learning();
    change(spec);
    try {
      run(spec);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refusal([](RunSpec& s) { s.stopping.target_r2 = 0.5F; }),
            "--target-r2: expected numbers to learn, found labels, which a sample has or has not");
  EXPECT_EQ(refusal([](RunSpec& s) { s.label_smoothing = 0.1F; }),
            "--label-smoothing: expected classes, found 3 targets in labelled");
  EXPECT_EQ(refusal([](RunSpec& s) { s.class_weights.balanced = true; }),
            "--class-weights: expected classes, found 3 targets in labelled");
}

TEST(Multilabel, NamesALabelThatIsNeitherZeroNorOne) {
  const auto error_of = [](const std::shared_ptr<const Dataset>& train,
                           const std::shared_ptr<const Dataset>& other, bool validation) {
    RunSpec spec = learning();
    if (validation) {
      spec.validation = other;
      spec.validation_size = 0;
    }
    return test::data_error_of([&] { (void)test::run(spec, train, validation ? nullptr : other); });
  };
  const auto bad = labelled(90, 7, {1, 0, 0, 0, 0.5F});
  EXPECT_EQ(
      error_of(labelled(600, 1, {2}), nullptr, false),
      "labelled: expected labels of 0 and 1 (--task multilabel), found 2 as label 0 of sample 0");
  for (const bool validation : {false, true}) {
    EXPECT_EQ(error_of(labelled(600, 1), bad, validation),
              "labelled: expected labels of 0 and 1 (--task multilabel), found 0.5 as label 1 of "
              "sample 1");
  }
  EXPECT_EQ(error_of(labelled(600, 1, {0, 0, 0, 0, 0, -1}, {"cat", "dog", "elk"}), nullptr, false),
            "labelled: expected labels of 0 and 1 (--task multilabel), found -1 as label \"elk\" "
            "of sample 1");
}

}  // namespace
}  // namespace millrace
