#include "formats/table_asked_columns.h"

#include <gtest/gtest.h>

#include "formats/csv_front.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using Columns = std::vector<std::size_t>;
using test::data_error_of;

TableLayout layout_of(std::string_view text, const ReadTableOptions& options) {
  return parse_csv_front("a.csv", text, options).layout;
}

ReadTableOptions asking(TableOptions table, const std::string& label = "y") {
  return {.label_column = label, .table = std::move(table)};
}

std::string error_of(std::string_view text, const ReadTableOptions& options) {
  return data_error_of([&] { (void)layout_of(text, options); });
}

constexpr std::string_view kTable = "id,colour,y,size\n1,red,0,2\n2,blue,1,3\n";

TEST(TableAskedColumns, AreFoundByNameAndNumber) {
  const auto layout = layout_of(
      kTable, asking({.one_hot = {"colour", "4"}, .dropped = {"id"}, .fill_missing = true}));
  EXPECT_EQ(layout.dropped, Columns{0});
  EXPECT_EQ(layout.categories, (Columns{1, 3}));
  EXPECT_TRUE(layout.gaps);
  EXPECT_EQ(layout.values(), 2U);
  EXPECT_EQ(layout.other_columns(), (Columns{0, 2}));
  EXPECT_EQ(layout.column_of(0), 1U);
  EXPECT_EQ(layout.column_of(1), 3U);
  EXPECT_TRUE(layout.is_formed());
}

TEST(TableAskedColumns, AreAllThatHaveText) {
  EXPECT_TRUE(layout_of(kTable, asking({.one_hot = {"text"}})).text_columns);
  const auto named = layout_of("text,y\na,0\n", asking({.one_hot = {"text"}}));
  EXPECT_FALSE(named.text_columns) << "a column of that name comes first";
  EXPECT_EQ(named.categories, Columns{0});
}

TEST(TableAskedColumns, MayBeLeftOutAlone) {
  const auto layout = layout_of(kTable, asking({.dropped = {"colour", "id"}}));
  EXPECT_EQ(layout.dropped, (Columns{0, 1}));
  EXPECT_FALSE(layout.is_formed());
  EXPECT_EQ(columns_of("a.csv", layout).names.form.dropped,
            (std::vector<std::string>{"id", "colour"}));
}

TEST(TableAskedColumns, AreRefused) {
  EXPECT_EQ(error_of(kTable, asking({.dropped = {"no"}})),
            "a.csv: line 1: expected a column \"no\" to leave out, found none of that name");
  EXPECT_EQ(error_of(kTable, asking({.one_hot = {"5"}})),
            "a.csv: line 1: expected a column 5 of categories, found 4 columns");
  EXPECT_EQ(error_of(kTable, asking({.dropped = {"id", "1"}})),
            "a.csv: line 1: expected each column to leave out once, found \"1\" twice");
  EXPECT_EQ(error_of(kTable, asking({.one_hot = {"y"}})),
            "a.csv: line 1: expected a column of values for categories, found column 3 (\"y\"), "
            "which has labels");
  EXPECT_EQ(error_of(kTable, asking({.one_hot = {"id"}, .dropped = {"id"}})),
            "a.csv: line 1: expected a column of values for categories, found column 1 (\"id\"), "
            "which is left out");
  EXPECT_EQ(error_of(kTable, asking({.dropped = {"y"}})),
            "a.csv: line 1: expected labels in a column that is not left out, found column 3 "
            "(\"y\")");
  EXPECT_EQ(error_of(kTable, asking({.dropped = {"id", "colour", "size"}})),
            "a.csv: line 1: expected a column of values beside those of labels, found 4 columns, "
            "of which 3 are left out");
  EXPECT_EQ(error_of("a,b\n1,x\n", asking({.one_hot = {"b"}}, "")),
            "a.csv: line 1: expected a column of labels (--label-column says which), found none "
            "called label, class, target or y")
      << "nothing is guessed";
}

ReadTableOptions knowing(ColumnNames names) {
  ReadTableOptions options{.label_column = names.label};
  options.columns = {.names = std::move(names), .of = "m"};
  return options;
}

