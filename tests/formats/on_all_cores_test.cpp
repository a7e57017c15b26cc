#include "formats/on_all_cores.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace millrace {
namespace {

TEST(OnAllCores, CallsEachNumberOnce) {
  for (const std::size_t threads : {0, 1, 3, 100}) {
    std::vector<std::atomic<int>> calls(1000);
    on_all_cores(calls.size(), threads, [&] { return [&](std::size_t i) { ++calls[i]; }; });
    for (const auto& count : calls) EXPECT_EQ(count, 1);
  }
  on_all_cores(0, 5, [] { return [](std::size_t) { FAIL(); }; });
}

TEST(OnAllCores, ThrowsTheErrorOfTheLowestNumber) {
  for (int run = 0; run < 20; ++run) {
    try {
      on_all_cores(500, 500, [] {
        return [](std::size_t i) {
          if (i == 77 || i > 80) throw std::runtime_error(std::to_string(i));
        };
      });
      FAIL() << "no error";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "77");
    }
  }
}

TEST(OnAllCores, GivesEachThreadItsOwnWork) {
  std::atomic<int> made{0};
  on_all_cores(100, 1, [&] {
    ++made;
    return [state = 0](std::size_t i) mutable { EXPECT_EQ(static_cast<std::size_t>(state++), i); };
  });
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace millrace
