#include "formats/table_texts.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace millrace {
namespace {

using Names = std::vector<std::string>;

/// Of rows of numbers, as a table's samples are.
template <typename T>
ArrayDataset data_of(std::vector<T> values, std::uint64_t width, ColumnNames columns = {}) {
  const auto bytes = std::make_shared<const std::vector<T>>(std::move(values));
  const std::uint64_t rows = bytes->size() / width;
  Array samples{.name = "f",
                .dtype = std::is_same_v<T, float> ? DType::kFloat32 : DType::kUInt8,
                .dims = {rows, width}};
  samples.data = std::as_bytes(std::span(*bytes));
  samples.owner = bytes;
  Labels labels{.values = std::vector<std::int32_t>(rows), .classes = 1};
  return {std::move(samples), std::move(labels), {}, std::move(columns)};
}

TableLayout layout_of(Names header, std::size_t label) {
  TableLayout layout{.columns = std::move(header)};
  layout.cells = layout.columns.size();
  layout.label = label;
  return layout;
}

/// Rows of `first`, first + 1, … in column `counting`, and of 7 in the other one.
std::vector<float> counting_rows(std::size_t rows, std::size_t counting, float first = 1) {
  std::vector<float> values;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < 2; ++column) {
      values.push_back(column == counting ? first + static_cast<float>(row) : 7);
    }
  }
  return values;
}

TEST(TableTexts, SayWhetherLabelsCount) {
  std::vector<std::int32_t> labels(10);
  std::iota(labels.begin(), labels.end(), 3);
  EXPECT_TRUE(labels_count(labels));
  labels[4] = 3;
  EXPECT_FALSE(labels_count(labels));
  EXPECT_FALSE(labels_count(std::vector<std::int32_t>{0, 1, 2})) << "so few may do so by chance";
  EXPECT_FALSE(labels_count({}));
}

TEST(TableTexts, NameAColumnThatCountsTheLines) {
  const auto layout = layout_of({"y", "a", "row id"}, 0);
  EXPECT_EQ(index_text(layout, data_of(counting_rows(10, 1), 2)),
            "; column 3 (\"row id\") counts the lines: if it is an index, --drop-columns 3 "
            "leaves it out");
  EXPECT_EQ(index_text(layout, data_of(counting_rows(10, 0), 2)),
            "; column 2 (\"a\") counts the lines: if it is an index, --drop-columns a leaves it "
            "out");
  EXPECT_EQ(index_text(layout, data_of(counting_rows(9, 1), 2)), "");
  EXPECT_EQ(index_text(layout, data_of(std::vector<float>(40, 7), 2)), "");
  std::vector<std::uint8_t> bytes;
  for (std::uint8_t i = 0; i < 20; ++i) bytes.insert(bytes.end(), {i, 0});
  EXPECT_NE(index_text(layout, data_of(bytes, 2)), "");
}

TEST(TableTexts, NameAColumnThatCountsBehindCategories) {
  TableForm form;
  form.columns = {{.name = "c", .categories = {"x", "y"}}, {.name = "n"}};
  std::vector<float> values;
  for (int i = 0; i < 12; ++i) values.insert(values.end(), {1, 0, static_cast<float>(i)});
  const auto data = data_of(values, 3, {.values = {"c=x", "c=y", "n"}, .label = "y", .form = form});
  EXPECT_EQ(
      index_text(layout_of({"c", "n", "y"}, 2), data),
      "; column 2 (\"n\") counts the lines: if it is an index, --drop-columns n leaves it out");
}

TEST(TableTexts, NameAColumnWithoutAName) {
  EXPECT_EQ(
      index_text(layout_of({"", "a", "y"}, 2), data_of(std::vector<float>(8, 7), 2)),
      "; column 1 has no name: if it is an index, as pandas writes it, --drop-columns 1 leaves "
      "it out");
}

TEST(TableTexts, SayWhatColumnsBecame) {
  TableForm form;
  EXPECT_EQ(form_text(form), "");
  form.columns = {{.name = "a"},
                  {.name = "b", .categories = {"x"}},
                  {.name = "c", .categories = {"x", "y"}, .flagged = true},
                  {.name = "d", .flagged = true}};
  EXPECT_EQ(form_text(form),
            "; columns \"b\" of 1 category, \"c\" of 2 categories, some missing, \"d\" filled in "
            "where it is missing");
  for (const auto* name : {"e", "f", "g"}) form.columns.push_back({.name = name, .flagged = true});
  const auto text = form_text(form);
  EXPECT_TRUE(text.ends_with("\"e\" filled in where it is missing and 2 more")) << text;
}

TEST(TableTexts, SayThatNumbersAreTakenForPixels) {
  EXPECT_EQ(bytes_text(data_of(std::vector<std::uint8_t>(6, 1), 3), "a column of floats"),
            "; all values are whole numbers from 0 to 255 and divided by 255, as pixels are (a "
            "column of floats keeps them as they are)");
  EXPECT_EQ(bytes_text(data_of(std::vector<float>(6, 1), 3), "x"), "");
  EXPECT_EQ(bytes_text(data_of(std::vector<std::uint8_t>(64, 1), 64), "x"), "");
  EXPECT_NE(bytes_text(data_of(std::vector<std::uint8_t>(63, 1), 63), "x"), "");
}

TEST(TableTexts, SayWhereLabelsAre) {
  EXPECT_EQ(labels_text(layout_of({"a", "y"}, 1)), "; labels in column 2 (\"y\")");
  auto layout = layout_of({"a", "b", "c", "d", "e"}, 5);
  layout.targets = {4};
  EXPECT_EQ(labels_text(layout), "; target in column 5 (\"e\")");
  layout.targets = {4, 0, 1, 2};
  EXPECT_EQ(labels_text(layout),
            "; targets in column 5 (\"e\"), column 1 (\"a\"), column 2 (\"b\") and 1 more");
}

}  // namespace
}  // namespace millrace
