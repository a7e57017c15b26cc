#include "formats/table_columns.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/support/files.h"

namespace millrace {
namespace {

using Names = std::vector<std::string>;
using Places = std::vector<std::size_t>;

/// Of a file whose label is in column `label`, counted from 0.
Places places(Names columns, std::size_t label, Names wanted) {
  TableLayout layout{.columns = std::move(columns), .label = label};
  layout.cells = layout.columns.size();
  return places_by_name("a.csv", 3, layout,
                        {.names = {.values = std::move(wanted), .label = "y"}, .of = "t.csv"});
}

std::string error(Names columns, std::size_t label, Names wanted) {
  return test::data_error_of([&] { (void)places(std::move(columns), label, std::move(wanted)); });
}

TEST(KnownColumns, LeaveTheLabelsOut) {
  const TableLayout layout{.columns = {"a", "y", "b"}, .cells = 3, .label = 1};
  EXPECT_EQ(columns_of("t.csv", layout).names, (ColumnNames{{"a", "b"}, "y"}));
  EXPECT_EQ(columns_of("t.csv", {.cells = 3, .label = 2}).names, (ColumnNames{{}, "3"}));
}

TEST(KnownColumns, LeaveTheTargetsOut) {
  const TableLayout layout{
      .columns = {"u", "a", "t", "b"}, .cells = 4, .label = 4, .targets = {2, 0}};
  EXPECT_EQ(columns_of("t.csv", layout).names, (ColumnNames{{"a", "b"}, "", {"t", "u"}}));
  EXPECT_EQ(columns_of("t.csv", {.cells = 3, .label = 3, .targets = {2}}).names,
            (ColumnNames{{}, "", {"3"}}));
  EXPECT_EQ(layout.values(), 2U);
  EXPECT_EQ(layout.words(), 2U);
  EXPECT_EQ(layout.label_columns(), (Places{0, 2}));
  EXPECT_EQ(layout.column_of(0), 1U);
  EXPECT_EQ(layout.column_of(1), 3U);
  EXPECT_EQ(layout.text_of(1), "column 2 (\"a\")");
}

TEST(KnownColumns, AreFoundByTheirNames) {
  EXPECT_EQ(places({"a", "b", "y"}, 2, {"a", "b"}), Places());
  EXPECT_EQ(places({"y", "a", "b"}, 0, {"a", "b"}), Places());
  EXPECT_EQ(places({"b", "y", "c", "a"}, 1, {"a", "b", "c"}), (Places{1, 2, 0}));
  EXPECT_EQ(places({"", "y", "a"}, 1, {"a", ""}), (Places{1, 0}));
}

TEST(KnownColumns, NameWhatIsMissingAndWhatIsLeftOver) {
  const std::string begin = "a.csv: line 3: expected the columns of t.csv, found ";
  EXPECT_EQ(error({"y", "a", "c"}, 0, {"a", "b", "d"}),
            begin + "none called \"b\", but \"c\" in column 3");
  EXPECT_EQ(error({"a", "y"}, 1, {"a", "b"}), begin + "none called \"b\"");
  EXPECT_EQ(error({"z", "y", "a"}, 1, {"a"}), begin + "\"z\" in column 1 besides");
  EXPECT_EQ(error({"a", "y", "a"}, 1, {"a"}), begin + "\"a\" in column 3 besides");
}

TEST(KnownColumns, OfOneNameAreToldApartByTheirPlacesAlone) {
  EXPECT_EQ(places({"y", "a", "a", "b"}, 0, {"a", "a", "b"}), Places());
  EXPECT_EQ(error({"y", "b", "a", "a"}, 0, {"a", "a", "b"}),
            "a.csv: line 3: expected the columns of t.csv in their order, two being called \"a\", "
            "found another order");
}

}  // namespace
}  // namespace millrace
