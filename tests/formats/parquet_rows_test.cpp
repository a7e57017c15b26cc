// The samples and labels of Parquet files; which columns are which is parquet_test's.
#include "formats/parquet_rows.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "formats/csv.h"
#include "formats/csv_cells.h"
#include "formats/parquet.h"
#include "tests/formats/float_values.h"
#include "tests/support/files.h"
#include "tests/support/parquet_files.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::float_values;
using test::number_field;
using test::ParquetField;
using test::ParquetForm;
using test::text_field;
using Fields = std::vector<ParquetField>;
using Floats = std::vector<float>;
using Labels32 = std::vector<std::int32_t>;
using Names = std::vector<std::string>;
using Sizes = std::vector<std::uint64_t>;

std::vector<int> bytes_in(const ReadTable& read) {
  std::vector<int> values;
  for (const auto byte : read.samples.data) values.push_back(std::to_integer<int>(byte));
  return values;
}

class ParquetRowsTest : public testing::Test {
 protected:
  std::filesystem::path write(const Fields& fields, const ParquetForm& form = {},
                              const std::string& name = "a.parquet") const {
    return test::write_bytes(folder_ / name, test::parquet_of(fields, form));
  }
  ReadTable read(const Fields& fields, const ReadTableOptions& options = {},
                 const ParquetForm& form = {}) const {
    return read_parquet({write(fields, form)}, options);
  }
  std::string error_of(const Fields& fields, const ReadTableOptions& options = {}) const {
    const auto path = write(fields);
    const auto message = data_error_of([&] { (void)read_parquet({path}, options); });
    EXPECT_TRUE(message.starts_with(path.string() + ": ")) << message;
    return message.substr(message.find(": ") + 2);
  }
  /// Holds the table against that of a CSV file.
  void expect_as_csv(const Fields& fields, std::string_view text,
                     const ReadTableOptions& options = {}, const ParquetForm& form = {}) const {
    const auto csv =
        read_csv(test::write_bytes(folder_ / "a.csv", test::make_bytes(text)), options);
    expect_same(read(fields, options, form), csv);
  }
  static void expect_same(const ReadTable& found, const ReadTable& expected) {
    EXPECT_EQ(found.samples.dtype, expected.samples.dtype);
    EXPECT_EQ(found.samples.dims, expected.samples.dims);
    EXPECT_TRUE(std::ranges::equal(found.samples.data, expected.samples.data));
    EXPECT_EQ(found.labels.values, expected.labels.values);
    EXPECT_EQ(found.labels.classes, expected.labels.classes);
    EXPECT_EQ(found.labels.targets, expected.labels.targets);
    EXPECT_EQ(found.class_names, expected.class_names);
    EXPECT_EQ(found.columns, expected.columns);
    EXPECT_EQ(found.unknown, expected.unknown);
  }

  test::TempFolder folder_;
};

ParquetField labels() { return number_field<std::int64_t>("label", {1, 0, 2}); }
ParquetField ages() { return number_field<double>("age", {22, std::nullopt, 35}); }
ParquetField sexes() { return text_field("sex", {"male", "female", "male"}); }

TEST_F(ParquetRowsTest, AreBytesWhereAllAreSmallWholeNumbers) {
  const auto table = read({labels(), number_field<std::uint8_t>("a", {0, 255, 7}),
                           number_field<bool>("b", {true, false, true}),
                           number_field<std::int64_t>("c", {1, 2, 3})});
  EXPECT_EQ(table.samples.dtype, DType::kUInt8);
  EXPECT_EQ(table.samples.dims, (Sizes{3, 3}));
  EXPECT_EQ(bytes_in(table), (std::vector<int>{0, 1, 1, 255, 0, 2, 7, 1, 3}));
  EXPECT_EQ(table.labels.values, (Labels32{1, 0, 2}));
  EXPECT_EQ(table.labels.classes, 3U);
  EXPECT_EQ(table.columns.label, "label");
  EXPECT_EQ(table.columns.values, (Names{"a", "b", "c"}));
  EXPECT_EQ(table.samples.name, (folder_ / "a.parquet").string());
}

