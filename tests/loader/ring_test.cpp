#include "loader/ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <future>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace millrace {
namespace {

// Plans `chunks` chunks of `parts` parts each, and remembers which chunk lies in which slot.
struct Chunks {
  std::uint32_t chunks;
  std::uint32_t parts;
  std::vector<std::uint32_t> in_slot;
  std::uint32_t planned = 0;

  Chunks(std::uint32_t chunk_count, std::uint32_t part_count, std::uint32_t slots)
      : chunks(chunk_count), parts(part_count), in_slot(slots) {}

  Ring::Plan plan() {
    return [this](std::uint32_t slot) {
      if (planned == chunks) return Ring::Planned{};
      in_slot[slot] = planned++;
      return Ring::Planned{parts, planned == chunks};
    };
  }
};

KeptError error(const std::string& text) {
  return KeptError(std::make_exception_ptr(std::runtime_error(text)));
}

std::string thrown_by_take(Ring& ring) {
  try {
    ring.take();
  } catch (const std::runtime_error& caught) {
    return caught.what();
  }
  return "nothing";
}

TEST(Ring, GoesRoundAndEnds) {
  Chunks chunks(5, 1, 2);
  Ring ring(2, 1, chunks.plan());
  for (std::uint32_t expected = 0; expected < 5; ++expected) {
    const auto part = ring.claim();
    ASSERT_TRUE(part);
    ring.done(*part, 10);
    const auto slot = ring.take();
    ASSERT_TRUE(slot);
    EXPECT_EQ(chunks.in_slot[*slot], expected);
    ring.release(*slot);
  }
  EXPECT_FALSE(ring.claim());
  EXPECT_FALSE(ring.take());
  EXPECT_FALSE(ring.take());
  EXPECT_EQ(ring.stats().bytes, 50U);
}

TEST(Ring, SaysWhetherTakeWouldWait) {
  const auto now = std::chrono::steady_clock::now();
  constexpr auto kEver = std::chrono::steady_clock::time_point::max();
  Chunks chunks(1, 1, 1);
  Ring ring(1, 1, chunks.plan());
  EXPECT_FALSE(ring.wait_until(now));
  const auto part = ring.claim();
  EXPECT_FALSE(ring.wait_until(now));
  auto waiter = std::async(std::launch::async, [&] { return ring.wait_until(kEver); });
  ring.done(*part, 0);
  EXPECT_TRUE(waiter.get());
  EXPECT_TRUE(ring.wait_until(now)) << "it took nothing";
  ring.release(*ring.take());
  EXPECT_TRUE(ring.wait_until(now)) << "the end is something too";

  Chunks failing(1, 1, 1);
  Ring failed(1, 1, failing.plan());
  failed.fail(*failed.claim(), error("bad sample"));
  EXPECT_TRUE(failed.wait_until(now));
  EXPECT_EQ(thrown_by_take(failed), "bad sample");
  EXPECT_TRUE(failed.wait_until(now));

  Chunks endless(9, 1, 1);
  Ring closed(1, 1, endless.plan());
  auto woken = std::async(std::launch::async, [&] { return closed.wait_until(kEver); });
  closed.close();
  EXPECT_TRUE(woken.get());
}

TEST(Ring, FillsNoMoreThanThereAreSlots) {
  Chunks chunks(100, 1, 3);
  Ring ring(3, 1, chunks.plan());
  for (int i = 0; i < 3; ++i) ring.done(*ring.claim(), 0);
  EXPECT_FALSE(ring.claim());
  const auto slot = ring.take();
  EXPECT_FALSE(ring.claim());  // in use is not free
  ring.release(*slot);
  EXPECT_TRUE(ring.claim());
  EXPECT_FALSE(ring.claim());
}

TEST(Ring, HandsOutPartsInOrderAndSaysWhetherThereAreMore) {
  Chunks chunks(2, 3, 2);
  Ring ring(2, 2, chunks.plan());
  for (std::uint32_t chunk = 0; chunk < 2; ++chunk) {
    for (std::uint32_t part = 0; part < 3; ++part) {
      const auto claimed = ring.claim();
      ASSERT_TRUE(claimed);
      EXPECT_EQ(chunks.in_slot[claimed->slot], chunk);
      EXPECT_EQ(claimed->part, part);
      EXPECT_EQ(claimed->more, chunk == 0 || part < 2);
    }
  }
  EXPECT_FALSE(ring.claim());
}

TEST(Ring, DeliversInOrderWhateverIsDoneFirst) {
  Chunks chunks(3, 2, 3);
  Ring ring(3, 1, chunks.plan());
  std::vector<Ring::Part> parts;
  while (const auto part = ring.claim()) parts.push_back(*part);
  ASSERT_EQ(parts.size(), 6U);
  auto first = std::async(std::launch::async, [&] { return ring.take(); });
  for (std::size_t i = parts.size(); i > 0; --i) ring.done(parts[i - 1], 0);
  EXPECT_EQ(chunks.in_slot[*first.get()], 0U);
  EXPECT_EQ(chunks.in_slot[*ring.take()], 1U);
  EXPECT_EQ(chunks.in_slot[*ring.take()], 2U);
  EXPECT_FALSE(ring.take());  // ends although all slots are in use
}

TEST(Ring, TakesSlotsBackInAnyOrder) {
  Chunks chunks(9, 1, 3);
  Ring ring(3, 1, chunks.plan());
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (int i = 0; i < 3; ++i) ring.done(*ring.claim(), 0);
    std::vector<std::uint32_t> slots;
    for (std::uint32_t i = 0; i < 3; ++i) {
      slots.push_back(*ring.take());
      EXPECT_EQ(chunks.in_slot[slots.back()], round * 3 + i);
    }
    for (const std::size_t i : {1U, 2U, 0U}) ring.release(slots[i]);
  }
  EXPECT_FALSE(ring.take());
}

