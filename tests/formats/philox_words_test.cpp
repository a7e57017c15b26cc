#include "formats/philox_words.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(PhiloxWords, AreTheBlocksOfTheirCounterInOrder) {
  constexpr std::uint64_t kSeed = 0x0123456789abcdef;
  PhiloxWords words(kSeed, 7, 0xfedcba9876543210);
  for (std::uint32_t block = 0; block < 3; ++block) {
    for (const auto expected :
         Philox::generate({block, 7, 0x76543210, 0xfedcba98}, Philox::key_of(kSeed))) {
      EXPECT_EQ(words.next(), expected) << "block " << block;
    }
  }
}

}  // namespace
}  // namespace millrace
