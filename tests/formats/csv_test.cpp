#include "formats/csv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "formats/folder.h"
#include "tests/support/compressed.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::make_bytes;

class CsvTest : public testing::Test {
 protected:
  std::filesystem::path write(std::string_view text, const std::string& name = "a.csv") const {
    return test::write_bytes(folder_ / name, make_bytes(text));
  }
  std::string error_of(std::string_view text, const ReadTableOptions& options = {}) const {
    const auto path = write(text);
    const auto message = data_error_of([&] { (void)read_csv(path, options); });
    EXPECT_TRUE(message.starts_with(path.string() + ": ")) << message;
    return message.substr(message.find(": ") + 2);
  }

  test::TempFolder folder_;
};

std::vector<int> bytes_in(const ReadTable& read) {
  std::vector<int> values;
  for (const auto byte : read.samples.data) values.push_back(std::to_integer<int>(byte));
  return values;
}

std::vector<float> floats_in(const ReadTable& read) {
  std::vector<float> values(read.samples.data.size() / sizeof(float));
  std::memcpy(values.data(), read.samples.data.data(), read.samples.data.size());
  return values;
}

using Labels32 = std::vector<std::int32_t>;

TEST_F(CsvTest, ReadsBytesWithTheLabelFirst) {
  const auto read = read_csv(write("5,0,255\n0,1,2\n"));
  EXPECT_EQ(read.samples.dims, (std::vector<std::uint64_t>{2, 2}));
  EXPECT_EQ(read.samples.dtype, DType::kUInt8);
  EXPECT_EQ(bytes_in(read), (std::vector<int>{0, 255, 1, 2}));
  EXPECT_EQ(read.labels.values, (Labels32{5, 0}));
  EXPECT_EQ(read.labels.classes, 6U);
}

TEST_F(CsvTest, ReadsWhateverWayItIsWritten) {
  for (const auto* text :
       {"label,a,b\n5,0,255\n0,1,2\n", "label,a,b\r\n5,0,255\r\n0,1,2\r\n",
        "\xef\xbb\xbflabel,a,b\n5,0,255\n0,1,2", "\n \nlabel;a;b\n\n5;0;255\n\n0;1;2\n\n",
        "\"label\",\"a\",\"b,c\"\n\"5\",\"0\",255\n 0 , 1,2 ", "label\ta\tb\n5\t0\t255\n0\t1\t2\n",
        "a,Label,b\n0,5,255\n1,0,2\n", "a,b,target\n0,255,5\n1,2,0.0\n"}) {
    const auto read = read_csv(write(text));
    EXPECT_EQ(bytes_in(read), (std::vector<int>{0, 255, 1, 2})) << text;
    EXPECT_EQ(read.labels.values, (Labels32{5, 0})) << text;
  }
}

TEST_F(CsvTest, ReadsFloatsWhereAnyCellIsNoByte) {
  const auto read = read_csv(write("1,0,0.5\n0,-1,256\n"));
  EXPECT_EQ(read.samples.dtype, DType::kFloat32);
  EXPECT_EQ(floats_in(read), (std::vector<float>{0, 0.5, -1, 256}));
  const auto asked = read_csv(write("1,0,2\n"), {.as_float = true});
  EXPECT_EQ(floats_in(asked), (std::vector<float>{0, 2}));
}

TEST_F(CsvTest, TakesTheLabelColumnThatIsAskedFor) {
  const auto path = write("y,a,b\n1,2,3\n");
  EXPECT_EQ(read_csv(path).labels.values, Labels32{1});
  EXPECT_EQ(read_csv(path, {.label_column = "b"}).labels.values, Labels32{3});
  EXPECT_EQ(read_csv(path, {.label_column = "2"}).labels.values, Labels32{2});
  EXPECT_EQ(error_of("y,a,b\n1,2,3\n", {.label_column = "4"}),
            "line 1: expected a column 4 for labels, found 3 columns");
  EXPECT_EQ(error_of("y,a,b\n1,2,3\n", {.label_column = "c"}),
            "expected a column \"c\" for labels, found none of that name");
  EXPECT_EQ(error_of("1,2,3\n", {.label_column = "c"}),
            "line 1: expected a header with a column \"c\", found numbers");
}

