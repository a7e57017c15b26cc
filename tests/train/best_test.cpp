#include "train/best.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

EpochResult validated(double acc, double loss, double train_loss = 1.0) {
  EpochResult e;
  e.val_acc = acc;
  e.val_loss = loss;
  e.train_loss = train_loss;
  return e;
}

EpochResult trained(double train_loss) {
  EpochResult e;
  e.train_loss = train_loss;
  return e;
}

TEST(Best, AccuracyDecidesThenLoss) {
  EXPECT_TRUE(is_better(validated(0.9, 2.0), validated(0.8, 1.0)));
  EXPECT_FALSE(is_better(validated(0.8, 1.0), validated(0.9, 2.0)));
  EXPECT_TRUE(is_better(validated(0.9, 1.0), validated(0.9, 2.0)));
}

TEST(Best, OfEqualsNeitherIsBetter) {
  EXPECT_FALSE(is_better(validated(0.9, 1.0, 0.1), validated(0.9, 1.0, 0.2)));
}

TEST(Best, WithoutValidationTheTrainingLossDecides) {
  EXPECT_TRUE(is_better(trained(0.1), trained(0.2)));
  EXPECT_FALSE(is_better(trained(0.2), trained(0.1)));
}

TEST(Best, TheLastEpochMustBeatAllBefore) {
  EXPECT_FALSE(last_is_best({}));
  EXPECT_TRUE(last_is_best({validated(0.1, 1)}));
  EXPECT_TRUE(last_is_best({validated(0.5, 1), validated(0.4, 1), validated(0.6, 1)}));
  EXPECT_FALSE(last_is_best({validated(0.7, 1), validated(0.4, 1), validated(0.6, 1)}));
  EXPECT_FALSE(last_is_best({validated(0.7, 1), validated(0.7, 1)}));
}

}  // namespace
}  // namespace millrace
