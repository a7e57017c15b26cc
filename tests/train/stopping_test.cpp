#include "train/stopping.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/support/files.h"
#include "tests/support/training.h"

namespace millrace {
namespace {

std::vector<EpochResult> epochs(const std::vector<double>& accuracies) {
  std::vector<EpochResult> history;
  for (const double accuracy : accuracies) {
    EpochResult epoch;
    epoch.epoch = history.size();
    epoch.val_acc = accuracy;
    epoch.val_loss = 1.0;
    epoch.train_s = 2.0;
    epoch.val_s = 0.5;
    history.push_back(epoch);
  }
  return history;
}

TEST(Stopping, GoesOnWhereNothingWasAsked) {
  EXPECT_FALSE(reason_to_stop({}, epochs({0.9, 0.1, 0.1, 0.1})));
  EXPECT_FALSE(reason_to_stop({0.5F, 3}, {}));
  EXPECT_FALSE(time_to_target({}, epochs({0.9})));
}

TEST(Stopping, EndsAtTheTarget) {
  const StoppingSpec spec{.target_accuracy = 0.9F};
  EXPECT_FALSE(reason_to_stop(spec, epochs({0.5, 0.89})));
  EXPECT_EQ(reason_to_stop(spec, epochs({0.5, 0.9})), "the target accuracy of 0.9 is reached");
  EXPECT_FALSE(time_to_target(spec, epochs({0.5, 0.89})));
  EXPECT_EQ(time_to_target(spec, epochs({0.5, 0.9, 0.95})), 5.0);
}

TEST(Stopping, EndsWhenPatienceDoes) {
  const StoppingSpec spec{.patience = 2};
  EXPECT_FALSE(reason_to_stop(spec, epochs({0.5, 0.6, 0.6})));
  EXPECT_EQ(reason_to_stop(spec, epochs({0.5, 0.6, 0.6, 0.5})),
            "no epoch was better than epoch 1 in 2 epochs");
  EXPECT_FALSE(reason_to_stop(spec, epochs({0.5, 0.6, 0.6, 0.7})));
}

RunSpec patient_run() {
  RunSpec spec = test::small_run();
  spec.epochs = 60;
  spec.stopping.patience = 2;
  return spec;
}

TEST(Stopping, ARunEndsEarlyAndIsTested) {
  const RunResult result = test::run(patient_run());
  EXPECT_LT(result.history.size(), 60U);
  EXPECT_FALSE(result.stopped);
  EXPECT_TRUE(result.test_acc);
  EXPECT_EQ(result.ended_early, reason_to_stop({.patience = 2}, result.history));
  EXPECT_FALSE(test::run(test::small_run()).ended_early);
}

TEST(Stopping, AResumedRunEndsWhereItWouldHave) {
  const RunResult whole = test::run(patient_run());
  const test::TempFolder folder;
  RunSpec spec = patient_run();
  spec.checkpoint_dir = folder.path();
  spec.stopping = {};
  spec.epochs = whole.history.size() - 1;
  test::run(spec);
  for (int time = 0; time < 2; ++time) {  // the second has nothing left to train
    spec.stopping = patient_run().stopping;
    spec.epochs = 60;
    spec.resume = true;
    const RunResult resumed = test::run(spec);
    EXPECT_EQ(resumed.weights_hash, whole.weights_hash);
    EXPECT_EQ(resumed.history.size(), whole.history.size());
    EXPECT_EQ(resumed.ended_early, whole.ended_early);
  }
}

TEST(Stopping, KnowsWhenOneMoreEpochMayBeTheLast) {
  EXPECT_FALSE(may_stop_next({}, epochs({0.9, 0.1})));
  EXPECT_TRUE(may_stop_next({.target_accuracy = 0.9F}, {}));
  const std::vector<double> accuracies{0.5, 0.8, 0.6, 0.7, 0.9, 0.1, 0.2, 0.3};
  for (const std::uint64_t patience : {1U, 2U, 3U, 4U}) {
    const StoppingSpec spec{.patience = patience};
    EXPECT_FALSE(may_stop_next(spec, {}));
    for (std::size_t n = 1; n < accuracies.size(); ++n) {
      std::vector<double> some(accuracies.begin(), accuracies.begin() + static_cast<long>(n));
      if (reason_to_stop(spec, epochs(some))) break;
      // The worst that can come decides.
      auto worst = some;
      worst.push_back(0.0);
      EXPECT_EQ(may_stop_next(spec, epochs(some)), reason_to_stop(spec, epochs(worst)).has_value())
          << n << " epochs, patience " << patience;
    }
  }
}

TEST(Stopping, ATargetNeedsValidation) {
  RunSpec spec = test::small_run();
  spec.stopping.target_accuracy = 0.5F;
  EXPECT_TRUE(test::run(spec).target_s);
  spec.validation_size = 0;
  EXPECT_THROW(test::run(spec), std::invalid_argument);
}

}  // namespace
}  // namespace millrace
