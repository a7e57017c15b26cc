#include "formats/table_fit.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::data_error_of;
using Names = std::vector<std::string>;

float word(std::int32_t category) { return std::bit_cast<float>(category); }

// Columns "size" and "colour" behind one of labels.
const TableLayout kLayout{
    .columns = {"y", "size", "colour"}, .cells = 3, .label = 0, .categories = {2}, .gaps = true};

TableWords words_of(std::vector<float> words, std::initializer_list<std::string_view> colours) {
  TableWords all{.words = std::move(words), .readers = {{1, true}}, .columns = 2};
  for (const auto colour : colours) (void)all.readers[0].read(0, colour);
  return all;
}

TEST(TableFit, HasCategoriesAndMeans) {
  const auto words =
      words_of({1, word(0), NAN, word(1), 4, word(kNoCategory), 4, word(0)}, {"red", "blue"});
  const auto form = form_of("a.csv", kLayout, {}, words);
  ASSERT_EQ(form.columns.size(), 2U);
  EXPECT_EQ(form.columns[0], (TableColumn{.name = "size", .flagged = true, .fill = 3.0F}));
  EXPECT_EQ(form.columns[1],
            (TableColumn{.name = "colour", .categories = {"blue", "red"}, .flagged = true}));
  EXPECT_TRUE(form.fills);
}

TEST(TableFit, HasNoMeansWhereNothingMayBeMissing) {
  auto layout = kLayout;
  layout.gaps = false;
  const auto form = form_of("a.csv", layout, {}, words_of({1, word(0)}, {"red"}));
  EXPECT_EQ(form.columns[0], (TableColumn{.name = "size"}));
  EXPECT_FALSE(form.fills);
}

TEST(TableFit, AddsUpInOneOrder) {
  TableWords words{.words = {}, .readers = {{0, true}}, .columns = 1};
  for (int i = 0; i < 10'000; ++i) words.words.push_back(static_cast<float>(i % 7) + 0.1F);
  const TableLayout layout{.cells = 2, .label = 0, .gaps = true};
  const auto mean = form_of("a.csv", layout, {}, words).columns[0].fill;
  double sum = 0.0;
  for (const float w : words.words) sum += double{w};
  EXPECT_NEAR(mean.value_or(0), sum / 10'000, 1e-6);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(form_of("a.csv", layout, {}, words).columns[0].fill, mean);
}

TEST(TableFit, NeedsSomethingInEachColumn) {
  EXPECT_EQ(
      data_error_of([] {
        (void)form_of("a.csv", kLayout, {}, words_of({NAN, word(0)}, {"r"}));
      }),
      "a.csv: expected a value in column 2 (\"size\"), found none (--drop-columns size leaves "
      "it out)");
  EXPECT_EQ(data_error_of([] {
              (void)form_of("a.csv", kLayout, {}, words_of({1, word(kNoCategory)}, {}));
            }),
            "a.csv: expected a value in column 3 (\"colour\"), found none (--drop-columns colour "
            "leaves it out)");
}

TEST(TableFit, TakesNoNamesOfLines) {
  Names names;
  TableWords words{.words = {}, .readers = {{1, true}}, .columns = 2};
  for (int i = 0; i < 40; ++i) names.push_back("n" + std::to_string(i));
  for (int i = 0; i < 40; ++i) {
    words.words.push_back(1);
    words.words.push_back(
        word(words.readers[0].read(0, names[static_cast<std::size_t>(i)]).value_or(0)));
  }
  EXPECT_EQ(data_error_of([&] { (void)form_of("a.csv", kLayout, {}, words); }),
            "a.csv: expected fewer categories than tell 40 lines apart, found 40 in column 3 "
            "(\"colour\") (--drop-columns colour leaves out, --one-hot by name takes them)");
  EXPECT_EQ(form_of("a.csv", kLayout, {2}, words).values(), 41U) << "asked for";
}

}  // namespace
}  // namespace millrace
