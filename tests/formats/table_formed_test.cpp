// Tables with categories and missing values, as samples, as files and as folders.
#include "formats/table_formed.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/csv.h"
#include "formats/folder.h"
#include "tests/formats/float_values.h"
#include "tests/support/files.h"
#include "tests/support/npy_files.h"

namespace millrace {
namespace {

using Floats = std::vector<float>;
using Names = std::vector<std::string>;
using test::data_error_of;
using test::float_values;

constexpr std::string_view kPeople =
    "id,name,age,sex,y\n"
    "1,\"Braund, Mr.\",22,male,0\n"
    "2,Heikkinen,,female,1\n"
    "3,Allen,35,male,0\n"
    "4,Moran,NA,male,0\n";

const TableOptions kAll{.one_hot = {"text"}, .dropped = {"id", "name"}, .fill_missing = true};

class TableFormedTest : public testing::Test {
 protected:
  std::filesystem::path write(std::string_view text, const std::string& name = "train.csv") const {
    return test::write_bytes(folder_ / name, test::make_bytes(text));
  }
  ReadTable read(std::string_view text, const TableOptions& table,
                 const std::string& label = "y") const {
    return read_csv(write(text), {.label_column = label, .table = table});
  }
  std::string error_of(std::string_view text, const TableOptions& table) const {
    const auto message = data_error_of([&] { (void)read(text, table); });
    return message.substr(message.find(": ") + 2);
  }

