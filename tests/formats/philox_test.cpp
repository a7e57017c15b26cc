#include "formats/philox.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <unordered_set>

namespace millrace {
namespace {

// The known answers that the authors publish with their Random123 library (kat_vectors, philox 4x32
// 10).
static_assert(Philox::generate({0, 0, 0, 0}, {0, 0}) ==
              Philox::Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(Philox::generate({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                               {0xffffffff, 0xffffffff}) ==
              Philox::Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(Philox::generate({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                               {0xa4093822, 0x299f31d0}) ==
              Philox::Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});

TEST(Philox, RunTimeGivesTheKnownAnswersToo) {
  volatile std::uint32_t pi = 0x243f6a88;  // keeps the compiler from doing this one itself
  EXPECT_EQ(Philox::generate({pi, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Philox::Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, KeyTakesAllOfTheSeed) {
  EXPECT_EQ(Philox::key_of(0x0123456789abcdefU), (Philox::Key{0x89abcdef, 0x01234567}));
}

TEST(Philox, EachWordOfTheCounterAndOfTheKeyMatters) {
  std::unordered_set<std::uint64_t> seen;
  for (std::uint32_t bit = 0; bit < 192; ++bit) {
    Philox::Counter counter{};
    Philox::Key key{};
    const std::uint32_t mask = 1U << (bit % 32);
    (bit < 128 ? counter[bit / 32] : key[bit / 32 - 4]) = mask;
    const auto words = Philox::generate(counter, key);
    seen.insert((std::uint64_t{words[0]} << 32U) | words[3]);
  }
  EXPECT_EQ(seen.size(), 192U);
}

}  // namespace
}  // namespace millrace
