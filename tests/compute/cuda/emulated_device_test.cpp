// The emulated device itself: what a real one would do, and that it tells what a real one would
// only do now and then.

#include "tests/compute/cuda/emulated_device.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace millrace::cuda::test {
namespace {

TEST(EmulatedDevice, EachThreadKnowsItsPlace) {
  std::vector<int> seen(std::size_t{3} * 64, 0);
  run_threads({3, 32, 2, Meeting::kBlock}, 64, [&](const EmulatedThread& t) {
    ASSERT_EQ(t.blocks(), 3U);
    ++seen[(t.block() * 2 + t.y()) * 32 + t.x()];
  });
  EXPECT_EQ(seen, std::vector<int>(seen.size(), 1));
}

TEST(EmulatedDevice, ABlockMeetsAndSharesWhatIsItsOwn) {
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::vector<float> sums(4);
    run_threads({4, 64, 1, Meeting::kBlock}, 64, [&](const EmulatedThread& t) {
      auto* numbers = t.shared<float, 64>();
      ASSERT_TRUE(std::isnan(numbers[t.x()]));  // nothing of another block
      numbers[t.x()] = static_cast<float>(t.block() * 100 + t.x());
      t.sync();
      ASSERT_EQ(numbers[63 - t.x()], static_cast<float>(t.block() * 100 + 63 - t.x()));
      if (t.x() == 0) sums[t.block()] = numbers[63];
    });
    EXPECT_EQ(sums, (std::vector<float>{63.0F, 163.0F, 263.0F, 363.0F}));
  }
}

TEST(EmulatedDevice, WarpsExchangeWithoutTheRestOfTheBlock) {
  run_threads({1, 96, 1, Meeting::kBlock}, 96, [&](const EmulatedThread& t) {
    const std::uint32_t warp = t.x() / kWarp;
    if (warp == 1) return;
    for (std::uint32_t mask = 1; mask < kWarp; mask *= 2) {
      ASSERT_EQ(t.exchange(static_cast<float>(t.x()), mask), static_cast<float>(t.x() ^ mask));
    }
    ASSERT_EQ(t.any(t.x() == 17), warp == 0);
    t.sync_warp();
  });
}

TEST(EmulatedDevice, BlocksMeetAndWorkOnTheWay) {
  std::vector<float> there(5, 0.0F);
  std::vector<int> between(std::size_t{5} * 32, 0);
  run_threads({5, 32, 1, Meeting::kAll, 16}, 32, [&](const EmulatedThread& t) {
    ASSERT_TRUE(std::isnan(t.memory()[t.x() % 4]));
    for (int step = 1; step < 4; ++step) {
      if (t.x() == 0) there[t.block()] = static_cast<float>(step);
      t.sync_all([&] { ++between[t.block() * 32 + t.x()]; });
      for (const float found : there) ASSERT_EQ(found, static_cast<float>(step));
      t.sync_all([] {});
    }
  });
  EXPECT_EQ(between, std::vector<int>(between.size(), 3));
}

TEST(EmulatedDevice, OrderDiffersFromCallToCall) {
  const auto last = [] {
    std::atomic<std::uint32_t> thread{0};
    run_threads({1, 64, 1, Meeting::kBlock}, 64, [&](const EmulatedThread& t) { thread = t.x(); });
    return thread.load();
  };
  bool differs = false;
  const std::uint32_t first = last();
  for (int i = 0; i < 8; ++i) differs = differs || last() != first;
  EXPECT_TRUE(differs);
}

TEST(EmulatedDevice, AMeetingThatIsMissingShows) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer ends the program where it sees the race, as it should";
#endif
  int unknown = 0;
  for (int repeat = 0; repeat < 10; ++repeat) {
    run_threads({1, 64, 1, Meeting::kBlock}, 64, [&](const EmulatedThread& t) {
      auto* numbers = t.shared<float, 64>();
      numbers[t.x()] = 1.0F;
      if (std::isnan(numbers[63 - t.x()])) ++unknown;
    });
  }
  EXPECT_EQ(unknown, 10 * 32);  // of each two that look at each other, the first
}

TEST(EmulatedDevice, ThreadsThatDoNotComeAreToldOf) {
  const auto meet = [](std::uint32_t stays_away, bool warp) {
    run_threads({1, 64, 1, Meeting::kBlock}, 64, [&](const EmulatedThread& t) {
      if (t.x() == stays_away) return;
      warp ? t.sync_warp() : t.sync();
    });
  };
  EXPECT_NO_THROW(meet(64, false));
  EXPECT_THROW(meet(5, false), std::logic_error);
  EXPECT_THROW(meet(40, true), std::logic_error);
  EXPECT_NO_THROW(meet(64, true));
  EXPECT_THROW(run_threads({1, 32}, 64, [](const EmulatedThread&) {}), std::logic_error);
  EXPECT_THROW(run_threads({1, 32}, 32, [](const EmulatedThread& t) { t.sync(); }),
               std::logic_error);
}

}  // namespace
}  // namespace millrace::cuda::test
