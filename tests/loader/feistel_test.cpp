#include "loader/feistel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/instruction_sets.h"

namespace millrace {
namespace {

Feistel network(std::uint64_t size, std::uint32_t columns, std::uint32_t row_bits) {
  Feistel feistel;
  feistel.size = size;
  feistel.columns = columns;
  feistel.row_bits = row_bits;
  feistel.round_pairs = Feistel::round_pairs_for(size);
  std::uint32_t word = 1;
  for (auto& key : feistel.keys) {
    key.before = word *= 2654435761U;
    key.between = word *= 2654435761U;
  }
  return feistel;
}

TEST(Feistel, PermutesItsWholeDomain) {
  for (const std::uint32_t columns : {1U, 2U, 3U, 17U, 100U}) {
    for (const std::uint32_t row_bits : {1U, 2U, 5U}) {
      const std::uint64_t domain = std::uint64_t{columns} << row_bits;
      const Feistel feistel = network(domain, columns, row_bits);
      std::vector<bool> seen(domain);
      for (std::uint64_t i = 0; i < domain; ++i) {
        const auto image = feistel.permute_domain(i);
        ASSERT_LT(image, domain);
        ASSERT_FALSE(seen[image]);
        seen[image] = true;
      }
    }
  }
}

// Each instruction set against the plain function, also where most of the domain has to be walked
// over and at the largest halves.
TEST(Feistel, EveryInstructionSetGivesTheSameValues) {
  const std::vector<Feistel> networks = {
      network(16, 17, 4),
      network(257, 17, 4),
      network(60'000, 235, 8),
      network(1, 3, 2),
      network((std::uint64_t{1} << 40U) + 7, (1U << 20U) + 1, 20),
      network(Feistel::kMaxSize, 1U << 31U, 31)};
  int tried = 0;
  testing::on_each_instruction_set([&](const std::string& name) {
    ++tried;
    for (const Feistel& feistel : networks) {
      const std::uint64_t count = std::min<std::uint64_t>(feistel.size, 1003);
      for (const std::uint64_t first : {std::uint64_t{0}, feistel.size - count}) {
        std::vector<std::uint64_t> ranged(count);
        std::vector<std::uint64_t> applied(count);
        for (std::uint64_t i = 0; i < count; ++i) applied[i] = first + i;
        feistel_range(feistel, first, ranged);
        feistel_apply(feistel, applied);
        auto inverted = applied;
        feistel_invert(feistel, inverted);
        for (std::uint64_t i = 0; i < count; ++i) {
          ASSERT_EQ(ranged[i], feistel(first + i)) << name << ", size " << feistel.size;
          ASSERT_EQ(applied[i], feistel(first + i)) << name << ", size " << feistel.size;
          ASSERT_EQ(inverted[i], first + i) << name << ", size " << feistel.size;
        }
      }
    }
  });
  EXPECT_GE(tried, 1);
}

}  // namespace
}  // namespace millrace