TEST(Ring, DeliversChunksBeforeTheErrorThenTheErrorForEver) {
  Chunks chunks(10, 1, 3);
  Ring ring(3, 1, chunks.plan());
  const auto first = ring.claim();
  const auto second = ring.claim();
  const auto third = ring.claim();
  ring.done(*third, 0);
  ring.fail(*second, error("second"));
  ring.done(*first, 0);
  EXPECT_EQ(chunks.in_slot[*ring.take()], 0U);
  EXPECT_EQ(thrown_by_take(ring), "second");
  EXPECT_EQ(thrown_by_take(ring), "second");
  ring.close();
  EXPECT_EQ(thrown_by_take(ring), "second");
}

TEST(Ring, StartsNothingNewAfterAnErrorButFinishesWhatComesBefore) {
  Chunks chunks(10, 2, 4);
  Ring ring(4, 2, chunks.plan());
  const auto a0 = ring.claim();
  const auto a1 = ring.claim();
  const auto b0 = ring.claim();
  ring.fail(*b0, error("b0"));
  EXPECT_FALSE(ring.claim());  // neither the rest of b nor another chunk
  ring.done(*a1, 0);
  ring.done(*a0, 0);
  EXPECT_EQ(chunks.in_slot[*ring.take()], 0U);
  EXPECT_EQ(thrown_by_take(ring), "b0");
}

TEST(Ring, WaitsForTheChunkBeforeTheError) {
  Chunks chunks(3, 3, 3);
  Ring ring(3, 2, chunks.plan());
  std::vector<Ring::Part> parts;
  for (int i = 0; i < 4; ++i) parts.push_back(*ring.claim());
  ring.fail(parts[3], error("late"));
  auto taken = std::async(std::launch::async, [&] { return ring.take(); });
  for (int i = 0; i < 3; ++i) ring.done(parts[static_cast<std::size_t>(i)], 0);
  EXPECT_TRUE(taken.get());
  EXPECT_EQ(thrown_by_take(ring), "late");
}

TEST(Ring, TheEarliestFailureInOrderIsTheOneThrown) {
  Chunks chunks(4, 3, 4);
  Ring ring(4, 4, chunks.plan());
  std::vector<Ring::Part> parts;
  for (int i = 0; i < 6; ++i) parts.push_back(*ring.claim());
  ring.fail(parts[4], error("1.1"));
  ring.fail(parts[2], error("0.2"));
  ring.fail(parts[1], error("0.1"));
  ring.done(parts[5], 0);
  auto message = std::async(std::launch::async, [&] { return thrown_by_take(ring); });
  ring.fail(parts[0], error("0.0"));  // was claimed before: waited for, and earlier still
  EXPECT_EQ(message.get(), "0.0");
  ring.done(parts[3], 0);
  EXPECT_EQ(thrown_by_take(ring), "0.0");
}

TEST(Ring, CloseWakesAndSticks) {
  Chunks chunks(10, 1, 2);
  Ring ring(2, 1, chunks.plan());
  const auto part = ring.claim();
  auto waiting = std::async(std::launch::async, [&] { return ring.take(); });
  ring.close();
  EXPECT_FALSE(waiting.get());
  EXPECT_FALSE(ring.claim());
  ring.done(*part, 0);
  EXPECT_FALSE(ring.take());  // not even what is ready
  ring.close();
  EXPECT_FALSE(ring.take());
}

TEST(Ring, CloseHidesAnErrorThatNobodyHasSeen) {
  Chunks chunks(10, 1, 2);
  Ring ring(2, 1, chunks.plan());
  ring.fail(*ring.claim(), error("unseen"));
  ring.close();
  EXPECT_FALSE(ring.take());
}

