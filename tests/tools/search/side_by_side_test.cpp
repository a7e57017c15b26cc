#include "tools/search/side_by_side.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace millrace {
namespace {

TEST(SideBySide, DoesEachPieceOnce) {
  for (const std::uint32_t threads : {1U, 3U, 64U}) {
    std::atomic<bool> stop{false};
    std::mutex mutex;
    std::vector<std::uint64_t> done;
    int looks = 0;
    side_by_side(
        50, threads, stop,
        [&](std::uint64_t i) {
          const std::lock_guard lock(mutex);
          done.push_back(i);
        },
        [&] { ++looks; });
    if (threads == 1) {
      EXPECT_TRUE(std::ranges::is_sorted(done)) << "one thread goes in order";
    }
    std::ranges::sort(done);
    ASSERT_EQ(done.size(), 50U);
    for (std::uint64_t i = 0; i < 50; ++i) EXPECT_EQ(done[i], i);
    EXPECT_GE(looks, 1);
    EXPECT_FALSE(stop);
  }
}

TEST(SideBySide, HasNothingToDo) {
  std::atomic<bool> stop{false};
  int looks = 0;
  side_by_side(
      0, 4, stop, [](std::uint64_t) { FAIL(); }, [&] { ++looks; });
  EXPECT_EQ(looks, 1);
}

TEST(SideBySide, RunsThemAtTheSameTime) {
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::condition_variable met;
  int inside = 0;
  // Each waits for both others: one after the other would never end.
  side_by_side(
      3, 3, stop,
      [&](std::uint64_t) {
        std::unique_lock lock(mutex);
        ++inside;
        met.notify_all();
        met.wait(lock, [&] { return inside == 3; });
      },
      [] {});
  EXPECT_EQ(inside, 3);
}

TEST(SideBySide, BeginsNothingOnceItIsStopped) {
  std::atomic<bool> stop{false};
  std::atomic<int> done{0};
  side_by_side(
      100, 2, stop,
      [&](std::uint64_t) {
        if (++done >= 10) stop = true;
      },
      [] {});
  EXPECT_GE(done, 10);
  EXPECT_LE(done, 11);
}

TEST(SideBySide, LooksWhileTheyWork) {
  std::atomic<bool> stop{false};
  side_by_side(
      2, 2, stop, [&](std::uint64_t) { stop.wait(false); },
      [&] {
        stop = true;
        stop.notify_all();
      });
  EXPECT_TRUE(stop);
}

TEST(SideBySide, ThrowsWhatAPieceThrows) {
  std::atomic<bool> stop{false};
  std::atomic<int> done{0};
  const auto work = [&](std::uint64_t i) {
    ++done;
    if (i == 3) throw std::runtime_error("the fourth");
    while (i > 3 && !stop) std::this_thread::yield();
  };
  EXPECT_THROW(side_by_side(1000, 2, stop, work, [] {}), std::runtime_error);
  EXPECT_TRUE(stop);
  EXPECT_LE(done, 5);
}

TEST(SideBySide, ThrowsWhatALookThrows) {
  std::atomic<bool> stop{false};
  const auto work = [&](std::uint64_t) {
    while (!stop) std::this_thread::yield();
  };
  EXPECT_THROW(side_by_side(4, 2, stop, work, [] { throw std::runtime_error("seen"); }),
               std::runtime_error);
  EXPECT_TRUE(stop);
}

}  // namespace
}  // namespace millrace