TEST_F(ParquetRowsTest, AreFloatsWhereOneIsNot) {
  const auto floats = [&](ParquetField other, const ReadTableOptions& options = {}) {
    const auto table =
        read({labels(), number_field<std::uint8_t>("a", {1, 2, 3}), std::move(other)}, options);
    EXPECT_EQ(table.samples.dtype, DType::kFloat32);
    return float_values(table.samples.data);
  };
  EXPECT_EQ(floats(number_field<std::int32_t>("b", {4, -1, 6})), (Floats{1, 4, 2, -1, 3, 6}));
  EXPECT_EQ(floats(number_field<std::int32_t>("b", {4, 5, 256})), (Floats{1, 4, 2, 5, 3, 256}));
  EXPECT_EQ(floats(number_field<float>("b", {4, 5, 6})), (Floats{1, 4, 2, 5, 3, 6}))
      << "floats are none, whatever they say";
  EXPECT_EQ(floats(text_field("b", {"4", "5.5", "6"}), {.label_column = "label"}),
            (Floats{1, 4, 2, 5.5F, 3, 6}));
  EXPECT_EQ(floats(number_field<std::int32_t>("b", {4, 5, 6}), {.as_float = true}),
            (Floats{1, 4, 2, 5, 3, 6}));
}

TEST_F(ParquetRowsTest, AreAsTheTableInText) {
  const Fields fields{labels(), ages(), sexes(),
                      number_field<std::int32_t>("n", {1, 2, std::nullopt})};
  const std::string_view text = "label,age,sex,n\n1,22,male,1\n0,,female,2\n2,35,male,\n";
  for (const auto& table :
       {TableOptions{.one_hot = {"sex"}, .fill_missing = true},
        TableOptions{.one_hot = {"text"}, .fill_missing = true},
        TableOptions{.one_hot = {"sex", "n"}, .dropped = {"age"}, .fill_missing = true},
        TableOptions{.dropped = {"sex"}, .fill_missing = true},
        TableOptions{.one_hot = {"3"}, .dropped = {"2", "n"}},
        TableOptions{.dropped = {"sex", "n", "age"}}}) {
    if (table.dropped.size() == 3) continue;  // no values are left
    expect_as_csv(fields, text, {.table = table});
    expect_as_csv(fields, text, {.table = table},
                  {.codec = ParquetCodec::kSnappy,
                   .version = 2,
                   .dictionaries = true,
                   .page_rows = 2,
                   .group_rows = 2});
  }
}

TEST_F(ParquetRowsTest, AreAsTheTableInTextWithLabelsOfText) {
  const Fields fields{number_field<float>("a", {1.5F, 2, -3, 4}),
                      text_field("kind", {"dog", "a \"cat\"", "dog", "bee"})};
  const std::string_view text = "a,kind\n1.5,dog\n2,\"a \"\"cat\"\"\"\n-3,dog\n4,bee\n";
  expect_as_csv(fields, text);
  expect_as_csv(fields, text, {.label_column = "kind"}, {.group_rows = 1});
  expect_as_csv(fields, text, {.class_names = {"bee", "dog", "cow", "a \"cat\""}},
                {.dictionaries = true});
  const auto table = read(fields, {}, {.group_rows = 3});
  EXPECT_EQ(table.class_names, (Names{"a \"cat\"", "bee", "dog"}));
  EXPECT_EQ(table.labels.values, (Labels32{2, 0, 2, 1}));
}

