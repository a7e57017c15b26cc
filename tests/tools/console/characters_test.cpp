#include "tools/console/characters.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Characters, AreCountedNotBytes) {
  EXPECT_EQ(characters(""), 0U);
  EXPECT_EQ(characters("abc"), 3U);
  EXPECT_EQ(characters("0.97 \u00b1 0.01"), 11U);
  EXPECT_EQ(characters("e\u0301"), 2U) << "a letter and its accent";
}

}  // namespace
}  // namespace millrace
