#include "tools/console/label_column.h"

#include <gtest/gtest.h>

#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

TEST(LabelColumn, IsWhatWasGiven) {
  std::string column;
  CommandLine line("x", "");
  declare_label_column(line, column);
  EXPECT_TRUE(line.parse({}));
  EXPECT_EQ(column, "");
  EXPECT_TRUE(line.parse({"--label-column", "kind of thing"}));
  EXPECT_EQ(column, "kind of thing");
  EXPECT_TRUE(line.parse({"--label-column=3"}));
  EXPECT_EQ(column, "3");
  EXPECT_EQ(test::usage_error_of([&] { line.parse({"--label-column="}); }),
            "--label-column: expected a column's name or number, found ''");
}

}  // namespace
}  // namespace millrace
