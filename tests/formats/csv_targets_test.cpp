// Tables whose labels are numbers, as files and as folders.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/csv.h"
#include "formats/folder.h"
#include "tests/formats/float_values.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using Floats = std::vector<float>;
using Names = std::vector<std::string>;
using test::data_error_of;
using test::float_values;

Floats targets_of(std::span<const std::int32_t> words) {
  Floats targets;
  for (const auto word : words) targets.push_back(target_of(word));
  return targets;
}

class CsvTargetsTest : public testing::Test {
 protected:
  std::filesystem::path write(std::string_view text, const std::string& name = "a.csv") const {
    return test::write_bytes(folder_ / name, test::make_bytes(text));
  }
  ReadTable read(std::string_view text, const std::string& label_column = "") const {
    return read_csv(write(text), {.task = Task::kRegression, .label_column = label_column});
  }
  std::string error_of(std::string_view text, const ReadTableOptions& options) const {
    const auto path = write(text);
    const auto message = data_error_of([&] { (void)read_csv(path, options); });
    EXPECT_TRUE(message.starts_with(path.string() + ": ")) << message;
    return message.substr(message.find(": ") + 2);
  }
  std::string error_of(std::string_view text, const std::string& label_column = "") const {
    return error_of(text, {.task = Task::kRegression, .label_column = label_column});
  }
  DataFolder open(OpenOptions options = {}) const {
    options.task = Task::kRegression;
    return open_folder(folder_.path(), options);
  }
  std::string here() const { return folder_.path().string(); }

  test::TempFolder folder_;
};

TEST_F(CsvTargetsTest, AreReadFromOneColumn) {
  const auto table = read("rooms,price,age\n3,250000.5,10\n5,-0.1,20.5\n", "price");
  EXPECT_EQ(table.labels.targets, 1U);
  EXPECT_EQ(table.labels.classes, 0U);
  EXPECT_EQ(targets_of(table.labels.values), (Floats{250000.5F, -0.1F}));
  EXPECT_EQ(float_values(table.samples.data), (Floats{3, 10, 5, 20.5F}));
  EXPECT_TRUE(table.class_names.empty());
  EXPECT_EQ(table.columns, (ColumnNames{{"rooms", "age"}, "", {"price"}}));
}

TEST_F(CsvTargetsTest, AreReadFromSeveralColumnsInTheOrderAskedFor) {
  // In the short way of plain numbers, and cell by cell.
  for (const auto* text : {"a,t,b,u\n1,2,3,4\n5,6,7,8.5\n", "a,t,b,u\n1, 2,3,4\n\"5\",6,7,8.5\n"}) {
    const auto table = read(text, "u,t");
    EXPECT_EQ(table.labels.targets, 2U);
    EXPECT_EQ(targets_of(table.labels.values), (Floats{4, 2, 8.5F, 6})) << text;
    EXPECT_EQ(table.samples.dtype, DType::kUInt8) << "whatever its targets are";
    EXPECT_EQ(table.samples.dims, (std::vector<std::uint64_t>{2, 2}));
    EXPECT_EQ(table.samples.data[3], std::byte{7});
    EXPECT_EQ(table.columns.targets, (Names{"u", "t"}));
  }
  const auto unnamed = read("1,2,3\n4,5,6\n", "1,3");
  EXPECT_EQ(targets_of(unnamed.labels.values), (Floats{1, 3, 4, 6}));
  EXPECT_EQ(unnamed.columns.targets, (Names{"1", "3"}));
  EXPECT_TRUE(unnamed.columns.values.empty());
}

TEST_F(CsvTargetsTest, AreTheSameForManyPieces) {
  std::string text = "x,y1,z,y2\n";
  Floats expected;
  for (int i = 0; i < 200'000; ++i) {
    text += fmt::format("{},{},{},{}\n", i % 7, i * 0.25, i % 3, -i);
    expected.push_back(static_cast<float>(i * 0.25));
    expected.push_back(static_cast<float>(-i));
  }
  const auto table = read(text);
  EXPECT_EQ(targets_of(table.labels.values), expected);
}

