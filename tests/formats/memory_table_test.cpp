#include "formats/memory_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "formats/csv.h"
#include "tests/formats/float_values.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using Kind = MemoryColumn::Kind;
using Floats = std::vector<float>;
using Names = std::vector<std::string>;
using Texts = std::vector<std::optional<std::string>>;
using test::data_error_of;
using test::float_values;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

MemoryColumn numbers(std::string name, const std::vector<double>& values,
                     Kind kind = Kind::kNumbers) {
  return {.name = std::move(name), .kind = kind, .numbers = [values] { return values; }};
}

MemoryColumn texts(std::string name, const Texts& values) {
  return {.name = std::move(name), .kind = Kind::kText, .texts = [values](std::uint64_t most) {
            return Texts(values.begin(),
                         values.begin() + static_cast<std::ptrdiff_t>(
                                              std::min<std::uint64_t>(most, values.size())));
          }};
}

MemoryTable people() {
  return {.name = "DataFrame",
          .rows = 4,
          .columns = {numbers("age", {22, kMissing, 35, kMissing}),
                      texts("sex", {"male", "female", std::nullopt, "male"}),
                      numbers("child", {0, 1, 0, 0}, Kind::kBools),
                      texts("class", {"no", "yes", "no", "no"})}};
}

const TableOptions kAll{.one_hot = {"text"}, .fill_missing = true};

TEST(MemoryTable, IsWhatACsvFileOfItIs) {
  const test::TempFolder folder;
  const auto file = test::write_bytes(
      folder / "a.csv", test::make_bytes("age,sex,child,class\n22,male,0,no\n,female,1,yes\n"
                                         "35,,0,no\n,male,0,no\n"));
  const auto expected = read_csv(file, {.table = kAll});
  const auto found = read_memory_table(people(), {.table = kAll});
  EXPECT_EQ(float_values(found.samples.data), float_values(expected.samples.data));
  EXPECT_EQ(found.samples.dims, expected.samples.dims);
  EXPECT_EQ(found.labels.values, expected.labels.values);
  EXPECT_EQ(found.class_names, expected.class_names);
  EXPECT_EQ(found.columns, expected.columns);
}

TEST(MemoryTable, HasBytesWhereAllAreWhole) {
  const auto read = [](Kind kind, double last, bool as_float = false) {
    return read_memory_table(
        {.name = "DataFrame",
         .rows = 2,
         .columns = {numbers("a", {0, 255}, Kind::kWhole), numbers("b", {1, last}, kind),
                     numbers("y", {0, 1}, Kind::kWhole)}},
        {.as_float = as_float});
  };
  EXPECT_EQ(read(Kind::kWhole, 7).samples.dtype, DType::kUInt8);
  EXPECT_EQ(read(Kind::kBools, 1).samples.dtype, DType::kUInt8);
  EXPECT_EQ(read(Kind::kWhole, 256).samples.dtype, DType::kFloat32);
  EXPECT_EQ(read(Kind::kWhole, -1).samples.dtype, DType::kFloat32);
  EXPECT_EQ(read(Kind::kNumbers, 7).samples.dtype, DType::kFloat32);
  EXPECT_EQ(read(Kind::kWhole, 7, true).samples.dtype, DType::kFloat32);
}

TEST(MemoryTable, HasTargets) {
  const auto read = read_memory_table(
      {.name = "DataFrame",
       .rows = 2,
       .columns = {numbers("a", {1, 2}), numbers("u", {0.5, -3}), texts("v", {"1e3", "2"})}},
      {.task = Task::kRegression, .label_column = "u,v"});
  EXPECT_EQ(read.labels.targets, 2U);
  EXPECT_EQ(read.labels.values, (std::vector{target_word(0.5F), target_word(1e3F),
                                             target_word(-3.0F), target_word(2.0F)}));
}

TEST(MemoryTable, FollowsAnotherOne) {
  auto first = read_memory_table(people(), {.table = kAll});
  auto later = people();
  std::swap(later.columns[0], later.columns[1]);
  const ReadTableOptions options{.label_column = "class",
                                 .class_names = first.class_names,
                                 .columns = KnownColumns{.names = first.columns, .of = "first"}};
  EXPECT_EQ(float_values(read_memory_table(later, options).samples.data),
            float_values(first.samples.data));
  later.columns.erase(later.columns.begin());
  EXPECT_EQ(data_error_of([&] { (void)read_memory_table(later, options); }),
            "DataFrame: expected the columns of first, found none called \"sex\"");
}

TEST(MemoryTable, TakesNamesOfLinesWhereTheyAreAskedFor) {
  std::vector<double> count;
  Texts names;
  for (int i = 0; i < 40; ++i) {
    count.push_back(i % 2);
    names.emplace_back("n" + std::to_string(i));
  }
  const MemoryTable table{
      .name = "DataFrame", .rows = 40, .columns = {texts("name", names), numbers("y", count)}};
  EXPECT_EQ(read_memory_table(table, {.table = {.one_hot = {"text", "name"}}}).samples.dims[1],
            40U);
  EXPECT_EQ(
      data_error_of([&] { (void)read_memory_table(table, {.table = {.one_hot = {"text"}}}); }),
      "DataFrame: expected fewer categories than tell 40 lines apart, found 40 in column 1 "
      "(\"name\") (--drop-columns name leaves out, --one-hot by name takes them)");
}

TEST(MemoryTable, NamesTheCellThatIsWrong) {
  const auto error_of = [](const MemoryTable& table, const ReadTableOptions& options = {}) {
    return data_error_of([&] { (void)read_memory_table(table, options); });
  };
  EXPECT_EQ(error_of(people()),
            "DataFrame: sample 1: expected a finite number in column 1 (\"age\"), found a missing "
            "value (--missing mean fills in what is missing, --drop-columns age leaves it out)");
  EXPECT_EQ(error_of(people(), {.table = {.dropped = {"age"}}}),
            "DataFrame: sample 0: expected a finite number in column 2 (\"sex\"), found \"male\" "
            "(--one-hot sex makes values of categories, --drop-columns sex leaves it out)");
  EXPECT_EQ(error_of(people(), {.label_column = "age"}),
            "DataFrame: sample 1: expected a whole number in [0, 1048576) as the label in column 1 "
            "(\"age\"), found a missing value");
  auto other = people();
  other.columns[0] = {.name = "born", .kind = Kind::kOther, .other = "dates or times"};
  EXPECT_EQ(error_of(other, {.table = kAll}),
            "DataFrame: expected numbers, bools or text in column 1 (\"born\"), found dates or "
            "times (--drop-columns born leaves it out)");
  EXPECT_EQ(error_of({.name = "DataFrame"}), "DataFrame: expected rows of a table, found none");
}

TEST(MemoryTable, AreADataSet) {
  const auto train = people();
  auto test = people();
  test.name = "test";
  test.columns[1] = texts("sex", {"male", "other", "female", "male"});
  const auto opened = open_memory_tables(train, &test, nullptr, {.table = kAll});
  EXPECT_EQ(opened.train->size(), 4U);
  EXPECT_EQ(opened.test->shape(), opened.train->shape());
  EXPECT_EQ(opened.columns, DataFolder::Columns::kAll);
  EXPECT_EQ(opened.description,
            "DataFrame: 4 training and 4 test samples, 6 float32, 2 classes; labels in column 4 "
            "(\"class\"); columns \"age\" filled in where it is missing, \"sex\" of 2 categories, "
            "some missing; test: 1 sample has categories that are not known, which count as none: "
            "the first is \"other\" in column 2 (\"sex\") of sample 1");
}

}  // namespace
}  // namespace millrace
