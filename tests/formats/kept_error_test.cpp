#include "formats/kept_error.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "formats/error.h"

namespace millrace {
namespace {

KeptError kept_data_error() {
  return KeptError(std::make_exception_ptr(DataError("a.idx", 7, "1 label", "none")));
}

TEST(KeptError, IsNoneAtFirst) {
  EXPECT_FALSE(KeptError());
  EXPECT_FALSE(KeptError(std::exception_ptr()));
}

TEST(KeptError, ThrowsTheSameEachTimeInAnObjectOfItsOwn) {
  const KeptError kept = kept_data_error();
  ASSERT_TRUE(kept);
  std::vector<const void*> texts;
  std::vector<std::exception_ptr> alive;
  for (int i = 0; i < 2; ++i) {
    try {
      kept.raise();
    } catch (const DataError& error) {
      EXPECT_STREQ(error.what(), "a.idx: byte 7: expected 1 label, found none");
      EXPECT_EQ(error.file(), "a.idx");
      EXPECT_EQ(error.offset(), 7U);
      texts.push_back(error.what());
      alive.push_back(std::current_exception());
    }
  }
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_NE(texts[0], texts[1]);
}

TEST(KeptError, KeepsOtherExceptionsAsTheyAre) {
  KeptError kept;
  try {
    throw std::out_of_range("row 9");
  } catch (...) {
    kept = KeptError::current();
  }
  EXPECT_THROW(kept.raise(), std::out_of_range);
  EXPECT_THROW(KeptError(std::make_exception_ptr(std::bad_alloc())).raise(), std::bad_alloc);
}

// With ThreadSanitizer: no thread reads what another deletes.
TEST(KeptError, IsThrownByManyThreads) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([kept = kept_data_error()] {
      for (int times = 0; times < 200; ++times) {
        EXPECT_THROW(kept.raise(), DataError);
      }
    });
  }
  const KeptError shared = kept_data_error();
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([shared] {
      for (int times = 0; times < 200; ++times) {
        try {
          shared.raise();
        } catch (const DataError& error) {
          EXPECT_EQ(std::string(error.what()).size(), 43U);
        }
      }
    });
  }
}

}  // namespace
}  // namespace millrace
