#include "tools/console/process_usage.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <vector>

namespace millrace {
namespace {

TEST(SecondsSinceStart, GoesOnAsTheClockDoes) {
  using Clock = std::chrono::steady_clock;
  const double first = seconds_since_start();
  EXPECT_GT(first, 0.0);
  EXPECT_LT(first, 600.0);  // this program has not run for longer
  const auto begin = Clock::now();
  while (Clock::now() - begin < std::chrono::milliseconds(20)) {
  }
  EXPECT_GE(seconds_since_start() - first, 0.020 - 1e-6);
}

TEST(PeakRss, CountsTouchedMemoryAndKeepsIt) {
  constexpr std::size_t kMb = 1U << 20U;
  const double before = peak_rss_mb();
  EXPECT_GT(before, 1.0);
  {
    std::vector<char> touched(64 * kMb);
    std::memset(touched.data(), 1, touched.size());
    EXPECT_EQ(touched[5 * kMb], 1);
  }
  const double after = peak_rss_mb();
  EXPECT_GT(after, 60.0);
  EXPECT_GE(after, before);
}

}  // namespace
}  // namespace millrace
