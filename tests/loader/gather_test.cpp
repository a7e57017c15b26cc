#include "loader/gather.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/bytes.h"
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

void expect_rows_scattered() {
  for (const std::size_t row_bytes : {1U, 63U, 64U, 200U, 511U, 512U, 513U, 784U, 1000U, 5000U}) {
    constexpr std::size_t kRows = 40;
    const std::size_t stride = padded_row(row_bytes);
    std::vector<std::byte> in(kRows * row_bytes);
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::byte>(i * 7 + i / 251);
    // All rows but the last few, in an order of their own.
    std::vector<std::uint64_t> rows;
    std::vector<std::uint64_t> places;
    for (std::size_t i = 0; i + 3 < kRows; ++i) {
      rows.push_back((i * 29 + 39) % kRows);
      places.push_back((i * 11 + 5) % (kRows - 3));
    }
    constexpr std::byte kGuard{0xA5};
    auto table = Bytes::allocate((kRows - 3) * stride + 64);
    std::ranges::fill(table.writable(), kGuard);
    scatter_rows(in, row_bytes, rows, places, table.writable().first((kRows - 3) * stride));
    for (const auto byte : table.view().last(64)) ASSERT_EQ(byte, kGuard);
    std::vector<std::byte> out((kRows - 5) * row_bytes + 1, kGuard);
    unpad_rows(table.view().subspan(2 * stride), row_bytes, std::span(out).first(out.size() - 1));
    ASSERT_EQ(out.back(), kGuard);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (places[i] < 2) continue;
      const auto* const from = &in[rows[i] * row_bytes];
      ASSERT_TRUE(std::equal(from, from + row_bytes, &out[(places[i] - 2) * row_bytes]))
          << row_bytes;
    }
  }
}

TEST(Gather, ScattersRowsAndBringsThemTogether) {
  testing::on_each_instruction_set([](const std::string& name) {
    SCOPED_TRACE(name);
    expect_rows_scattered();
  });
}

TEST(Gather, PadsRowsByAnEighthAtMost) {
  EXPECT_EQ(padded_row(0), 0U);
  EXPECT_EQ(padded_row(12), 12U);
  EXPECT_EQ(padded_row(784), 832U);
  EXPECT_EQ(padded_row(3072), 3072U);
  for (std::size_t bytes = 1; bytes < 5000; ++bytes) {
    EXPECT_LE(padded_row(bytes), bytes + bytes / 8);
    EXPECT_GE(padded_row(bytes), bytes);
  }
}

TEST(Gather, TakesLabels) {
  const std::vector<std::int32_t> table{5, -6, 7};
  const std::vector<std::uint64_t> ids{2, 0, 0, 1};
  std::vector<std::int32_t> out(4);
  gather_labels(table, 1, ids, out);
  EXPECT_EQ(out, (std::vector<std::int32_t>{7, 5, 5, -6}));
}

TEST(Gather, TakesLabelsOfSeveralWords) {
  const std::vector<std::int32_t> table{5, 50, -6, -60, 7, 70};
  const std::vector<std::uint64_t> ids{2, 0, 2};
  std::vector<std::int32_t> out(6);
  gather_labels(table, 2, ids, out);
  EXPECT_EQ(out, (std::vector<std::int32_t>{7, 70, 5, 50, 7, 70}));
}

TEST(Gather, TakesRowsOfAnySizeHoweverFewThereAre) {
  // Fewer than are asked for ahead of time, as many, and more.
  for (const std::size_t bytes : {0, 1, 16, 784, 5000, 20000}) {
    std::vector<std::byte> table(50 * bytes);
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<std::byte>(i * 31 >> 3U);
    for (const std::size_t count : {0, 1, 2, 3, 20, 32, 33, 50}) {
      std::vector<std::uint64_t> ids(count);
      for (std::size_t i = 0; i < count; ++i) ids[i] = (7 * i + 3) % 50;
      std::vector<std::byte> out(count * bytes);
      gather_rows(table, bytes, ids, out);
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_TRUE(std::equal(out.begin() + static_cast<std::ptrdiff_t>(i * bytes),
                               out.begin() + static_cast<std::ptrdiff_t>((i + 1) * bytes),
                               table.begin() + static_cast<std::ptrdiff_t>(ids[i] * bytes)))
            << bytes << " bytes, row " << i << " of " << count;
      }
    }
  }
}

}  // namespace
}  // namespace millrace
