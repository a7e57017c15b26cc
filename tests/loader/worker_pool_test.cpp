#include "loader/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

namespace millrace {
namespace {

// Work that is added from outside, and a way to wait until it is done.
class Work {
 public:
  void add(int count) {
    const std::lock_guard lock(mutex_);
    left_ += count;
  }
  bool step() {
    const std::lock_guard lock(mutex_);
    if (left_ == 0) return false;
    --left_;
    ++done_;
    changed_.notify_all();
    return true;
  }
  void wait_done(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_ >= count; });
  }
  int done() {
    const std::lock_guard lock(mutex_);
    return done_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int left_ = 0;
  int done_ = 0;
};

// Lost wake-ups would hang it: work arrives just as workers find nothing and end.
TEST(WorkerPool, NeverMissesAWake) {
  for (const std::uint32_t workers : {1U, 2U, 5U}) {
    Work work;
    WorkerPool pool(workers, [&] { return work.step(); });
    EXPECT_EQ(pool.workers(), workers);
    for (int i = 1; i <= 2000; ++i) {
      work.add(1);
      pool.wake();
      if (i % 3 != 0) work.wait_done(i);
    }
    work.wait_done(2000);
  }
}

// Each step waits until `workers` steps are inside at once; with fewer threads it would hang.
TEST(WorkerPool, HasAsManyThreadsAsAskedFor) {
  constexpr int kWorkers = 4;
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  bool met = false;
  WorkerPool pool(kWorkers, [&] {
    std::unique_lock lock(mutex);
    ++inside;
    met = met || inside == kWorkers;
    changed.notify_all();
    changed.wait(lock, [&] { return met; });
    --inside;
    return false;
  });
  for (int i = 0; i < kWorkers; ++i) pool.wake();
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return met; });
}

TEST(WorkerPool, RunsNoMoreThanAskedFor) {
  std::atomic<int> inside{0};
  std::atomic<bool> exceeded{false};
  Work work;
  WorkerPool pool(2, [&] {
    if (++inside > 2) exceeded = true;
    const bool again = work.step();
    --inside;
    return again;
  });
  work.add(3000);
  for (int i = 0; i < 100; ++i) pool.wake();
  work.wait_done(3000);
  EXPECT_FALSE(exceeded);
}

TEST(WorkerPool, StopWaitsForStepsUnderWayAndStartsNone) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> inside{0};
    std::atomic<int> entered{0};
    WorkerPool pool(2, [&] {
      ++inside;
      ++entered;
      std::this_thread::yield();
      --inside;
      return true;  // for ever
    });
    pool.wake();
    pool.wake();
    while (round % 2 == 0 && entered == 0) std::this_thread::yield();
    pool.stop();
    EXPECT_EQ(inside, 0);
    const int before = entered;
    pool.wake();
    pool.stop();
    std::this_thread::yield();
    EXPECT_EQ(entered, before);
  }
}

// Tasks that oneTBB starts after the pool is gone must find that out.
TEST(WorkerPool, MayBeDestroyedBeforeItsTasksStart) {
  for (int round = 0; round < 200; ++round) {
    auto guard = std::make_unique<int>(round);
    {
      WorkerPool pool(3, [&guard, round] { return *guard != round; });
      for (int i = 0; i < 3; ++i) pool.wake();
    }
    guard.reset();
  }
}

TEST(WorkerPool, CountsCoresWhenNotTold) {
  EXPECT_GE(WorkerPool::resolve(0), 1U);
  EXPECT_EQ(WorkerPool::resolve(7), 7U);
}

}  // namespace
}  // namespace millrace