TEST_F(CsvTargetsTest, NameTheCell) {
  const std::string expected =
      R"(line 3: expected a finite number (float32) as the target in column 2 ("price"), found )";
  const auto error = [&](const std::string& cell) {
    return error_of("rooms,price\n1,2\n3," + cell + "\n", "price");
  };
  EXPECT_EQ(error("dear"), expected + "\"dear\"");
  EXPECT_EQ(error("inf"), expected + "\"inf\"");
  EXPECT_EQ(error("1e39"), expected + "\"1e39\"");
  EXPECT_EQ(error("NA"), expected +
                             "\"NA\" (fill in what is missing, or leave out its line or "
                             "column)");
  EXPECT_EQ(error_of("town,price\nRome,2\n", "price"),
            "line 2: expected a finite number in column 1 (\"town\"), found \"Rome\" (--one-hot "
            "town makes values of categories, --drop-columns town leaves it out)");
}

TEST_F(CsvTargetsTest, NameTheColumnThatIsNotThere) {
  EXPECT_EQ(error_of("a,b,c\n1,2,3\n", "c,price"),
            "expected a column \"price\" for targets, found none of that name");
  EXPECT_EQ(error_of("a,b\n1,2\n", "a,b"),
            "line 1: expected a column of values beside those of targets, found 2 columns, all of "
            "targets");
  EXPECT_EQ(error_of("a\n1\n"),
            "line 1: expected two or more columns, one of them of targets, found one");
}

