#include "loader/parallel_blocks.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace millrace {
namespace {

TEST(ForEachBlock, CoversEachPlaceOnce) {
  for (const std::uint64_t size : {0U, 1U, 7U, 8U, 9U, 1000U}) {
    for (const std::uint32_t threads : {0U, 1U, 3U}) {
      std::vector<std::atomic<int>> visits(size);
      for_each_block(size, 8, threads, [&](std::uint64_t first, std::uint64_t count) {
        EXPECT_EQ(first % 8, 0U);
        EXPECT_EQ(count, std::min<std::uint64_t>(8, size - first));
        for (auto i = first; i < first + count; ++i) ++visits[i];
      });
      for (const auto& n : visits) EXPECT_EQ(n, 1);
    }
  }
}

TEST(ForEachBlock, WorksOnAsManyThreadsAsAskedFor) {
  // Each block waits for the other: with one thread this would not end.
  std::atomic<int> inside = 0;
  for_each_block(2, 1, 2, [&](std::uint64_t, std::uint64_t) {
    ++inside;
    while (inside < 2) std::this_thread::yield();
  });
  EXPECT_EQ(inside, 2);
}

TEST(ForEachBlock, ThrowsTheErrorOfTheLowestBlock) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> inside = 0;
    try {
      for_each_block(1000, 1, 2, [&](std::uint64_t first, std::uint64_t) {
        ++inside;
        while (inside < 2) std::this_thread::yield();
        throw std::runtime_error(std::to_string(first));
      });
      ADD_FAILURE() << "nothing thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "0");
    }
    EXPECT_EQ(inside, 2);  // none was begun after
  }
}

}  // namespace
}  // namespace millrace