  test::TempFolder folder_;
};

TEST_F(TableFormedTest, AreFloats) {
  const auto table = read(kPeople, kAll);
  EXPECT_EQ(table.samples.dtype, DType::kFloat32);
  EXPECT_EQ(table.samples.dims, (std::vector<std::uint64_t>{4, 4}));
  EXPECT_EQ(float_values(table.samples.data), (Floats{22, 0, 0, 1,     //
                                                      28.5F, 1, 1, 0,  //
                                                      35, 0, 0, 1,     //
                                                      28.5F, 1, 0, 1}));
  EXPECT_EQ(table.labels.values, (std::vector<std::int32_t>{0, 1, 0, 0}));
  EXPECT_EQ(table.columns.values, (Names{"age", "age missing", "sex=female", "sex=male"}));
  EXPECT_EQ(table.columns.label, "y");
  EXPECT_EQ(table.columns.form.dropped, (Names{"id", "name"}));
  EXPECT_EQ(table.unknown, "");
}

TEST_F(TableFormedTest, AreTheSameHoweverLinesAreWritten) {
  const auto plain = read("a,c,y\n1,red,0\n,blue,1\n2.5,red,1\n", {{"c"}, {}, true});
  for (const auto* text : {"a,c,y\r\n 1 , red ,0\r\n, \"blue\",1\r\n2.5,\"red\",1\r\n",
                           "a;c;y\n1;red;0\nNA;blue;1\n2.5;red;\"1\"",
                           "a\tc\ty\n1\tred\t0\n\n?\tblue\t1\n2.5\tred\t1\n"}) {
    const auto other = read(text, {{"c"}, {}, true});
    EXPECT_EQ(float_values(other.samples.data), float_values(plain.samples.data)) << text;
    EXPECT_EQ(other.columns, plain.columns) << text;
  }
}

TEST_F(TableFormedTest, MayHaveDroppedColumnsAlone) {
  const auto bytes = read("id,a,y\nx1,7,0\n\"x,2\",255,1\n", {.dropped = {"id"}});
  EXPECT_EQ(bytes.samples.dtype, DType::kUInt8);
  EXPECT_EQ(bytes.samples.data[1], std::byte{255});
  EXPECT_EQ(bytes.columns.values, (Names{"a"}));
  EXPECT_EQ(bytes.columns.form, (TableForm{.dropped = {"id"}}));
  const auto floats = read("id,a,y\nx1,7.5,0\n", {.dropped = {"id"}});
  EXPECT_EQ(float_values(floats.samples.data), Floats{7.5F});
}

TEST_F(TableFormedTest, DoNotDependOnPieces) {
  // Some MB, so that there are several.
  std::string text = "a,c,y\n";
  for (int i = 0; i < 200'000; ++i) {
    text += (i % 11 == 0 ? "" : std::to_string(i % 1000) + ".5") + ",kind" +
            std::to_string(i * 7919 % 13) + ',' + std::to_string(i % 2) + '\n';
  }
  const auto table = read(text, {{"c"}, {}, true});
  ASSERT_EQ(table.samples.dims, (std::vector<std::uint64_t>{200'000, 15}));
  EXPECT_EQ(table.columns.form.columns[1].categories.size(), 13U);
  const auto values = float_values(table.samples.data);
  for (const int row : {0, 77'777, 199'999}) {
    const auto* at = values.data() + static_cast<std::ptrdiff_t>(row) * 15;
    const bool missing = row % 11 == 0;
    EXPECT_EQ(at[1], missing ? 1.0F : 0.0F) << row;
    if (!missing) EXPECT_EQ(at[0], static_cast<float>(row % 1000) + 0.5F) << row;
    const auto name = "c=kind" + std::to_string(row * 7919 % 13);
    for (std::size_t v = 2; v < 15; ++v) {
      EXPECT_EQ(at[v], table.columns.values[v] == name ? 1.0F : 0.0F) << row << ' ' << v;
    }
  }
}

TEST_F(TableFormedTest, SayWhatToDoAboutText) {
  EXPECT_EQ(error_of("a,c,y\n1,red,0\n", {}),
            "line 2: expected a finite number in column 2 (\"c\"), found \"red\" (--one-hot c "
            "makes values of categories, --drop-columns c leaves it out)");
  EXPECT_EQ(error_of("a,c,y\n1,,0\n", {}),
            "line 2: expected a finite number in column 2 (\"c\"), found an empty cell (--missing "
            "mean fills in what is missing, --drop-columns c leaves it out)");
  EXPECT_EQ(error_of("a,c,y\n1,red,0\n2,NA,1\n", {.one_hot = {"c"}}),
            "line 3: expected a category (of up to 255 bytes, and 65536 of them) in column 2 "
            "(\"c\"), found \"NA\" (--missing mean fills in what is missing, --drop-columns c "
            "leaves it out)");
  EXPECT_EQ(error_of("a,c,y\n1,red,0\n2,1\n", {.one_hot = {"c"}}),
            "line 3: expected 3 cells, as in the first line, found 2");
  EXPECT_EQ(
      error_of("a,c,y\n1,red,\n", {.one_hot = {"c"}, .fill_missing = true}),
      "line 2: expected a whole number in [0, 1048576) as the label in column 3 (\"y\"), found "
      "an empty cell")
      << "labels are never filled in";
}

TEST_F(TableFormedTest, RefuseWhatMemoryCannotHold) {
  std::string text = "c,y\n";
  for (int i = 0; i < 30'000; ++i) text += "k" + std::to_string(i) + ",0\n";
  EXPECT_EQ(error_of(text, {.one_hot = {"c"}}),
            "expected samples of at most 1024 times the file's size (and 1 GiB), in memory, found "
            "30000 of 30000 values");
}

class TableFormedFolderTest : public TableFormedTest {
 protected:
  DataFolder open(const OpenOptions& options = {.label_column = "y", .table = kAll}) const {
    return open_folder(folder_.path(), options);
  }
};

TEST_F(TableFormedFolderTest, MakeTestSamplesAlike) {
  write(kPeople);
  write("sex,age,y,id\nfemale,,1,9\ndivers,40,0,10\n,41,0,11\n", "test.csv");
  const auto opened = open();
  EXPECT_EQ(opened.test->column_names(), opened.train->column_names());
  EXPECT_EQ(float_values(opened.test->contiguous().samples), (Floats{28.5F, 1, 1, 0,  //
                                                                     40, 0, 0, 0,     //
                                                                     41, 0, 0, 0}));
  EXPECT_EQ(opened.unknown,
            "test.csv: 2 samples have categories that are not known, which count as none: the "
            "first is \"divers\" in column 1 (\"sex\") of sample 1");
  EXPECT_NE(opened.description.find(
                "; labels in column 5 (\"y\"); columns \"age\" filled in where it is missing, "
                "\"sex\" of 2 categories; test.csv: 2 samples have"),
            std::string::npos)
      << opened.description;
}

TEST_F(TableFormedFolderTest, LeaveOutATestFileWithoutLabels) {
  write(kPeople);
  write("id,name,age,sex\n5,Todd,3,male\n", "test.csv");
  const auto opened = open();
  EXPECT_EQ(opened.test, nullptr);
  EXPECT_NE(opened.description.find("test.csv has no labels and is left out"), std::string::npos);
}

TEST_F(TableFormedFolderTest, AreMadeAsAModelKnowsThem) {
  write(kPeople);
  const auto names = open().train->column_names();
  write("y,sex,age\n1,male,7\n0,female,?\n");
  OpenOptions options;
  options.known.columns = {.names = names, .of = "model"};
  options.known.as_float = true;
  const auto opened = open(options);
  EXPECT_EQ(float_values(opened.train->contiguous().samples), (Floats{7, 0, 0, 1, 28.5F, 1, 1, 0}));
  EXPECT_EQ(opened.train->column_names().values, names.values);
  write("y,sex,age\n1,male,old\n");
  const auto error = data_error_of([&] { (void)open(options); });
  EXPECT_TRUE(
      error.ends_with("line 2: expected a finite number in column 3 (\"age\"), found \"old\""))
      << error;
}

TEST_F(TableFormedFolderTest, NeedNoHeader) {
  write("a,1,x,0.5\nb,2,y,1.5\na,3,x,2.5\n");
  const OpenOptions options{.label_column = "1", .table = {.one_hot = {"3"}, .dropped = {"2"}}};
  const auto train = open(options).train;
  EXPECT_EQ(float_values(train->contiguous().samples),
            (Floats{1, 0, 0.5F, 0, 1, 1.5F, 1, 0, 2.5F}));
  EXPECT_EQ(train->class_names(), (Names{"a", "b"}));
  EXPECT_TRUE(train->column_names().values.empty());
  ReadTableOptions known =
      read_table_options({.columns = KnownColumns{train->column_names(), "m"}});
  known.unlabelled_values = 3;
  const auto path = write("9,y,7\n", "new.csv");
  EXPECT_EQ(float_values(read_csv(path, known).samples.data), (Floats{0, 1, 7}));
}

TEST_F(TableFormedFolderTest, SeeAnIndexAmongThem) {
  std::string text = "c,n,y\n";
  for (int i = 0; i < 12; ++i)
    text += "k," + std::to_string(i + 5) + "," + std::to_string(i % 2) + '\n';
  write(text);
  const auto description = open({.label_column = "y", .table = {.one_hot = {"c"}}}).description;
  EXPECT_NE(description.find("column 2 (\"n\") counts the lines: if it is an index, "
                             "--drop-columns n leaves it out"),
            std::string::npos)
      << description;
}

TEST_F(TableFormedFolderTest, AreAskedOfTablesAlone) {
  const auto asking = [&](const std::filesystem::path& path) {
    return data_error_of([&] { (void)open_folder(path, {.table = {.dropped = {"7"}}}); });
  };
  const auto error = asking(write("1,0\n2,1\n", "a.csv"));
  EXPECT_NE(error.find("expected a column 7 to leave out, found 2 columns"), std::string::npos)
      << error;
  const test::TempFolder arrays;
  test::write_bytes(arrays / "x_train.npy", test::npy_images(4));
  test::write_bytes(arrays / "y_train.npy", test::npy_labels(4, 3));
  const auto refused = asking(arrays.path());
  EXPECT_NE(refused.find("expected a table, whose columns are asked for (--one-hot, "
                         "--drop-columns, --missing), found data of another form"),
            std::string::npos)
      << refused;
}

}  // namespace
}  // namespace millrace