TEST(Ring, PoisonComesAfterWhatIsPlanned) {
  Chunks chunks(10, 1, 3);
  Ring ring(3, 1, chunks.plan());
  const auto part = ring.claim();
  ring.poison(error("no thread"));
  EXPECT_FALSE(ring.claim());
  ring.done(*part, 0);
  EXPECT_TRUE(ring.take());
  EXPECT_EQ(thrown_by_take(ring), "no thread");
  EXPECT_EQ(thrown_by_take(ring), "no thread");
}

TEST(Ring, PoisonWakesAWaitingConsumer) {
  Chunks chunks(10, 1, 3);
  Ring ring(3, 1, chunks.plan());
  auto message = std::async(std::launch::async, [&] { return thrown_by_take(ring); });
  ring.poison(error("no thread"));
  EXPECT_EQ(message.get(), "no thread");
}

TEST(Ring, AnEmptyRunEndsAtOnce) {
  Chunks chunks(0, 1, 2);
  Ring ring(2, 1, chunks.plan());
  auto waiting = std::async(std::launch::async, [&] { return ring.take(); });
  EXPECT_FALSE(ring.claim());
  EXPECT_FALSE(waiting.get());
}

TEST(Ring, CountsWhereTimeWent) {
  Chunks chunks(2, 1, 1);
  Ring ring(1, 2, chunks.plan());
  const auto pause = [] { std::this_thread::sleep_for(std::chrono::milliseconds(2)); };
  constexpr double kPause = 0.002;
  pause();  // work there, no worker on it: both starved
  const auto part = ring.claim();
  pause();  // one busy, the other has no slot
  ring.done(*part, 0);
  const auto slot = ring.take();
  pause();  // both blocked; the consumer busy
  ring.release(*slot);
  const LoaderStats stats = ring.stats();
  EXPECT_GE(stats.fill.starved, 2 * kPause);
  EXPECT_GE(stats.fill.busy, kPause);
  EXPECT_GE(stats.fill.blocked, 3 * kPause);
  EXPECT_GE(stats.consumer.busy, kPause);
  EXPECT_EQ(stats.workers, 2U);
  EXPECT_EQ(stats.slots, 1U);
  auto taken = std::async(std::launch::async, [&] { return ring.take(); });
  pause();
  ring.done(*ring.claim(), 0);
  ASSERT_TRUE(taken.get());
  // Once taken there is nothing left but to wait for the end, which is nobody's fault.
  EXPECT_FALSE(ring.take());
  const double blocked = ring.stats().fill.blocked;
  ring.close();
  pause();
  EXPECT_EQ(ring.stats().fill.blocked, blocked);
}

// Threads that claim and finish parts at random, consumers that give slots back late, in any order
// and from elsewhere: whatever happens, chunks come in order and each part is filled once.
TEST(Ring, HoldsUnderThreads) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    constexpr std::uint32_t kChunks = 300;
    const std::uint32_t slots = 1 + seed % 4;
    const std::uint32_t parts = 1 + seed % 3;
    const std::uint32_t failing = seed % 2 == 0 ? kChunks : 200 + seed;
    Chunks chunks(kChunks, parts, slots);
    Ring ring(slots, 3, chunks.plan());
    std::vector<std::vector<std::uint32_t>> content(slots,
                                                    std::vector<std::uint32_t>(parts));  // by part

    std::atomic<bool> over{false};
    std::vector<std::thread> workers;
    for (std::uint32_t worker = 0; worker < 3; ++worker) {
      workers.emplace_back([&] {
        while (!over) {
          const auto part = ring.claim();
          if (!part) {
            std::this_thread::yield();
            continue;
          }
          const std::uint32_t chunk = chunks.in_slot[part->slot];
          content[part->slot][part->part] = chunk * 10 + part->part;
          if (chunk == failing) {
            ring.fail(*part, error("chunk " + std::to_string(chunk)));
          } else {
            ring.done(*part, 1);
          }
        }
      });
    }

    std::mt19937 random(seed);
    std::vector<std::uint32_t> held;
    std::uint32_t expected = 0;
    std::string message = "end";
    try {
      while (const auto slot = ring.take()) {
        for (std::uint32_t part = 0; part < parts; ++part)
          ASSERT_EQ(content[*slot][part], expected * 10 + part);
        ++expected;
        held.push_back(*slot);
        while (held.size() == slots || (!held.empty() && random() % 3 == 0)) {
          const std::size_t which = random() % held.size();
          const std::uint32_t given = held[which];
          held.erase(held.begin() + static_cast<std::ptrdiff_t>(which));
          if (random() % 16 == 0) {
            std::thread([&ring, given] { ring.release(given); }).join();
          } else {
            ring.release(given);
          }
        }
      }
    } catch (const std::runtime_error& caught) {
      message = caught.what();
    }
    over = true;
    for (auto& worker : workers) worker.join();
    EXPECT_EQ(expected, std::min(failing, kChunks));
    EXPECT_EQ(message, failing < kChunks ? "chunk " + std::to_string(failing) : "end");
  }
}

}  // namespace
}  // namespace millrace