TEST_F(ParquetRowsTest, AreAsTheTableInTextWithTargets) {
  const Fields fields{number_field<float>("a", {1, 2}), number_field<double>("y1", {0.1, -3}),
                      number_field<std::int32_t>("y2", {7, 8})};
  const std::string_view text = "a,y1,y2\n1,0.1,7\n2,-3,8\n";
  expect_as_csv({number_field<std::int32_t>("a", {1, 2}), fields[1], fields[2]}, text,
                {.task = Task::kRegression});
  expect_as_csv(fields, text,
                {.task = Task::kRegression, .label_column = "y2,y1", .as_float = true});
  const auto table = read(fields, {.task = Task::kRegression, .label_column = "y1"});
  EXPECT_EQ(table.labels.targets, 1U);
  EXPECT_EQ(target_of(table.labels.values[0]), 0.1F);
  EXPECT_EQ(table.columns.targets, (Names{"y1"}));
  EXPECT_EQ(table.columns.values, (Names{"a", "y2"}));
}

TEST_F(ParquetRowsTest, AreAsAnyTableInText) {
  std::mt19937 random(7);
  const auto below = [&](unsigned end) { return static_cast<unsigned>(random() % end); };
  const std::vector<std::string> words{"red", "dark blue",   "a,b", "\"quoted\"",
                                       "x=y", "caf\xc3\xa9", "0",   "-1.5"};
  for (int round = 0; round < 40; ++round) {
    const auto rows = 1 + below(30);
    const auto width = 2 + below(4);
    Fields fields;
    std::vector<std::vector<std::string>> cells;  // by column
    for (unsigned column = 0; column <= width; ++column) {
      auto& field = fields.emplace_back();
      auto& texts = cells.emplace_back();
      const auto kind = column == 0 ? 0 : below(4);
      field.name = column == 0 ? "y" : "c" + std::to_string(column);
      field.type = std::array{ParquetType::kInt64, ParquetType::kInt32, ParquetType::kDouble,
                              ParquetType::kBytes}[kind];
      if (kind == 3) field.converted = 0;
      field.optional = below(2) == 0;
      for (unsigned row = 0; row < rows; ++row) {
        const auto number = static_cast<int>(below(300)) - (column == 0 ? 0 : 20);
        if (column > 0 && below(8) == 0) {
          field.cells.emplace_back();
          texts.emplace_back();
        } else if (kind == 0) {
          field.cells.emplace_back(test::plain(std::int64_t{number}));
          texts.push_back(std::to_string(number));
        } else if (kind == 1) {
          field.cells.emplace_back(test::plain(std::int32_t{number}));
          texts.push_back(std::to_string(number));
        } else if (kind == 2) {
          const double quarter = number + 0.25;
          field.cells.emplace_back(test::plain(quarter));
          texts.push_back(fmt::format("{}", quarter));
        } else {
          texts.push_back(words[below(static_cast<unsigned>(words.size()))]);
          field.cells.emplace_back(test::make_bytes(std::string_view(texts.back())));
        }
      }
    }
    std::string text;
    for (unsigned row = 0; row <= rows; ++row) {
      for (unsigned column = 0; column <= width; ++column) {
        text += csv_cell(row == 0 ? fields[column].name : cells[column][row - 1]);
        text += column == width ? '\n' : ',';
      }
    }
    // All that is text is of categories, and some of the numbers are.
    ReadTableOptions options{.label_column = "y", .table = {.fill_missing = true}};
    for (unsigned column = 1; column <= width; ++column) {
      const bool is_text = fields[column].type == ParquetType::kBytes;
      if (is_text || below(4) == 0) options.table.one_hot.push_back(fields[column].name);
    }
    SCOPED_TRACE(text);
    std::string refused;
    try {
      (void)read_csv(test::write_bytes(folder_ / "a.csv", test::make_bytes(text)), options);
    } catch (const DataError& error) {
      refused = error.what();
    }
    const ParquetForm form{.codec = below(2) == 0 ? ParquetCodec::kNone : ParquetCodec::kSnappy,
                           .version = 1 + static_cast<int>(below(2)),
                           .dictionaries = below(2) == 0,
                           .page_rows = 1 + below(10),
                           .group_rows = 1 + below(20)};
    if (refused.empty()) {
      expect_as_csv(fields, text, options, form);
    } else {
      EXPECT_THROW((void)read(fields, options, form), DataError) << refused;
    }
  }
}

