#include "loader/stage_clock.h"

#include <gtest/gtest.h>

#include <chrono>

namespace millrace {
namespace {

TEST(StageClock, ChargesEachSpanToWhatHeldInIt) {
  const StageClock::Clock::time_point start{};
  const auto at = [start](int seconds) { return start + std::chrono::seconds(seconds); };
  StageClock clock(start);
  clock.change(at(1), {2, 0, 1});  // the first second: nothing yet
  clock.change(at(3), {0, 3, 0});
  clock.change(at(4), {});
  clock.change(at(9), {1, 1, 1});
  const StageTimes times = clock.times_at(at(10));
  EXPECT_DOUBLE_EQ(times.busy, 2 * 2 + 1);
  EXPECT_DOUBLE_EQ(times.starved, 3 + 1);
  EXPECT_DOUBLE_EQ(times.blocked, 2 + 1);
  EXPECT_DOUBLE_EQ(clock.times_at(at(9)).busy, 4);
}

}  // namespace
}  // namespace millrace