TEST_F(CsvTest, NamesTheCell) {
  const std::string missing =
      " (--missing mean fills in what is missing, --drop-columns 2 leaves it out)";
  EXPECT_EQ(
      error_of("label,x,y z\n1,2,3\n\n1,2,x\n"),
      "line 4: expected a finite number in column 3 (\"y z\"), found \"x\" (--one-hot 3 makes "
      "values of categories, --drop-columns 3 leaves it out)");
  EXPECT_EQ(error_of("1,2,3\n1,,3\n"),
            "line 2: expected a finite number in column 2, found an empty cell" + missing);
  EXPECT_EQ(error_of("1,2,3\n1,nan,3\n"),
            "line 2: expected a finite number in column 2, found \"nan\"" + missing);
  EXPECT_EQ(error_of("1,2,3\n-1,2,3\n"),
            "line 2: expected a whole number in [0, 1048576) as the label in column 1 "
            "(--label-column names another), found "
            "\"-1\" (numbers that are to be learnt: --task regression; of 0 and 1 for each label: "
            "--task multilabel)");
  EXPECT_EQ(error_of("1,2,3\n0.5,2,3\n"),
            "line 2: expected a whole number in [0, 1048576) as the label in column 1 "
            "(--label-column names another), found "
            "\"0.5\" (numbers that are to be learnt: --task regression; of 0 and 1 for each label: "
            "--task multilabel)");
  EXPECT_EQ(error_of("9,2,3\n10,2,3\n", {.classes = 10}),
            "line 2: expected a whole number in [0, 10) as the label in column 1 (--label-column "
            "names another), found \"10\"");
}

TEST_F(CsvTest, NamesTheLineOfAnotherLength) {
  EXPECT_EQ(error_of("1,2,3\n1,2\n"), "line 2: expected 3 cells, as in the first line, found 2");
  EXPECT_EQ(error_of("1,2,3\n1,2,3,4,5\n"),
            "line 2: expected 3 cells, as in the first line, found 5");
  EXPECT_EQ(error_of("1,2,3\n1\n"), "line 2: expected 3 cells, as in the first line, found 1");
}

