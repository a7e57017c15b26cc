#include "train/step_pacer.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>

namespace millrace {
namespace {

TEST(StepPacer, MeasuresOneStepFirst) {
  const StepPacer pacer;
  EXPECT_EQ(pacer.next(64), 1U);
  EXPECT_EQ(pacer.next(0), 0U);
}

TEST(StepPacer, TakesAllOfAChunkOfQuickSteps) {
  StepPacer pacer;
  pacer.took(1, 40e-6);
  EXPECT_EQ(pacer.next(64), 64U);
  StepPacer immeasurable;
  immeasurable.took(1, 0.0);
  EXPECT_EQ(immeasurable.next(20'000'000U), 20'000'000U);
}

TEST(StepPacer, CutsSlowStepsToTheTarget) {
  StepPacer pacer;
  pacer.took(1, 0.005);
  EXPECT_EQ(pacer.next(64), 4U);  // of 5
  pacer.took(4, 5.0);
  EXPECT_EQ(pacer.next(64), 1U);
}

TEST(StepPacer, ComesBackToLargerSlicesByAndBy) {
  StepPacer pacer;
  pacer.took(1, 1.0);
  for (int i = 0; i < 20; ++i) pacer.took(1, 0.001);
  EXPECT_EQ(pacer.next(64), 16U);
}

TEST(StepPacer, HandsOutFewDifferentNumbersOfSteps) {
  StepPacer pacer;
  for (int i = 0; i < 1000; ++i) {
    pacer.took(1, 0.0003 + 0.00001 * (i * 7919 % 100));
    const std::uint32_t steps = pacer.next(100);
    EXPECT_TRUE(std::has_single_bit(steps)) << steps;
  }
}

}  // namespace
}  // namespace millrace
