#include "formats/csv_front.h"

#include <gtest/gtest.h>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::data_error_of;

CsvFront front_of(std::string_view text, const std::string& label_column = "") {
  return parse_csv_front("a.csv", text, {.label_column = label_column});
}

bool has_header(std::string_view text, const std::string& label_column = "") {
  return !front_of(text, label_column).layout.columns.empty();
}

TEST(CsvFront, TellsAHeaderFromASample) {
  EXPECT_TRUE(has_header("label,a,b\n1,2,3\n"));
  EXPECT_FALSE(has_header("1,2,3\n1,2,3\n"));
  EXPECT_TRUE(has_header("label,0,1\n1,2,3\n"));
  EXPECT_FALSE(has_header("cat,2,7\ndog,4,5\n"));
  EXPECT_FALSE(has_header("2,7,cat\n4,5,dog\n"));
  EXPECT_TRUE(has_header("cat,2,7\n1,4,5\n")) << "a number below it";
  EXPECT_TRUE(has_header("cat,2,7\n")) << "nothing below it";
  EXPECT_TRUE(has_header("class,2,7\ndog,4,5\n")) << "called as labels are";
  EXPECT_TRUE(has_header("kind,2,7\ndog,4,5\n", "kind")) << "what was asked for";
  EXPECT_TRUE(has_header("kind,2,7\ndog,4,5\n", "2")) << "another column of labels";
  EXPECT_FALSE(has_header("cat,2,7\ndog,4,5\n", "1"));
  EXPECT_TRUE(has_header("kind,0,1,2\ndog,4,5,6\n")) << "columns that are counted";
  EXPECT_TRUE(has_header("1,2,3,kind\n4,5,6,dog\n"));
  EXPECT_FALSE(has_header("4,5,7,cat\n4,5,6,dog\n"));
  EXPECT_FALSE(has_header("0,0,0,cat\n4,5,6,dog\n"));
  EXPECT_TRUE(has_header("a,b,2\n1,2,3\n"));
  EXPECT_FALSE(has_header(",0,1\n1,2,3\n"));
}

TEST(CsvFront, FindsTheColumnOfLabels) {
  const auto label = [](std::string_view text, const std::string& asked = "") {
    return front_of(text, asked).layout.label;
  };
  EXPECT_EQ(label("a,b,Target\n1,2,3\n"), 2U);
  EXPECT_EQ(label("a,b,c\n1,2,3\n"), 0U);
  EXPECT_EQ(label("a,b,c\n1,2,cat\n"), 2U) << "the only text";
  EXPECT_EQ(label("1,cat,3\n1,dog,2\n"), 1U);
  EXPECT_EQ(label("a,b,c\nx,2,cat\n"), 0U) << "text in two columns";
  EXPECT_EQ(label("y,b,c\n1,2,cat\n"), 0U) << "what is called y";
  EXPECT_EQ(label("a,b,c\n1,2,3\n", "b"), 1U);
  EXPECT_EQ(label("a,b,c\n1,2,3\n", "3"), 2U);
  EXPECT_EQ(label("a,b,2\n1,2,3\n", "2"), 2U) << "a name is looked for first";
  EXPECT_FALSE(front_of("a,b,c\n1,2,3\n", "d").layout.labelled);
  EXPECT_EQ(data_error_of([] { (void)front_of("1,2\n", "3"); }),
            "a.csv: line 1: expected a column 3 for labels, found 2 columns");
}

TEST(CsvFront, SaysWhetherClassesHaveNames) {
  EXPECT_TRUE(front_of("label,a\ncat,1\n").layout.named_classes);
  EXPECT_TRUE(front_of("cat,1\ndog,1\n").layout.named_classes);
  EXPECT_FALSE(front_of("label,a\n3.0,1\n").layout.named_classes);
  EXPECT_FALSE(front_of("label,a\n-1,1\n").layout.named_classes);
  EXPECT_FALSE(front_of("label,a\n,1\n").layout.named_classes);
  EXPECT_FALSE(front_of("label,a\n").layout.named_classes);
}

TEST(CsvFront, SaysWhereTheRowsBegin) {
  const auto with = front_of("\xef\xbb\xbf\n \nlabel;a\n\n1;2\n");
  EXPECT_EQ(with.rows, "\n1;2\n");
  EXPECT_EQ(with.first_line, 4U);
  EXPECT_EQ(with.layout.separator, ';');
  const auto without = front_of("\n1\t2\n3\t4");
  EXPECT_EQ(without.rows, "1\t2\n3\t4");
  EXPECT_EQ(without.first_line, 2U);
  EXPECT_EQ(front_of("label,a").rows, "");
}

TEST(CsvFront, NamesTheLineOfAnError) {
  EXPECT_STREQ(csv_error("a.csv", 7, "this", "that").what(),
               "a.csv: line 7: expected this, found that");
}

}  // namespace
}  // namespace millrace