TEST_F(ParquetRowsTest, AreMadeAsOthersWere) {
  const ReadTableOptions options{.table = {.one_hot = {"sex"}, .fill_missing = true}};
  const auto train = read({labels(), ages(), sexes()}, options);
  EXPECT_EQ(train.columns.values, (Names{"age", "age missing", "sex=female", "sex=male"}));
  const Fields fields{text_field("sex", {"divers", "female", "male"}), labels(),
                      number_field<float>("age", {std::nullopt, 40, 41})};
  const ReadTableOptions known{.columns = KnownColumns{train.columns, "a.parquet"}};
  const auto test = read(fields, known);
  EXPECT_EQ(float_values(test.samples.data), (Floats{28.5F, 1, 0, 0, 40, 0, 1, 0, 41, 0, 0, 1}));
  EXPECT_NE(test.unknown.find("\"divers\""), std::string::npos) << test.unknown;
  expect_as_csv(fields, "sex,label,age\ndivers,1,\nfemale,0,40\nmale,2,41\n", known);
}

TEST_F(ParquetRowsTest, AreFoundByTheirNames) {
  const auto train =
      read({labels(), number_field<float>("a", {1, 2, 3}), number_field<float>("b", {4, 5, 6})});
  const auto other =
      read({number_field<float>("b", {4, 5, 6}), number_field<float>("a", {1, 2, 3}), labels()},
           {.columns = KnownColumns{train.columns, "a.parquet"}});
  EXPECT_EQ(float_values(other.samples.data), (Floats{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(other.columns, train.columns);
}

TEST_F(ParquetRowsTest, AreThoseOfListsPlaceByPlace) {
  const auto pixels = number_field<std::uint8_t>("pixels", {1, 2, 3, 4, 5, 6}).in_lists_of({2});
  for (const auto& form : {ParquetForm{}, ParquetForm{.version = 2, .dictionaries = true},
                           ParquetForm{.page_rows = 1, .group_rows = 2}}) {
    const auto table = read({pixels, labels()}, {}, form);
    EXPECT_EQ(bytes_in(table), (std::vector<int>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(table.columns.values, (Names{"pixels[0]", "pixels[1]"}));
    const auto both =
        read({pixels, labels(), number_field<bool>("b", {true, false, true})}, {}, form);
    EXPECT_EQ(bytes_in(both), (std::vector<int>{1, 2, 1, 3, 4, 0, 5, 6, 1}));
  }
  const auto floats = number_field<float>("f", {0.5F, 2, 3, 4, 5, 6}).in_lists_of({2});
  EXPECT_EQ(float_values(read({labels(), floats}).samples.data), (Floats{0.5F, 2, 3, 4, 5, 6}));
  const auto gaps = number_field<float>("f", {1, 2, std::nullopt, 4, 5, 6}).in_lists_of({2});
  const auto filled =
      read({labels(), gaps}, {.label_column = "label", .table = {.fill_missing = true}});
  EXPECT_EQ(float_values(filled.samples.data), (Floats{1, 0, 2, 3, 1, 4, 5, 0, 6}));
  EXPECT_EQ(filled.columns.values, (Names{"f[0]", "f[0] missing", "f[1]"}));
}

TEST_F(ParquetRowsTest, MayHaveTargetsInAList) {
  const auto boxes = number_field<float>("y", {1, 2, 3, 4}).in_lists_of({2});
  const auto table = read({number_field<float>("a", {7, 8}), boxes}, {.task = Task::kRegression});
  EXPECT_EQ(table.labels.targets, 2U);
  EXPECT_EQ(table.columns.targets, (Names{"y[0]", "y[1]"}));
  Floats targets;
  for (const auto word : table.labels.values) targets.push_back(target_of(word));
  EXPECT_EQ(targets, (Floats{1, 2, 3, 4}));
}

TEST_F(ParquetRowsTest, ComeFromSeveralFilesAndRowGroups) {
  const auto first =
      write({labels(), number_field<std::int32_t>("a", {1, 2, 3})}, {.group_rows = 1}, "0.parquet");
  const auto empty =
      write({number_field<std::int64_t>("label", {}), number_field<std::int32_t>("a", {})}, {},
            "1.parquet");
  const auto second =
      write({number_field<std::uint8_t>("a", {4, 5}), number_field<std::int32_t>("label", {4, 0})},
            {.codec = ParquetCodec::kZstd}, "2.parquet");
  const auto table = read_parquet({first, empty, second});
  EXPECT_EQ(bytes_in(table), (std::vector<int>{1, 2, 3, 4, 5}));
  EXPECT_EQ(table.labels.values, (Labels32{1, 0, 2, 4, 0}));
  EXPECT_EQ(table.samples.name, folder_.path().string());
  const auto turned = read_parquet({second, first});
  EXPECT_EQ(bytes_in(turned), (std::vector<int>{4, 5, 1, 2, 3}));
}

TEST_F(ParquetRowsTest, HaveClassesOfTheFilesOwnNames) {
  const ParquetForm form{
      .notes = {{"huggingface",
                 R"({"info": {"features": {"label": {"names": ["cat", "dog", "eel"],
                     "_type": "ClassLabel"}}}})"}}};
  const auto field = number_field<std::int64_t>("label", {1, 0});
  const auto a = number_field<float>("a", {1, 2});
  const auto table = read({field, a}, {}, form);
  EXPECT_EQ(table.class_names, (Names{"cat", "dog", "eel"}));
  EXPECT_EQ(table.labels.values, (Labels32{1, 0}));
  EXPECT_EQ(table.labels.classes, 3U);
  EXPECT_EQ(read({field, a}, {.class_names = {"cat", "dog", "eel"}}, form).class_names,
            table.class_names);
  const auto path = write({field, a}, form);
  EXPECT_EQ(
      data_error_of([&] {
        (void)read_parquet({path}, {.class_names = {"dog", "cat"}});
      }),
      path.string() +
          ": expected the classes that are known, in their order, found others: \"cat\" and 2 "
          "more");
  const auto large = write({number_field<std::int64_t>("label", {1, 3}), a}, form);
  EXPECT_EQ(data_error_of([&] { (void)read_parquet({large}); }),
            large.string() +
                ": sample 1: expected a whole number in [0, 3) as the label in column 1 "
                "(\"label\"), found \"3\"");
}

TEST_F(ParquetRowsTest, NameTheCellThatIsNoNumber) {
  const auto a = [](auto... values) { return number_field<double>("a", {values...}); };
  EXPECT_EQ(error_of({labels(), a(1.0, 2.0, 1e39)}),
            "sample 2: expected a finite number in column 2 (\"a\"), found \"1e+39\"");
  EXPECT_EQ(error_of({labels(), ages()}),
            "sample 1: expected a finite number in column 2 (\"age\"), found a missing value "
            "(--missing mean fills in what is missing, --drop-columns age leaves it out)");
  EXPECT_EQ(error_of({labels(), a(1.0, std::nan(""), 3.0)}),
            "sample 1: expected a finite number in column 2 (\"a\"), found a missing value "
            "(--missing mean "
            "fills in what is missing, --drop-columns a leaves it out)");
  EXPECT_EQ(error_of({labels(), sexes()}),
            "sample 0: expected a finite number in column 2 (\"sex\"), found \"male\" (--one-hot "
            "sex makes values of categories, --drop-columns sex leaves it out)");
  EXPECT_EQ(
      error_of({labels(), text_field("t", {"1", "2", "x"})}),
      "sample 2: expected a finite number in column 2 (\"t\"), found \"x\" (--one-hot t makes "
      "values of categories, --drop-columns t leaves it out)");
}

TEST_F(ParquetRowsTest, NameTheSampleInItsFileAndGroup) {
  const auto path =
      write({labels(), number_field<double>("a", {1, 2, 1e39})}, {.group_rows = 1}, "1.parquet");
  const auto first = write({labels(), number_field<double>("a", {1, 2, 3})}, {}, "0.parquet");
  EXPECT_TRUE(data_error_of([&] {
                (void)read_parquet({first, path});
              }).starts_with(path.string() + ": sample 2: expected a finite number in column 2"));
}

TEST_F(ParquetRowsTest, NameTheLabelThatIsNone) {
  const auto a = number_field<float>("a", {1, 2});
  EXPECT_EQ(error_of({number_field<double>("label", {1, 0.5}), a}),
            "sample 1: expected a whole number in [0, 1048576) as the label in column 1 "
            "(\"label\"), found \"0.5\" (numbers that are to be learnt: --task "
            "regression; of 0 and 1 for each label: --task multilabel)");
  EXPECT_EQ(error_of({number_field<std::int32_t>("label", {1, std::nullopt}), a}),
            "sample 1: expected a whole number in [0, 1048576) as the label in column 1 "
            "(\"label\"), found a missing value");
  EXPECT_EQ(error_of({number_field<std::int32_t>("label", {0, 2}), a}, {.classes = 2}),
            "sample 1: expected a whole number in [0, 2) as the label in column 1 (\"label\"), "
            "found \"2\"");
  EXPECT_EQ(error_of({text_field("label", {"x", "y"}), a}, {.class_names = {"x"}}),
            "sample 1: expected one of the 1 classes of the training set as the label in column 1 "
            "(\"label\"), found \"y\"");
  EXPECT_EQ(
      error_of({number_field<double>("y", {1, std::nullopt}), a}, {.task = Task::kRegression}),
      "sample 1: expected a finite number (float32) as the target in column 1 (\"y\"), found "
      "a missing value (fill in what is missing, or leave out its line or column)");
  EXPECT_EQ(error_of({number_field<double>("y", {1e39, 1}), a}, {.task = Task::kRegression}),
            "sample 0: expected a finite number (float32) as the target in column 1 (\"y\"), found "
            "\"1e+39\"");
}

TEST_F(ParquetRowsTest, NameALabelOfTextThatIsMissingWhereverItStands) {
  for (const std::size_t rows : {1U, 2U, 3U}) {
    const auto path =
        write({text_field("label", {"x", std::nullopt, "y"}), number_field<float>("a", {1, 2, 3})},
              {.group_rows = rows});
    const auto message = data_error_of([&] { (void)read_parquet({path}); });
    EXPECT_TRUE(message.starts_with(path.string() + ": sample 1: expected a class's name"))
        << message;
    EXPECT_TRUE(message.ends_with("found a missing value")) << message;
  }
}

TEST_F(ParquetRowsTest, RefuseListsOfOtherLengthsInPlaces) {
  // As many values as three a row, but not in each.
  const auto ragged = number_field<float>("f", {1, 2, 3, 4, 5, 6, 7, 8, 9}).in_lists_of({2, 4, 3});
  EXPECT_EQ(error_of({labels(), ragged}),
            "expected 3 values of \"f\" in each row, found another number in samples 0 to 2");
  EXPECT_EQ(error_of({labels(), number_field<bool>("b", {true, true, true}), ragged}),
            "expected 3 values of \"f\" in each row, found another number in samples 0 to 2");
  const auto labels_in = number_field<std::int32_t>("label", {1, 2, 3}).in_lists_of({2, 0, 1});
  EXPECT_THROW((void)read({number_field<float>("a", {1, 2, 3}), labels_in}), DataError);
}

TEST_F(ParquetRowsTest, MayBeWithoutLabels) {
  const Fields fields{number_field<float>("a", {1, 2}), number_field<float>("b", {3, 4})};
  const auto table = read(fields, {.unlabelled_values = 2});
  EXPECT_EQ(float_values(table.samples.data), (Floats{1, 3, 2, 4}));
  EXPECT_EQ(table.labels.values, (Labels32{0, 0}));
  const auto with =
      read({fields[0], text_field("y", {"?", "x"}), fields[1]}, {.unlabelled_values = 2});
  EXPECT_EQ(float_values(with.samples.data), (Floats{1, 3, 2, 4}));
  EXPECT_EQ(with.labels.values, (Labels32{0, 0}));
}

TEST_F(ParquetRowsTest, DoNotDependOnHowTheyAreGrouped) {
  Fields fields;
  for (int column = 0; column < 40; ++column) {
    ParquetField field{
        .name = "c" + std::to_string(column), .type = ParquetType::kInt32, .cells = {}};
    for (int row = 0; row < 200; ++row) {
      field.cells.emplace_back(test::plain(std::int32_t{(row * 31 + column * 7) % 256}));
    }
    fields.push_back(std::move(field));
  }
  const auto expected = read(fields, {.label_column = "c20"});
  ASSERT_EQ(expected.samples.dims, (Sizes{200, 39}));
  const auto values = bytes_in(expected);
  for (int row = 0; row < 200; ++row) {
    for (int i = 0; i < 39; ++i) {
      const int column = i < 20 ? i : i + 1;
      ASSERT_EQ(values[static_cast<std::size_t>(row * 39 + i)], (row * 31 + column * 7) % 256);
    }
  }
  for (const std::size_t rows : {1U, 7U, 100U, 199U}) {
    expect_same(read(fields, {.label_column = "c20"}, {.page_rows = 3, .group_rows = rows}),
                expected);
  }
}

TEST_F(ParquetRowsTest, AreRefusedWhereMemoryCannotHoldThem) {
  // A page of nothing but missing values takes a few bytes, however many they are.
  test::ParquetInfo info{.schema = {{.name = "schema", .children = 2},
                                    {.name = "label", .type = ParquetType::kInt32, .repetition = 1},
                                    {.name = "a", .type = ParquetType::kFloat, .repetition = 1}},
                         .rows = std::int64_t{1} << 40};
  const test::ParquetChunkInfo chunk{.type = 1, .values = info.rows, .at = 4, .bytes = 10};
  info.groups.push_back({.rows = info.rows, .chunks = {chunk, chunk}});
  info.groups[0].chunks[1].type = 4;
  const auto path = test::write_bytes(
      folder_ / "a.parquet", test::parquet_file(test::ByteVector(20), test::footer_struct(info)));
  const auto message = data_error_of([&] { (void)read_parquet({path}); });
  EXPECT_NE(message.find("in memory"), std::string::npos) << message;
}

TEST_F(ParquetRowsTest, AreRefusedBeforeTheirFirstPageTakesMemory) {
  constexpr std::int64_t kRows = std::numeric_limits<std::int32_t>::max();
  test::ByteVector levels;
  test::put_varint(levels, std::uint64_t{kRows} << 1U);
  levels.push_back(std::byte{1});  // none is missing
  const auto content =
      test::joined({test::plain(static_cast<std::uint32_t>(levels.size())), levels});
  test::ThriftWriter header;
  const auto size = static_cast<std::int64_t>(content.size());
  header.integer(1, 0, test::ThriftWriter::kInt32).integer(2, size, test::ThriftWriter::kInt32);
  header.integer(3, size, test::ThriftWriter::kInt32).begin(5);
  header.integer(1, kRows, test::ThriftWriter::kInt32)
      .integer(2, 0, test::ThriftWriter::kInt32)
      .end();
  const auto page = test::joined({header.take(), content});
  const test::ParquetChunkInfo chunk{
      .type = 6, .values = kRows, .at = 4, .bytes = static_cast<std::int64_t>(page.size())};
  const test::ParquetElement text{
      .name = "label", .type = ParquetType::kBytes, .repetition = 1, .converted = 0};
  auto other = text;
  other.name = "a";
  const auto path = test::write_bytes(
      folder_ / "a.parquet",
      test::parquet_file(
          page, test::footer_struct({.schema = {{.name = "schema", .children = 2}, text, other},
                                     .rows = kRows,
                                     .groups = {{.rows = kRows, .chunks = {chunk, chunk}}}})));
  const auto message = data_error_of([&] { (void)read_parquet({path}); });
  EXPECT_NE(message.find("in memory"), std::string::npos) << message;
}

}  // namespace
}  // namespace millrace
