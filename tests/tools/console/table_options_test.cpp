#include "tools/console/table_options.h"

#include <gtest/gtest.h>

#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

TEST(TableOptionsOfALine, AreWhatWasGiven) {
  TableOptions table;
  CommandLine line("x", "");
  declare_table(line, table);
  EXPECT_TRUE(line.parse({}));
  EXPECT_EQ(table, TableOptions{});
  EXPECT_TRUE(
      line.parse({"--one-hot", "text,3", "--drop-columns=id,\"a,b\"", "--missing", "mean"}));
  EXPECT_EQ(table, (TableOptions{{"text", "3"}, {"id", "a,b"}, true}));
  EXPECT_TRUE(line.parse({"--missing", "fail"}));
  EXPECT_FALSE(table.fill_missing);
}

TEST(TableOptionsOfALine, AreRefused) {
  TableOptions table;
  CommandLine line("x", "");
  declare_table(line, table);
  EXPECT_EQ(test::usage_error_of([&] {
              line.parse({"--one-hot", "a,,b"});
            }),
            "--one-hot: expected names or numbers of columns, found 'a,,b'");
  EXPECT_EQ(test::usage_error_of([&] { line.parse({"--drop-columns="}); }),
            "--drop-columns: expected names or numbers of columns, found ''");
  EXPECT_EQ(test::usage_error_of([&] {
              line.parse({"--missing", "zero"});
            }),
            "--missing: expected fail or mean, found 'zero'");
}

}  // namespace
}  // namespace millrace