// Of 300 KB, which would have been 20 GB of samples.
TEST_F(CsvTest, TakesNoMemoryForValuesThatLinesCannotHold) {
  std::string text = "0";
  for (int i = 0; i < 50'000; ++i) text += ",1";
  text += "\n\n";
  for (int i = 0; i < 100'000; ++i) text += "1\n";
  EXPECT_EQ(error_of(text), "line 3: expected 50001 cells, as in the first line, found 1");
}

TEST_F(CsvTest, NamesWhatIsNoTable) {
  EXPECT_EQ(error_of(""), "expected lines of numbers, found none");
  EXPECT_EQ(error_of("\n \r\n"), "expected lines of numbers, found none");
  EXPECT_EQ(error_of("label,x\n"), "expected lines of numbers, found a header alone");
  EXPECT_EQ(error_of("1\n2\n"),
            "line 1: expected two or more columns, one of them of labels, found one");
  EXPECT_NE(error_of(std::string_view("\0\1,\2\n\3", 6)).find("line 2: "), std::string::npos);
}

TEST_F(CsvTest, ReadsNamesOfClasses) {
  const std::vector<std::string> sorted{"a \"b\"", "cat", "dog"};
  for (const auto* text : {"label,x\ndog,1\ncat,2\n\"a \"\"b\"\"\",3\ndog,4\n",
                           "dog,1\ncat,2\n\"a \"\"b\"\"\",3\ndog,4\n",
                           "x,kind\r\n1,\"dog\"\r\n2, cat\r\n3,\"a \"\"b\"\"\"\r\n4,dog"}) {
    const auto read = read_csv(write(text));
    EXPECT_EQ(read.class_names, sorted) << text;
    EXPECT_EQ(read.labels.values, (Labels32{2, 1, 0, 2})) << text;
    EXPECT_EQ(read.labels.classes, 3U) << text;
    EXPECT_EQ(bytes_in(read), (std::vector<int>{1, 2, 3, 4})) << text;
  }
  EXPECT_TRUE(read_csv(write("1,2\n")).class_names.empty());
  const auto floats = read_csv(write("dog,1\ncat,2.5\n"));
  EXPECT_EQ(floats.labels.values, (Labels32{1, 0})) << "read twice";
}

TEST_F(CsvTest, ReadsNamesThatAreKnown) {
  const ReadTableOptions options{.class_names = {"cat", "cow", "dog"}};
  const auto read = read_csv(write("label,x\ndog,1\ncat,2\n"), options);
  EXPECT_EQ(read.labels.values, (Labels32{2, 0}));
  EXPECT_EQ(read.labels.classes, 3U);
  EXPECT_EQ(read.class_names, options.class_names);
  EXPECT_EQ(error_of("label,x\ndog,1\nDog,2\n", options),
            "line 3: expected one of the 3 classes of the training set as the label in column 1 "
            "(\"label\"), found \"Dog\"");
  EXPECT_NE(error_of("label,x\n2,1\n", options).find("found \"2\""), std::string::npos);
}

TEST_F(CsvTest, RefusesNamesAmongNumbers) {
  EXPECT_EQ(error_of("label,x\n1,1\ncat,2\n"),
            "line 3: expected a whole number in [0, 1048576) as the label in column 1 (\"label\"), "
            "found \"cat\"");
  EXPECT_EQ(
      error_of("label,x\ncat,1\n1,2\n"),
      "line 3: expected a class's name (of up to 255 bytes, 1048576 of them) as the label, as in "
      "the first sample, in column 1 (\"label\"), found \"1\"");
  EXPECT_NE(error_of("label,x\ncat,1\n,2\n").find("line 3: "), std::string::npos);
  EXPECT_NE(error_of("label,x\ncat,1\n", {.classes = 2}).find("a whole number in [0, 2)"),
            std::string::npos);
}

// Pieces meet their names in orders of their own.
TEST_F(CsvTest, NumbersNamesAlikeInManyPieces) {
  std::string text = "x,kind\n";
  constexpr int kLines = 300'000;
  for (int i = 0; i < kLines; ++i) {
    text += std::to_string(i % 251) + ",class " + std::to_string((i / 1000 + i % 7) % 12) + '\n';
  }
  const auto read = read_csv(write(text));
  ASSERT_EQ(read.class_names.size(), 12U);
  EXPECT_TRUE(std::ranges::is_sorted(read.class_names));
  for (int i = 0; i < kLines; ++i) {
    ASSERT_EQ(read.class_names[static_cast<std::size_t>(read.labels.values[i])],
              "class " + std::to_string((i / 1000 + i % 7) % 12));
  }
}

TEST_F(CsvTest, GivesTheTestPartTheClassesOfTheTrainingPart) {
  write("kind,a\ndog,1\ncow,2\ncat,3\n", "train.csv");
  write("a,kind\n1,dog\n", "test.csv");
  const auto opened = open_folder(folder_.path());
  EXPECT_EQ(opened.train->class_names(), (std::vector<std::string>{"cat", "cow", "dog"}));
  EXPECT_EQ(opened.test->class_names(), opened.train->class_names());
  std::vector<std::byte> sample(1);
  std::vector<std::int32_t> label(1);
  opened.test->read(std::vector<std::uint64_t>{0}, sample, label);
  EXPECT_EQ(label[0], 2);
  write("a,kind\n1,horse\n", "test.csv");
  EXPECT_NE(data_error_of([&] {
              (void)open_folder(folder_.path());
            }).find("test.csv: line 2: expected one of the 3 classes of the training set"),
            std::string::npos);
  // Without headers, where the training part's column is found by its text.
  write("1,dog\n2,cat\n", "train.csv");
  write("1,cat\n2,cat\n", "test.csv");
  EXPECT_EQ(open_folder(folder_.path()).test->classes(), 2U);
}

TEST_F(CsvTest, GivesTheTestPartTheColumnsOfTheTrainingPart) {
  write("label,a,b,c\n0,1,2,3\n1,4,5,6\n", "train.csv");
  const auto test_sample = [&] {
    std::vector<std::byte> sample(3);
    std::vector<std::int32_t> label(1);
    open_folder(folder_.path()).test->read(std::vector<std::uint64_t>{0}, sample, label);
    EXPECT_EQ(label[0], 1);
    std::vector<int> values;
    for (const auto byte : sample) values.push_back(std::to_integer<int>(byte));
    return values;
  };
  for (const auto* text : {"label,a,b,c\n1,10,20,30\n", "a,b,c,label\n10,20,30,1\n",
                           "c,label,a,b\n30,1,10,20\n", "c;a;\"b\";label\r\n30; 10;20;1\r\n"}) {
    write(text, "test.csv");
    EXPECT_EQ(test_sample(), (std::vector<int>{10, 20, 30})) << text;
  }
  const auto error = [&](std::string_view text) {
    const auto path = write(text, "test.csv");
    const auto message = data_error_of([&] { (void)open_folder(folder_.path()); });
    EXPECT_TRUE(message.starts_with(path.string() + ": ")) << message;
    return message.substr(message.find(": ") + 2);
  };
  const auto expected =
      "line 1: expected the columns of " + (folder_ / "train.csv").string() + ", found ";
  EXPECT_EQ(error("label,a,x,c\n1,2,3,4\n"), expected + "none called \"b\", but \"x\" in column 3");
  EXPECT_EQ(error("id,label,a,b,c\n1,1,2,3,4\n"), expected + "\"id\" in column 1 besides");
  EXPECT_EQ(error("1,2,3,1\n"), "line 1: expected a header with the columns of " +
                                    (folder_ / "train.csv").string() + ", found none");
  // As the validation part it is joined in the same way.
  std::filesystem::rename(folder_ / "test.csv", folder_ / "val.csv");
  write("label,c,b,a\n1,30,20,10\n", "val.csv");
  EXPECT_EQ(test_sample(), (std::vector<int>{10, 20, 30}));
}

TEST_F(CsvTest, OpensWhatIsKnownOfIt) {
  const auto path = write("c,kind,a,b\n30,dog,10,20\n3,cat,1,2\n", "new.csv");
  KnownData known{.columns = KnownColumns{.names = {{"a", "b", "c"}, "kind"}, .of = "m"},
                  .class_names = {"cat", "cow", "dog"},
                  .as_float = true};
  const auto opened = open_folder(path, {.known = known}).train;
  EXPECT_EQ(opened->class_names(), known.class_names);
  EXPECT_EQ(opened->column_names(), known.columns->names);
  ASSERT_EQ(opened->dtype(), DType::kFloat32);
  std::vector<float> sample(3);
  std::vector<std::int32_t> label(1);
  opened->read(std::vector<std::uint64_t>{0}, std::as_writable_bytes(std::span(sample)), label);
  EXPECT_EQ(sample, (std::vector<float>{10, 20, 30}));
  EXPECT_EQ(label[0], 2);

  const auto error = [&](const std::string& label_column = {}) {
    const auto message = data_error_of(
        [&] { (void)open_folder(path, {.label_column = label_column, .known = known}); });
    return message.substr(message.find(": ") + 2);
  };
  EXPECT_EQ(error("a"),
            "line 1: expected the columns of m, found none called \"a\", but \"kind\" in column 2");
  known.columns->names.label = "sort";
  EXPECT_EQ(error(), "expected a column \"sort\" for labels, found none of that name");
  EXPECT_EQ(open_folder(path, {.label_column = "kind", .known = known}).train->column_names().label,
            "kind");
  known.class_names = {"cat", "cow"};
  EXPECT_NE(error("kind").find("line 2: expected one of the 2 classes"), std::string::npos);
  // Without names, and where the labels are alone.
  write("9,8,1\n", "new.csv");
  const auto plain =
      open_folder(path, {.known = {.columns = KnownColumns{.names = {{}, "3"}, .of = "m"}}}).train;
  EXPECT_EQ(plain->column_names(), (ColumnNames{{}, "3"}));
  EXPECT_EQ(plain->classes(), 2U);
  // Labels that are numbers need no names.
  write("c,kind,a,b\n30,1,10,20\n", "new.csv");
  EXPECT_TRUE(
      open_folder(path, {.label_column = "kind", .known = known}).train->class_names().empty());
}

TEST_F(CsvTest, KeepsTheNamesOfColumnsInUtf8) {
  const auto read = read_csv(write("label,\"a \"\"b\"\"\",Gr\xf6\xdf\x65\n1,2,3\n"));
  EXPECT_EQ(read.columns, (ColumnNames{{"a \"b\"", "Gr\ufffd\ufffde"}, "label"}));
  EXPECT_EQ(read_csv(write("1,2,3\n")).columns, (ColumnNames{{}, "1"}));
}

TEST_F(CsvTest, SaysThatAColumnHasNoName) {
  const auto description = [&](std::string_view text) {
    return open_folder(write(text, "t.csv")).description;
  };
  EXPECT_TRUE(description(",a,label\n0,5,0\n1,6,1\n")
                  .ends_with("; column 1 has no name: if it is an index, as pandas writes it, "
                             "--drop-columns 1 leaves it out"));
  EXPECT_TRUE(description("a,label\n5,0\n").ends_with("(\"label\")"));
  EXPECT_TRUE(description("0,5\n1,6\n").ends_with("column 1"));
}

TEST_F(CsvTest, SaysThatAColumnCountsTheLines) {
  const auto description = [&](std::string_view header, int first, int step,
                               std::string_view more) {
    std::string text(header);
    for (int i = 0; i < 12; ++i) {
      text += std::to_string(i * i % 5) + "," + std::to_string(first + i * step) + "," +
              std::to_string(i % 2) + std::string(more) + "\n";
    }
    return open_folder(write(text, "t.csv")).description;
  };
  EXPECT_TRUE(description("a,Id,label\n", 1, 1, "")
                  .ends_with("; column 2 (\"Id\") counts the lines: if it is an index, "
                             "--drop-columns Id leaves it out"));
  EXPECT_TRUE(description("label,Id,b\n", 1000, 1, ".5")
                  .ends_with("; column 2 (\"Id\") counts the lines: if it is an index, "
                             "--drop-columns Id leaves it out"))
      << "of float32, behind the labels";
  EXPECT_TRUE(
      description("", 0, 1, "")
          .ends_with(
              "; column 2 counts the lines: if it is an index, --drop-columns 2 leaves it out"));
  EXPECT_TRUE(description("a,Id,label\n", 1, 2, "").ends_with("(\"label\")"));
  std::string passengers = "Id,Survived\n";
  for (int i = 1; i <= 12; ++i)
    passengers += std::to_string(i) + "," + std::to_string(i % 2) + "\n";
  const auto table = write(passengers, "t.csv");
  EXPECT_TRUE(open_folder(table).description.ends_with(
      "; labels in column 1 (\"Id\"), which counts the lines: --label-column names another"));
  EXPECT_EQ(open_folder(table, {.label_column = "Id"}).description.find("another"),
            std::string::npos);
  // What a model knows as a value is none to leave out.
  const auto path = write("Id,label\n0,0\n1,1\n2,0\n3,1\n4,0\n5,1\n6,0\n7,1\n8,0\n9,1\n", "t.csv");
  EXPECT_NE(open_folder(path).description.find("counts the lines"), std::string::npos);
  const KnownData known{.columns = KnownColumns{.names = {{"Id"}, "label"}, .of = "m"}};
  EXPECT_EQ(open_folder(path, {.known = known}).description.find("counts"), std::string::npos);
}

TEST_F(CsvTest, OpensFlatImages) {
  const auto opened = [&](std::string_view text, ImageOptions images) {
    return open_folder(write(text, "t.csv"), {.image = images});
  };
  constexpr ImageSize kSize{.width = 3, .height = 2};
  const auto grey = opened("0,1,2,3,4,5,6\n1,6,5,4,3,2,1\n", {.flat = kSize});
  EXPECT_EQ(grey.train->shape(), (SampleShape{{2, 3}}));
  EXPECT_NE(grey.description.find(", 2x3 uint8, 2 classes"), std::string::npos);
  const auto rgb = opened("0,1,2,3\n1,6,5,4\n", {.flat = ImageSize{1, 1}});
  EXPECT_EQ(rgb.train->shape(), (SampleShape{{1, 1, 3}}));
  const auto resized = opened("0,7,7,7,7,7,7\n", {.flat = kSize, .resize = ImageSize{4, 5}}).train;
  EXPECT_EQ(resized->shape(), (SampleShape{{5, 4}}));
  EXPECT_EQ(data_error_of([&] { (void)opened("0,1,2,3,4\n", {.flat = kSize}); }),
            (folder_ / "t.csv").string() +
                ": expected a table or an array of flat samples of 6 values, or 18, to be images "
                "(--image-size 3x2), found samples of 4 uint8");
}

TEST_F(CsvTest, TakesManyWholeNumbersForPixelsInSilence) {
  const auto description = [&](int values) {
    std::string text = "1";
    for (int i = 0; i < values; ++i) text += "," + std::to_string(i);
    return open_folder(write(text + "\n", "t.csv")).description;
  };
  EXPECT_NE(description(63).find("divided by 255"), std::string::npos);
  EXPECT_EQ(description(64).find("divided by 255"), std::string::npos);
}

TEST_F(CsvTest, RefusesADecimalComma) {
  EXPECT_EQ(error_of("0;2,5\n1;3,5\n"),
            "line 1: expected a finite number in column 2, found \"2,5\" (decimals have a point)");
  // Where it is the only one, it is no class's name for that.
  EXPECT_EQ(error_of("a;b\n0;2,5\n1;3,5\n"),
            "line 2: expected a finite number in column 2 (\"b\"), found \"2,5\" (decimals have a "
            "point)");
}

TEST_F(CsvTest, RefusesAReturnWithinALine) {
  for (const auto* text : {"label,a\n1,2\r3,4\n", "label,a\n1,2\n\"c\ra\",3\n", "a,label\n2,c\rd\n",
                           "label,a\r\n1,2\r\r\n"}) {
    EXPECT_NE(
        error_of(text).find(R"(expected lines that end in "\n" or "\r\n", found a "\r" alone)"),
        std::string::npos)
        << text;
  }
}

// More than one piece, so that threads share it; the error is the first one all the same.
TEST_F(CsvTest, IsTheSameForManyPieces) {
  std::string text = "label,a,b,c\n";
  constexpr int kLines = 400'000;
  for (int i = 0; i < kLines; ++i) {
    text += std::to_string(i % 10) + ',' + std::to_string(i % 251) + ",17," +
            std::to_string(i % 7) + '\n';
  }
  const auto read = read_csv(write(text));
  ASSERT_EQ(read.samples.dims[0], kLines);
  const auto values = bytes_in(read);
  for (int i = 0; i < kLines; ++i) {
    ASSERT_EQ(read.labels.values[i], i % 10);
    ASSERT_EQ(values[3 * i], i % 251);
    ASSERT_EQ(values[3 * i + 2], i % 7);
  }
  const auto packed = test::write_bytes(folder_ / "a.csv.gz", test::gzip_member(make_bytes(text)));
  EXPECT_EQ(bytes_in(read_csv(packed)), values);
  const auto line = text.find('\n', 3'000'000) + 1;
  text[line] = 'x';
  text[text.size() - 2] = 'x';
  const auto number = 1 + std::count(text.begin(), text.begin() + static_cast<long>(line), '\n');
  EXPECT_TRUE(error_of(text).starts_with("line " + std::to_string(number) + ": "));
}

TEST_F(CsvTest, RefusesABomb) {
  const test::ByteVector lines(std::size_t{300} << 20U, std::byte{'\n'});
  const auto path = test::write_bytes(folder_ / "a.csv.zst", test::zstd_frame(lines));
  EXPECT_NE(data_error_of([&] { (void)read_csv(path); }).find("expected at most 268435456 bytes"),
            std::string::npos);
}

TEST_F(CsvTest, OpensFolders) {
  write("label,a,b\n1,2,3\n0,4,5\n", "mnist_train.csv");
  const auto description = [&](const std::string& name = "") {
    return open_folder(name.empty() ? folder_.path() : folder_ / name).description;
  };
  const auto here = folder_.path().string() + ": ";
  const std::string column =
      "; all values are whole numbers from 0 to 255 and divided by 255, as pixels are (7.0 in "
      "place "
      "of a 7 keeps them as they are); labels in column 1 (\"label\")";
  EXPECT_EQ(description(), here + "2 training samples, 2 uint8, 2 classes" + column);
  write("label,a,b\n1,2,3\n", "mnist_test.csv");
  EXPECT_EQ(description(), here + "2 training and 1 test samples, 2 uint8, 2 classes" + column);
  EXPECT_EQ(description("mnist_test.csv"), (folder_ / "mnist_test.csv").string() +
                                               ": 1 training samples, 2 uint8, 2 classes" + column);
  write("a,b\n2,3\n", "mnist_test.csv");
  EXPECT_EQ(description(),
            here + "2 training samples, 2 uint8, 2 classes" + column +
                "; mnist_test.csv has no labels and is left out ('trainer predict' takes it)");
  write("a,b,label\n2,3,2\n", "mnist_test.csv");
  EXPECT_NE(data_error_of([&] { (void)description(); }).find("a whole number in [0, 2)"),
            std::string::npos);
  write("label,a,b\n1,2,3.5\n", "mnist_train.csv");
  write("label,a,b\n1,2,3\n", "mnist_test.csv");
  EXPECT_EQ(open_folder(folder_.path()).test->dtype(), DType::kFloat32);
  EXPECT_EQ(description().find("255"), std::string::npos) << "they are taken as they are";
  write("id,label\n1,0\n", "sample_submission.csv");
  EXPECT_TRUE(
      description().ends_with("; left out: " + (folder_ / "sample_submission.csv").string()));
  write("b,label,a\n5,1,4\n6,0,7\n", "mnist_val.csv");
  EXPECT_NE(description().find("; left out: " + (folder_ / "mnist_val.csv").string()),
            std::string::npos);
  const auto with_own = open_folder(folder_.path(), {.own_validation = true});
  EXPECT_EQ(with_own.description.find("mnist_val"), std::string::npos) << with_own.description;
  EXPECT_NE(with_own.description.find("1 training, 2 validation and 1 test"), std::string::npos);
  ASSERT_TRUE(with_own.validation);
  EXPECT_EQ(with_own.validation->dtype(), DType::kFloat32);
  EXPECT_EQ(with_own.validation->column_names().values, (std::vector<std::string>{"a", "b"}));
  std::filesystem::remove(folder_ / "mnist_val.csv");
  write("1,2\n3,0\n", "other_train.csv");
  EXPECT_TRUE(description("other_train.csv").ends_with("; labels in column 1"));
  EXPECT_EQ(data_error_of([&] { (void)description(); }),
            here +
                "expected one CSV file to train on, and at most one to test and one to validate "
                "with, found "
                "mnist_test.csv, mnist_train.csv, other_train.csv, sample_submission.csv");
}

}  // namespace
}  // namespace millrace
