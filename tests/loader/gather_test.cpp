#include "loader/gather.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/instruction_sets.h"

namespace millrace {
namespace {

void expect_rows_copied() {
  for (const std::size_t row_bytes : {1U, 3U, 16U, 63U, 64U, 65U, 128U, 200U, 784U, 1000U, 5000U}) {
    constexpr std::size_t kRows = 40;
    std::vector<std::byte> table(kRows * row_bytes);
    for (std::size_t i = 0; i < table.size(); ++i)
      table[i] = static_cast<std::byte>(i * 7 + i / 251);
    for (const std::size_t count : {0U, 1U, 2U, 17U, 100U}) {
      std::vector<std::uint64_t> ids(count);
      for (std::size_t i = 0; i < count; ++i) ids[i] = (i * 29 + 39) % kRows;
      for (const std::size_t shift : {1U, 2U, 16U, 63U, 64U}) {
        constexpr std::byte kGuard{0xA5};
        std::vector<std::byte> out(count * row_bytes + 2 * shift, kGuard);
        gather_rows(table, row_bytes, ids, std::span(out).subspan(shift, count * row_bytes));
        for (std::size_t i = 0; i < shift; ++i) {
          ASSERT_EQ(out[i], kGuard);
          ASSERT_EQ(out[out.size() - 1 - i], kGuard);
        }
        for (std::size_t i = 0; i < count * row_bytes; ++i) {
          ASSERT_EQ(out[i + shift], table[ids[i / row_bytes] * row_bytes + i % row_bytes])
              << row_bytes;
        }
      }
    }
  }
}

TEST(Gather, CopiesTheRowsAskedForAndNothingElse) {
  testing::on_each_instruction_set([](const std::string& name) {
    SCOPED_TRACE(name);
    expect_rows_copied();
  });
}

TEST(Gather, TakesLabels) {
  const std::vector<std::int32_t> table{5, -6, 7};
  const std::vector<std::uint64_t> ids{2, 0, 0, 1};
  std::vector<std::int32_t> out(4);
  gather_labels(table, ids, out);
  EXPECT_EQ(out, (std::vector<std::int32_t>{7, 5, 5, -6}));
}

TEST(Gather, AsksForAtLeastOneRowAheadAndForNotTooMany) {
  EXPECT_EQ(prefetch_distance(1'000'000), 1U);
  EXPECT_GE(prefetch_distance(784), 2U);
  EXPECT_LE(prefetch_distance(1), 16U);
  EXPECT_GE(prefetch_distance(0), 1U);
}

}  // namespace
}  // namespace millrace
