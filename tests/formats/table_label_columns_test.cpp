#include "formats/table_label_columns.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/files.h"

namespace millrace {
namespace {

using Names = std::vector<std::string>;
using Columns = std::vector<std::size_t>;
using test::data_error_of;

TableLayout layout_of(Names header, std::size_t cells = 0) {
  TableLayout layout{.columns = std::move(header), .cells = cells};
  if (cells == 0) layout.cells = layout.columns.size();
  layout.label = layout.cells;
  return layout;
}

TableLayout targets_in(Names header, const std::string& asked = "", std::size_t cells = 0) {
  auto layout = layout_of(std::move(header), cells);
  find_targets("a.csv", 3, {.task = Task::kRegression, .label_column = asked}, layout);
  return layout;
}

Columns targets(Names header, const std::string& asked = "", std::size_t cells = 0) {
  return targets_in(std::move(header), asked, cells).targets;
}

std::string error(Names header, const std::string& asked = "", std::size_t cells = 0) {
  return data_error_of([&] { (void)targets_in(std::move(header), asked, cells); });
}

TEST(TableLabelColumns, CountColumnsInDigitsAlone) {
  EXPECT_EQ(column_number("12"), 12U);
  EXPECT_EQ(column_number("0"), 0U);
  for (const auto* text : {"", "-1", "1.0", "1,2", " 1", "one"}) {
    EXPECT_FALSE(column_number(text)) << text;
  }
}

TEST(TableLabelColumns, AreCalledAsLabelsAre) {
  for (const auto* name : {"label", "Labels", "CLASS", "classes", "target", "Y"}) {
    EXPECT_TRUE(is_label_name(name)) << name;
  }
  EXPECT_FALSE(is_label_name("y1"));
  EXPECT_FALSE(is_label_name(""));
}

TEST(TableLabelColumns, HaveTheOnlyText) {
  EXPECT_EQ(only_text({"1", "cat", "2"}), 1U);
  EXPECT_EQ(only_text({"1", "cat", "dog"}), std::nullopt);
  EXPECT_EQ(only_text({"1", "", "2,5"}), std::nullopt) << "empty, and with a decimal comma";
}

TEST(TableLabelColumns, FindTheColumnOfClasses) {
  const auto label = [](Names header, const std::string& asked) {
    auto layout = layout_of(std::move(header));
    find_label("a.csv", 1, asked, nullptr, layout);
    return layout;
  };
  EXPECT_EQ(label({"a", "b", "y"}, "").label, 2U);
  EXPECT_FALSE(label({"a", "b", "y"}, "").label_guessed);
  EXPECT_TRUE(label({"a", "b", "c"}, "").label_guessed);
  EXPECT_EQ(label({"a", "b", "c"}, "b").label, 1U);
  EXPECT_EQ(label({"a", "b", "c"}, "3").label, 2U);
  EXPECT_EQ(label({"a", "b,c", "c"}, "b,c").label, 1U);
  const auto missing = label({"a", "b", "c"}, "d");
  EXPECT_FALSE(missing.labelled);
  EXPECT_EQ(missing.missing, "d");
  EXPECT_EQ(missing.label, missing.cells);
}

TEST(TableLabelColumns, FindTargetsThatAreAskedFor) {
  EXPECT_EQ(targets({"a", "price", "b"}, "price"), (Columns{1}));
  EXPECT_EQ(targets({"a", "price", "area"}, "area,price"), (Columns{2, 1})) << "in this order";
  EXPECT_EQ(targets({"a", "price", "area"}, " area , 1"), (Columns{2, 0}));
  EXPECT_EQ(targets({}, "3,1", 3), (Columns{2, 0}));
  EXPECT_EQ(targets({"a", "x,y", "x", "y"}, "x,y"), (Columns{1})) << "a name comes first";
  EXPECT_EQ(targets({"a", "x,y", "x", "y"}, R"("x,y",y)"), (Columns{1, 3}));
  EXPECT_EQ(targets({"a", "2"}, "2"), (Columns{1})) << "by its name";
  EXPECT_EQ(targets({"3", "2", "1"}, "3"), (Columns{0})) << "by its name";
}

TEST(TableLabelColumns, AreThoseThatAreKnown) {
  auto layout = layout_of({"a,b", "a", "c"});
  find_targets("a.csv", 1, {.label_column = "c", .target_columns = {"a,b", "a"}}, layout);
  EXPECT_EQ(layout.targets, (Columns{0, 1}));
}

TEST(TableLabelColumns, FindTargetsByTheirNames) {
  EXPECT_EQ(targets({"a", "Target", "b"}), (Columns{1}));
  EXPECT_EQ(targets({"y", "y1", "y2"}), (Columns{0}));
  EXPECT_EQ(targets({"X1", "X2", "Y1", "Y2"}), (Columns{2, 3}));
  EXPECT_EQ(targets({"target_0", "a", "target_1"}), (Columns{0, 2}));
  EXPECT_EQ(error({"a", "1", "2", "_3"}),
            "a.csv: line 3: expected a column of targets (--label-column says which, several with "
            "commas between), found none called label, class, target or y");
  EXPECT_EQ(error({}, "", 4),
            "a.csv: line 3: expected a column of targets (--label-column says which, several with "
            "commas between), found no header with names");
  EXPECT_EQ(error({"y", "a", "class"}),
            "a.csv: line 3: expected one column of targets (--label-column says which), found "
            "\"y\" in column 1 and \"class\" in column 3");
}

TEST(TableLabelColumns, NameATargetThatIsNotThere) {
  const auto layout = targets_in({"a", "b", "c"}, "b,d,e");
  EXPECT_FALSE(layout.labelled);
  EXPECT_EQ(layout.missing, "d");
  EXPECT_EQ(layout.targets, (Columns{1})) << "the others";
  EXPECT_EQ(error({"a", "b"}, "b,3"),
            "a.csv: line 3: expected a column 3 for targets, found 2 columns");
  EXPECT_EQ(error({"a", "b"}, "0"),
            "a.csv: line 3: expected a column 0 for targets, found 2 columns");
  EXPECT_EQ(error({}, "price", 3),
            "a.csv: line 3: expected a header with a column \"price\", found numbers");
}

TEST(TableLabelColumns, NameATargetThatIsThereTwice) {
  EXPECT_EQ(error({"a", "b"}, "b,2"),
            "a.csv: line 3: expected each column of targets once, found \"2\" twice");
  EXPECT_EQ(error({"a", "b", "b"}, "a,b"),
            "a.csv: line 3: expected one column \"b\" for targets, found \"b\" in column 2 and "
            "\"b\" in column 3");
}

}  // namespace
}  // namespace millrace
