#include "tools/trainer/console_observer.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

EpochResult epoch() {
  EpochResult result;
  result.epoch = 0;
  result.train_loss = 0.30111;
  result.train_acc = 0.9132;
  result.val_loss = 0.22341;
  result.val_acc = 0.93537;
  result.train_s = 0.0412;
  return result;
}

TEST(EpochLine, StartsWithValidation) {
  EXPECT_EQ(epoch_line(epoch()),
            "Epoch [0], val_loss: 0.2234, val_acc: 0.9354, train_loss: 0.3011, train_s: 0.041");
}

TEST(EpochLine, HasTrainingAloneWithoutValidation) {
  EpochResult result = epoch();
  result.epoch = 12;
  result.val_loss.reset();
  result.val_acc.reset();
  result.train_s = 2.8131;
  EXPECT_EQ(epoch_line(result), "Epoch [12], train_loss: 0.3011, train_acc: 0.9132, train_s: 2.81");
  result.train_r2 = 0.85;
  EXPECT_EQ(epoch_line(result), "Epoch [12], train_loss: 0.3011, train_r2: 0.8500, train_s: 2.81");
  result.val_loss = 0.2;
  result.val_r2 = 0.75;
  EXPECT_EQ(epoch_line(result),
            "Epoch [12], val_loss: 0.2000, val_r2: 0.7500, train_loss: 0.3011, train_s: 2.81");
  result.val_loss = 123456789.0;
  result.val_r2 = -1234567.0;
  result.train_loss = 9999.5;
  EXPECT_EQ(
      epoch_line(result),
      "Epoch [12], val_loss: 1.235e+08, val_r2: -1.235e+06, train_loss: 9999.5000, train_s: 2.81");
}

TEST(EpochLine, Fits80Columns) {
  EpochResult result = epoch();
  for (const double seconds : {0.0001, 0.0412, 0.9994, 0.9996, 9.994}) {
    result.train_s = seconds;
    EXPECT_LE(epoch_line(result).size(), 80U);
  }
}

TEST(BadSamplesLine, SaysHowManyAndWhatBecameOfThem) {
  RunInfo info;
  info.train_samples = 50'000;
  info.validation_samples = 10'000;
  info.test_samples = 90;
  info.bad_budget = 60;
  info.on_bad = OnBad::kSkip;
  RunResult result;
  EXPECT_EQ(bad_samples_line(info, result), "Bad samples: none");
  result.bad_samples = 3;
  EXPECT_EQ(bad_samples_line(info, result), "Bad samples: 3 of 60000 skipped (at most 60)");
  result.bad_test_samples = 1;
  info.on_bad = OnBad::kSubstitute;
  EXPECT_EQ(bad_samples_line(info, result),
            "Bad samples: 3 of 60000 substituted (at most 60), 1 of 90 left out of the test");
  result.bad_samples = 0;
  EXPECT_EQ(bad_samples_line(info, result),
            "Bad samples: 0 of 60000, 1 of 90 left out of the test");
}

}  // namespace
}  // namespace millrace