TEST(TableAskedColumns, TellAHeaderFromASampleOfText) {
  const auto header = [](std::string_view text) {
    return !layout_of(text, asking({.one_hot = {"text"}}, "1")).columns.empty();
  };
  EXPECT_TRUE(header("kind,colour\na,red\n"));
  EXPECT_TRUE(header(",colour\n0,red\n")) << "as pandas writes an index";
  EXPECT_FALSE(header("39,State-gov\n50,Private\n")) << "a number";
  EXPECT_FALSE(header("p,x,s,x\ne,x,y,x\n")) << "one comes twice";
  EXPECT_TRUE(header("sex,2019,2020,label\nm,5,6,1\n")) << "a number below a text";
  EXPECT_FALSE(header("a,?,2\nb,3,4\n")) << "what is missing is no name";
  const auto filled = [](std::string_view text) {
    return !layout_of(text, asking({.fill_missing = true}, "1")).columns.empty();
  };
  EXPECT_FALSE(filled("1,?,NA\n2,3,4\n"));
  EXPECT_TRUE(filled("label,0,1\n2,3,\n"));
}

TEST(TableAskedColumns, AreLeftOutByNamesOfTheirOwn) {
  constexpr std::string_view kTwice = "a,a,y,b\n1,2,0,3\n";
  EXPECT_EQ(error_of(kTwice, asking({.dropped = {"1"}})),
            "a.csv: line 1: expected a name of its own for each column to leave out, found others "
            "called \"a\"");
  EXPECT_EQ(layout_of(kTwice, asking({.dropped = {"1", "2"}})).dropped, (Columns{0, 1}));
}

TEST(TableAskedColumns, OfAFormWithoutNamesAreLeftOutOnce) {
  const TableForm form{.columns = {{.name = "2"}}, .dropped = {"1", "1"}};
  auto known = knowing({.values = {}, .label = "1", .form = form});
  known.unlabelled_values = 1;
  EXPECT_EQ(error_of("0,2,5\n", known),
            "a.csv: line 1: expected 1 columns of values, as m has, found 2");
}

TEST(TableAskedColumns, FollowAnotherFilesForm) {
  const TableForm form{
      .columns = {{.name = "size", .fill = 1.0F}, {.name = "colour", .categories = {"red"}}},
      .dropped = {"id"},
      .fills = true};
  const auto known = knowing({.values = form.value_names(), .label = "y", .form = form});
  for (const auto* text : {"id,colour,y,size\n1,red,0,2\n", "colour,y,size\nred,0,2\n"}) {
    const auto layout = layout_of(text, known);
    EXPECT_EQ(layout.places, (Columns{1, 0})) << text;
    ASSERT_EQ(layout.categories.size(), 1U) << text;
    EXPECT_EQ(layout.text_of(layout.categories[0]).find("(\"colour\")"), 9U) << text;
    EXPECT_TRUE(layout.gaps);
    EXPECT_TRUE(layout.form_known);
  }
  EXPECT_EQ(
      error_of("id,colour,y,width\n1,red,0,2\n", known),
      "a.csv: line 1: expected the columns of m, found none called \"size\", but \"width\" in "
      "column 4");
}

TEST(TableAskedColumns, FollowAFormWithoutNames) {
  const TableForm form{.columns = {{.name = "2"}, {.name = "4", .categories = {"a"}}},
                       .dropped = {"3"}};
  auto known = knowing({.values = {}, .label = "1", .form = form});
  auto layout = layout_of("0,2,x,a\n", known);
  EXPECT_EQ(layout.dropped, Columns{2});
  EXPECT_EQ(layout.categories, Columns{3});
  EXPECT_EQ(error_of("0,2,x,a,5\n", known),
            "a.csv: line 1: expected 2 columns of values, as m has, found 3");
  known.unlabelled_values = form.values();
  EXPECT_EQ(layout_of("0,2,x,a\n", known).categories, Columns{3});
  layout = layout_of("2,x,a\n", known);
  EXPECT_FALSE(layout.labelled);
  EXPECT_EQ(layout.dropped, Columns{1}) << "what is behind the labels has moved";
  EXPECT_EQ(layout.categories, Columns{2});
  EXPECT_EQ(error_of("2,a\n", known),
            "a.csv: line 1: expected 2 columns of values, and perhaps one of labels, found 2 "
            "columns");
}

}  // namespace
}  // namespace millrace
