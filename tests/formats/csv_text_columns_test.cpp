#include "formats/csv_text_columns.h"

#include <gtest/gtest.h>

#include "tests/support/files.h"

namespace millrace {
namespace {

using Columns = std::vector<std::size_t>;

/// Two pieces, the second of which begins in line 12.
std::vector<CsvPiece> pieces(std::string_view first, std::string_view second) {
  return {{{}, first, 0, 2}, {{}, second, 0, 12}};
}

TableLayout layout_with(Columns dropped = {}) {
  return {.cells = 4, .label = 0, .dropped = std::move(dropped), .text_columns = true};
}

TEST(CsvTextColumns, AreThoseWithTextInAnyLine) {
  auto layout = layout_with();
  find_text_columns("a.csv", pieces("x,1,,?\nx,2,NA,7\n", "x,3,b,\n\nx,4,c,1e3\n"), layout);
  EXPECT_EQ(layout.categories, Columns{2}) << "not that of labels";
  layout = layout_with({2});
  find_text_columns("a.csv", pieces("x,1,a,1\n", "x,3,b,1\n"), layout);
  EXPECT_EQ(layout.categories, Columns{});
}

TEST(CsvTextColumns, HaveNoNumbers) {
  auto layout = layout_with();
  layout.columns = {"y", "a", "ticket", "b"};
  const auto error = test::data_error_of(
      [&] { find_text_columns("a.csv", pieces("x,1,17,1\n", "x,3,18,1\nx,1,A/5,1\n"), layout); });
  EXPECT_EQ(error,
            "a.csv: line 13: expected a number in column 3 (\"ticket\"), as in 2 lines, found "
            "\"A/5\" (--one-hot ticket makes values of what is there, --drop-columns ticket "
            "leaves it out)");
  layout.categories = {2};
  find_text_columns("a.csv", pieces("x,1,17,1\n", "x,1,A/5,1\n"), layout);
  EXPECT_EQ(layout.categories, Columns{2}) << "asked for by name";
}

}  // namespace
}  // namespace millrace
