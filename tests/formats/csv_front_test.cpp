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

TEST(CsvFront, TakesNoSeparatorFromQuotes) {
  EXPECT_EQ(front_of("\"name, first\";age;y\n\"a\";1;0\n").layout.separator, ';');
  EXPECT_EQ(front_of("\"a;b\",c,y\n1,2,0\n").layout.separator, ',');
}

TEST(CsvFront, TakesNoDecimalCommaForASeparator) {
  EXPECT_EQ(front_of("0;2,5\n1;3,5\n").layout.separator, ';');
  EXPECT_EQ(front_of("0;200;-2,5e3\n1;3;3,5\n").layout.cells, 3U);
  EXPECT_EQ(front_of("a;b,2,5\n").layout.separator, ',') << "a class that is called a;b";
  EXPECT_EQ(front_of("1,2,5\n").layout.separator, ',');
}

TEST(CsvFront, RefusesTwoColumnsOfLabels) {
  const auto error = [](std::string_view text, const std::string& asked = "") {
    return data_error_of([&] { (void)front_of(text, asked); });
  };
  EXPECT_EQ(error("a,label,b,label\n1,2,3,4\n"),
            "a.csv: line 1: expected one column of labels (--label-column N says which), found "
            "\"label\" in column 2 and \"label\" in column 4");
  EXPECT_NE(error("y,label\n1,2\n").find("found \"y\" in column 1 and \"label\" in column 2"),
            std::string::npos);
  EXPECT_EQ(
      error("\nkind,label,kind\n1,2,3\n", "kind"),
      "a.csv: line 2: expected one column \"kind\" for labels, found \"kind\" in column 1 and "
      "\"kind\" in column 3");
  EXPECT_EQ(front_of("label,label,a\n1,2,3\n", "2").layout.label, 1U);
  EXPECT_EQ(front_of("y,label,a\n1,2,3\n", "label").layout.label, 1U);
}

TEST(CsvFront, RefusesLinesThatEndInAReturnAlone) {
  EXPECT_EQ(
      data_error_of([] { (void)front_of("label,a\r1,2\r3,4\r"); }),
      R"(a.csv: line 1: expected lines that end in "\n" or "\r\n", found a "\r" alone, as old )"
      R"(Macs wrote line ends (tr '\r' '\n' makes new ones))");
  EXPECT_EQ(front_of("label,a\r\n1,2\r\n").rows, "1,2\r\n");
}

TEST(CsvFront, RefusesALineBreakInAHeader) {
  const std::string why =
      "a.csv: line 1: expected cells without line breaks, found a quoted cell that goes on in the "
      "next line";
  EXPECT_EQ(data_error_of([] { (void)front_of("\"a\n(cm)\",label\n1,2\n"); }), why);
  EXPECT_EQ(data_error_of([] { (void)front_of("a,\"label\nof it\"\n1,2\n"); }), why);
}

TEST(CsvFront, RefusesUtf16) {
  using namespace std::string_literals;
  const std::string why =
      "a.csv: expected text in UTF-8, found UTF-16, as Excel's \"Unicode text\" is: save it as "
      "\"CSV UTF-8\" (or iconv -f UTF-16 -t UTF-8)";
  for (const auto& text :
       {"\xff\xfe"s + "a\0\t\0"s, "\xfe\xff"s + "\0a\0\t"s, "a\0,\0b\0"s, "\0a\0,\0b"s}) {
    EXPECT_EQ(data_error_of([&] { (void)front_of(text); }), why);
  }
}

TEST(CsvFront, TakesTheColumnsOfAnotherFile) {
  const auto front = [](std::string_view text, std::vector<std::string> names,
                        const std::string& label = "label") {
    return parse_csv_front(
        "a.csv", text,
        {.label_column = label,
         .columns =
             KnownColumns{.names = {.values = std::move(names), .label = {}}, .of = "t.csv"}});
  };
  EXPECT_EQ(front("b,label,a\n1,2,3\n", {"a", "b"}).layout.places,
            (std::vector<std::size_t>{1, 0}));
  EXPECT_TRUE(front("a,b,label\n1,2,3\n", {"a", "b"}).layout.places.empty());
  // Without headers there is nothing to go by but places; one line that looks like one is none.
  EXPECT_EQ(front("cat,2,7\n", {}, "1").rows, "cat,2,7\n");
  EXPECT_FALSE(front("b,c\n1,2\n", {"a", "b"}).layout.labelled) << "told by who asked";
  EXPECT_EQ(data_error_of([&] {
              (void)front("1,2,3\n", {"a", "b"});
            }),
            "a.csv: line 1: expected a header with the columns of t.csv, found none");
  EXPECT_EQ(data_error_of([&] {
              (void)front("label,a,c\n1,2,3\n", {"a", "b"});
            }),
            "a.csv: line 1: expected the columns of t.csv, found none called \"b\", but \"c\" in "
            "column 3");
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
  EXPECT_STREQ(table_error("a.csv", 7, "this", "that").what(),
               "a.csv: line 7: expected this, found that");
}

}  // namespace
}  // namespace millrace
