#include "train/diverged.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace millrace {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

template <typename Check>
DivergedError caught(Check check) {
  try {
    check();
  } catch (const DivergedError& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {0, 0, ""};
}

TEST(Diverged, NamesTheStepOfTheWholeRun) {
  Metrics metrics;
  metrics.loss_sum = kNan;
  metrics.steps = 8;
  metrics.first_nonfinite_step = 3;
  const auto error = caught([&] { check_losses(metrics, 100, 2, {0.5F, 0.0F, 0.0F}); });
  EXPECT_EQ(error.step(), 103U);
  const std::string line = error.what();
  EXPECT_NE(line.find("step 103 (epoch 2)"), std::string::npos) << line;
  EXPECT_NE(line.find("learning rate below 0.5"), std::string::npos) << line;
}

TEST(Diverged, TheHintSpeaksOfMomentumWhereThereIsSome) {
  Metrics metrics;
  metrics.loss_sum = kNan;
  const auto error = caught([&] { check_evaluation(metrics, 9, 0, {0.5F, 0.9F, 0.0F}); });
  EXPECT_EQ(error.step(), 9U);
  EXPECT_NE(std::string(error.what()).find("momentum below 0.9"), std::string::npos);
}

TEST(Diverged, FiniteNumbersPass) {
  Metrics metrics;
  metrics.loss_sum = 1e300;
  EXPECT_NO_THROW(check_losses(metrics, 0, 0, {}));
  EXPECT_NO_THROW(check_evaluation(metrics, 0, 0, {}));
  EXPECT_NO_THROW(check_finite({{"0.bias", {2}, {1.0F, 3e38F}}}, 0, 0, {}));
}

TEST(Diverged, NamesTheTensorThatOverflowed) {
  const auto error = caught([] {
    check_finite({{"0.bias", {1}, {1.0F}}, {"2.bias", {2}, {1.0F, -kInf}}}, 5, 1, {});
  });
  EXPECT_EQ(error.step(), 5U);
  EXPECT_NE(std::string(error.what()).find("2.bias"), std::string::npos) << error.what();
}

}  // namespace
}  // namespace millrace