TEST_F(CsvTargetsTest, TakeNoMemoryForWhatLinesCannotHold) {
  std::string text = "x";
  for (int i = 0; i < 100'000; ++i) text += ",y" + std::to_string(i);
  text += '\n';
  for (int i = 0; i < 500'000; ++i) text += "1\n";
  EXPECT_EQ(error_of(text), "line 2: expected 100001 cells, as in the first line, found 1");
}

TEST_F(CsvTargetsTest, AreHintedAtWhereClassesAreReadOfNumbers) {
  const std::string expected =
      "line 2: expected a whole number in [0, 1048576) as the label in column 2 (\"y\"), found ";
  const std::string hint =
      " (numbers that are to be learnt: --task regression; of 0 and 1 for each label: --task "
      "multilabel)";
  for (const auto* cell : {"0.5", "-3", "2000000"}) {
    EXPECT_EQ(error_of(std::string("x,y\n1,") + cell + "\n", ReadTableOptions{}),
              fmt::format("{}\"{}\"{}", expected, cell, hint));
  }
  EXPECT_EQ(error_of("x,y\n1,0.5\n", {.classes = 3}),
            "line 2: expected a whole number in [0, 3) as the label in column 2 (\"y\"), found "
            "\"0.5\"")
      << "where classes are known";
}

TEST_F(CsvTargetsTest, DoNotMatterWhereTheyAreOfNoInterest) {
  const KnownColumns columns{.names = {{"a", "b"}, "", {"t", "u"}}, .of = "train.csv"};
  const auto read_unlabelled = [&](std::string_view text, bool by_names) {
    ReadTableOptions options{.task = Task::kRegression,
                             .target_columns = by_names ? columns.names.targets : Names{"1", "4"},
                             .unlabelled_values = 2};
    if (by_names) options.columns = columns;
    const auto table = read_csv(write(text), options);
    EXPECT_EQ(table.samples.dims, (std::vector<std::uint64_t>{1, 2})) << text;
    EXPECT_EQ(table.labels.values, (std::vector<std::int32_t>{0})) << text;
    EXPECT_EQ(table.labels.targets, 0U) << text;
    EXPECT_EQ(table.samples.data[0], std::byte{1}) << text;
    EXPECT_EQ(table.samples.data[1], std::byte{2}) << text;
  };
  read_unlabelled("a,b\n1,2\n", true);
  read_unlabelled("b,a\n2,1\n", true);
  read_unlabelled("u,b,t,a\nno,2,number,1\n", true);
  read_unlabelled("b,t,a\n2,,1\n", true);
  read_unlabelled("1,2\n", false);
  read_unlabelled("7,1,2,9\n", false);
  const ReadTableOptions one{.task = Task::kRegression, .unlabelled_values = 1};
  EXPECT_EQ(read_csv(write("7\n8\n"), one).samples.dims, (std::vector<std::uint64_t>{2, 1}));
  EXPECT_EQ(read_csv(write("x,y\n8,\n"), one).samples.data[0], std::byte{8});
  const ReadTableOptions three{.task = Task::kRegression, .unlabelled_values = 3};
  EXPECT_EQ(error_of("x,y\n1,2\n", three),
            "line 1: expected 3 columns of values, and perhaps those of targets, found 2 columns");
  EXPECT_EQ(error_of("1,2,3,4\n5,6,7,8\n", three),
            "line 1: expected 3 columns of values, and perhaps those of targets, found 4 columns");
  EXPECT_EQ(error_of("a,b,c,y,d\n1,2,3,4,5\n", three),
            "line 1: expected 3 columns of values, and perhaps those of targets, found 5 columns");
}

TEST_F(CsvTargetsTest, GoTogetherInAFolder) {
  write("rooms,price,age\n3,250.5,10\n5,100,20\n", "train.csv");
  write("age,rooms,price\n7,4,20\n", "test.csv");
  const auto opened = open({.label_column = "price"});
  EXPECT_EQ(opened.description,
            here() +
                ": 2 training and 1 test samples, 2 uint8, 1 target; all values are whole numbers "
                "from 0 to 255 and divided by 255, as pixels are (7.0 in place of a 7 keeps them "
                "as they are); target in column 2 (\"price\")");
  EXPECT_EQ(targets_of(opened.test->labels()), (Floats{20}));
  EXPECT_EQ(opened.test->contiguous().samples[0], std::byte{4}) << "in the training set's order";
  EXPECT_EQ(opened.test->column_names().targets, (Names{"price"}));
  write("age,rooms\n7,4\n", "test.csv");
  const auto alone = open({.label_column = "price"});
  EXPECT_EQ(alone.test, nullptr);
  EXPECT_TRUE(alone.description.ends_with(
      "; test.csv has no targets and is left out ('trainer predict' takes it)"))
      << alone.description;
}

TEST_F(CsvTargetsTest, SayWhichColumnsTheyAre) {
  const auto ending = [&](std::string_view text, const std::string& asked) {
    write(text);
    const auto description = open({.label_column = asked}).description;
    return description.substr(description.find("; target"));
  };
  EXPECT_EQ(ending("a,b,c\n1,2,3.5\n", "c,1"), "; targets in column 3 (\"c\"), column 1 (\"a\")");
  EXPECT_EQ(ending("1,2,3.5,4,5,0.5\n", "1,2,3,4,5"),
            "; targets in column 1, column 2, column 3 and 2 more");
  EXPECT_EQ(ending("y,,b\n1,2.5,3\n", ""),
            "; target in column 1 (\"y\"); column 2 has no name: if it is an index, as "
            "pandas writes it, --drop-columns 2 leaves it out");
}

TEST_F(CsvTargetsTest, AreFoundAsTheyAreKnown) {
  write("u,b,t,a\n0.5,2,4,1.5\n");
  OpenOptions options;
  options.known.columns = {.names = {{"a", "b"}, "", {"t", "u"}}, .of = "train.csv"};
  const auto opened = open(options).train;
  EXPECT_EQ(targets_of(opened->labels()), (Floats{4, 0.5F}));
  options.label_column = "u";
  write("u,b,a\n0.5,2,1.5\n");
  EXPECT_EQ(targets_of(open(options).train->labels()), (Floats{0.5F})) << "as it is asked for";
  EXPECT_EQ(read_table_options(options.known).task, Task::kRegression);
}

TEST_F(CsvTargetsTest, AreNotTakenForNamesWhereOneIsMissing) {
  EXPECT_EQ(
      error_of("1,NA,2\n3,4,5\n", "3"),
      "line 1: expected a finite number in column 2, found \"NA\" (--missing mean fills in what "
      "is missing, --drop-columns 2 leaves it out)");
  EXPECT_EQ(read("a,NA,b\n3,4,5\n", "3").columns.targets, Names{"b"});
}

TEST_F(CsvTargetsTest, HaveNamesOfTheirOwn) {
  const std::string text = "a,v,v\n1,2,3\n4,5,6\n";
  EXPECT_EQ(error_of(text, "2"),
            "line 1: expected a name of its own for each column of targets, found several called "
            "\"v\"");
  EXPECT_EQ(targets_of(read(text, "1").labels.values), (Floats{1, 4}));
}

}  // namespace
}  // namespace millrace
