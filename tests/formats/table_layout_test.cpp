#include "formats/table_layout.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/files.h"

namespace millrace {
namespace {

using Columns = std::vector<std::size_t>;
using Names = std::vector<std::string>;
using Cells = std::vector<std::string_view>;
using test::data_error_of;

/// Of a table with a header, or of `cells` columns without one.
TableLayout layout_of(Names header, const ReadTableOptions& options = {}, std::size_t cells = 0,
                      const Cells& sample = {}) {
  TableLayout layout{.columns = std::move(header), .cells = cells};
  if (cells == 0) layout.cells = layout.columns.size();
  refuse_one_column("f", 2, options, layout);
  find_columns("f", 2, options, sample.empty() ? nullptr : &sample, layout);
  return layout;
}

std::string error(Names header, const ReadTableOptions& options = {}, std::size_t cells = 0) {
  const auto message = data_error_of([&] { (void)layout_of(std::move(header), options, cells); });
  EXPECT_TRUE(message.starts_with("f: line 2: expected ")) << message;
  return message.substr(message.find("expected "));
}

KnownColumns known(Names values, std::string label = "y") {
  return {.names = {.values = std::move(values), .label = std::move(label)}, .of = "train"};
}

TEST(TableLayout, HasLabelsWhereTheyAreCalledSo) {
  const auto layout = layout_of({"a", "label", "b"});
  EXPECT_EQ(layout.label, 1U);
  EXPECT_FALSE(layout.label_guessed);
  EXPECT_TRUE(layout.labelled);
  EXPECT_EQ(layout.values(), 2U);
  EXPECT_TRUE(layout.places.empty());
}

TEST(TableLayout, HasLabelsWhereTheFirstSampleHasText) {
  const auto layout = layout_of({"a", "b", "c"}, {}, 0, {"1", "2", "cat"});
  EXPECT_EQ(layout.label, 2U);
  EXPECT_TRUE(layout.label_guessed);
  EXPECT_TRUE(layout.named_classes);
  EXPECT_FALSE(layout_of({"a", "b"}, {}, 0, {"1", "2"}).named_classes);
}

TEST(TableLayout, HasTargetsThatAreAskedFor) {
  const ReadTableOptions options{.task = Task::kRegression, .label_column = "c,a"};
  const auto layout = layout_of({"a", "b", "c"}, options);
  EXPECT_EQ(layout.targets, (Columns{2, 0}));
  EXPECT_EQ(layout.label, layout.cells);
  EXPECT_EQ(layout.values(), 1U);
}

TEST(TableLayout, FindsValuesInTheOrderThatIsKnown) {
  const auto layout =
      layout_of({"b", "y", "a"}, {.label_column = "y", .columns = known({"a", "b"})});
  EXPECT_EQ(layout.places, (Columns{1, 0}));
  const auto message = error({"b", "y", "c"}, {.label_column = "y", .columns = known({"a", "b"})});
  EXPECT_NE(message.find("\"a\""), std::string::npos) << message;
}

TEST(TableLayout, MayBeWithoutTheLabelsThatAreAskedFor) {
  const auto layout = layout_of({"a", "b"}, {.label_column = "y"});
  EXPECT_FALSE(layout.labelled);
  EXPECT_EQ(layout.missing, "y");
}

TEST(TableLayout, LeavesOutColumns) {
  const auto layout =
      layout_of({"id", "a", "y"}, {.label_column = "y", .table = {.dropped = {"id"}}});
  EXPECT_EQ(layout.dropped, (Columns{0}));
  EXPECT_EQ(layout.values(), 1U);
  EXPECT_EQ(layout.column_of(0), 1U);
  EXPECT_EQ(error({"id", "y"}, {.label_column = "y", .table = {.dropped = {"y"}}}),
            "expected labels in a column that is not left out, found column 2 (\"y\")");
  EXPECT_EQ(error({"id", "y"}, {.label_column = "y", .table = {.dropped = {"id"}}}),
            "expected a column of values beside those of labels, found 2 columns, of which 1 is "
            "left out");
}

TEST(TableLayout, FindsColumnsOfCategories) {
  const auto layout = layout_of(
      {"a", "c", "y"}, {.label_column = "y", .table = {.one_hot = {"c"}, .fill_missing = true}});
  EXPECT_EQ(layout.categories, (Columns{1}));
  EXPECT_TRUE(layout.gaps);
  EXPECT_TRUE(layout.is_formed());
  EXPECT_FALSE(layout_of({"a", "y"}).is_formed());
}

TEST(TableLayout, GuessesNoLabelsWhereColumnsAreAskedFor) {
  EXPECT_EQ(error({"a", "b", "c"}, {.table = {.dropped = {"a"}}}),
            "expected a column of labels (--label-column says which), found none called label, "
            "class, target or y");
  EXPECT_EQ(error({}, {.table = {.dropped = {"1"}}}, 3),
            "expected a column of labels (--label-column says which), found no header with names");
}

TEST(TableLayout, NeedsTwoColumns) {
  EXPECT_EQ(error({"a"}), "expected two or more columns, one of them of labels, found one");
  EXPECT_EQ(error({}, {.task = Task::kRegression}),
            "expected two or more columns, one of them of targets, found none");
  EXPECT_EQ(layout_of({"a"}, {.unlabelled_values = 1}).values(), 1U);
  EXPECT_EQ(error({"a", "b"}, {.task = Task::kRegression, .label_column = "a,b"}),
            "expected a column of values beside those of targets, found 2 columns, all of targets");
}

TEST(TableLayout, MayHaveOrLackLabelsThatNobodyLooksAt) {
  const ReadTableOptions options{.unlabelled_values = 2};
  EXPECT_FALSE(layout_of({}, options, 2).labelled);
  EXPECT_EQ(layout_of({}, options, 2).values(), 2U);
  EXPECT_TRUE(layout_of({"a", "b", "y"}, options).labelled);
  EXPECT_EQ(layout_of({"a", "b", "y"}, options).label, 2U);
  EXPECT_EQ(error({}, options, 4),
            "expected 2 columns of values, and perhaps one of labels, found 4 columns");
  EXPECT_EQ(error({}, {.task = Task::kRegression, .unlabelled_values = 2}, 4),
            "expected 2 columns of values, and perhaps those of targets, found 4 columns");
}

TEST(TableLayout, KnowsHowManyColumnsAFormHas) {
  ReadTableOptions options;
  EXPECT_EQ(known_form_columns(options), 0U);
  options.columns = known({});
  EXPECT_EQ(known_form_columns(options), 0U);
  options.columns->names.form.columns = {{.name = "1"}, {.name = "2", .flagged = true}};
  EXPECT_EQ(known_form_columns(options), 2U);
  options.label_column = "1";
  EXPECT_EQ(layout_of({}, options, 3).values(), 2U);
  EXPECT_EQ(error({}, options, 4), "expected 2 columns of values, as train has, found 3");
}

TEST(TableLayout, TakesColumnsOfTextForCategories) {
  const auto is_text = [](std::size_t column) { return column != 1; };
  TableLayout layout{.cells = 6, .label = 0, .dropped = {2}, .categories = {4}};
  EXPECT_EQ(take_text_columns(layout, is_text), Columns{4});
  EXPECT_EQ(layout.categories, Columns{4}) << "nobody asks for all that have text";
  layout.text_columns = true;
  EXPECT_EQ(take_text_columns(layout, is_text), Columns{4});
  EXPECT_EQ(layout.categories, (Columns{3, 4, 5}));
}

TEST(TableLayout, NamesNoLineWhereThereAreNone) {
  TableLayout layout{.columns = {"a"}, .cells = 1};
  EXPECT_EQ(data_error_of([&] { refuse_one_column("f", 0, {}, layout); }),
            "f: expected two or more columns, one of them of labels, found one");
}

}  // namespace
}  // namespace millrace
