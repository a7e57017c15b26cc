#include "formats/parquet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "formats/folder.h"
#include "tests/support/files.h"
#include "tests/support/parquet_files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::number_field;
using test::ParquetField;
using test::ParquetForm;
using test::text_field;
using Fields = std::vector<ParquetField>;
using Names = std::vector<std::string>;

class ParquetTest : public testing::Test {
 protected:
  std::filesystem::path write(const Fields& fields, const std::string& name = "a.parquet",
                              const ParquetForm& form = {}) const {
    return test::write_bytes(folder_ / name, test::parquet_of(fields, form));
  }
  ParquetTable table_of(const Fields& fields, const ReadTableOptions& options = {},
                        const ParquetForm& form = {}) const {
    return ParquetTable(std::vector{write(fields, "a.parquet", form)}, options);
  }
  std::string error_of(const Fields& fields, const ReadTableOptions& options = {}) const {
    const auto path = write(fields);
    const auto message = data_error_of([&] { ParquetTable(std::vector{path}, options); });
    EXPECT_TRUE(message.starts_with(path.string() + ": ")) << message;
    return message.substr(message.find(": ") + 2);
  }

  test::TempFolder folder_;
};

ParquetField labels() { return number_field<std::int64_t>("label", {1, 0, 2}); }
ParquetField numbers(const std::string& name = "a") { return number_field<float>(name, {1, 2, 3}); }
ParquetField dates() { return number_field<std::int32_t>("day", {1, 2, 3}).as(6); }

TEST_F(ParquetTest, FindsLabelsByNameOrText) {
  EXPECT_EQ(table_of({numbers(), labels()}).layout().label, 1U);
  EXPECT_EQ(table_of({numbers(), numbers("Y")}).layout().label, 1U);
  EXPECT_FALSE(table_of({numbers(), numbers("Y")}).layout().label_guessed);
  const auto text = table_of({numbers(), text_field("kind", {"cat", "dog", "cat"})}).layout();
  EXPECT_EQ(text.label, 1U);
  EXPECT_TRUE(text.label_guessed);
  EXPECT_TRUE(text.named_classes);
  const auto first = table_of({numbers("a"), numbers("b")}).layout();
  EXPECT_EQ(first.label, 0U);
  EXPECT_TRUE(first.label_guessed);
  EXPECT_EQ(table_of({numbers("a"), labels()}, {.label_column = "a"}).layout().label, 0U);
  EXPECT_EQ(table_of({numbers("a"), labels()}, {.label_column = "1"}).layout().label, 0U);
}

TEST_F(ParquetTest, NamesThePlacesOfLists) {
  const auto pixels = number_field<float>("pixels", {1, 2, 3, 4, 5, 6}).in_lists_of({2});
  const auto single = number_field<float>("single", {1, 2, 3}).in_lists_of({1});
  const auto table = table_of({pixels, labels(), single});
  EXPECT_EQ(table.layout().columns, (Names{"pixels[0]", "pixels[1]", "label", "single"}));
  EXPECT_EQ(table.layout().label, 2U);
  EXPECT_EQ(table.layout().values(), 3U);
}

TEST_F(ParquetTest, LeavesOutListsWhole) {
  const auto ragged = number_field<float>("words", {1, 2, 3, 4}).in_lists_of({2, 1, 1});
  const auto table = table_of({ragged, labels(), numbers()}, {.table = {.dropped = {"words"}}});
  EXPECT_EQ(table.layout().columns, (Names{"words", "label", "a"}));
  EXPECT_EQ(table.layout().dropped, (std::vector<std::size_t>{0}));
  EXPECT_EQ(error_of({ragged, labels(), numbers()}),
            "expected lists that are as long in each row in column 1 (\"words\"), found some that "
            "are longer than others (--drop-columns words leaves it out)");
}

TEST_F(ParquetTest, LeavesOutColumnsOfSeveralFiles) {
  const auto ragged = number_field<float>("words", {1, 2, 3, 4}).in_lists_of({2, 1, 1});
  const auto first = write({dates(), ragged, labels(), numbers()}, "0.parquet");
  const auto second = write({number_field<float>("day", {1, 2, 3, 4}).in_lists_of({1, 2, 1}),
                             ragged, labels(), numbers()},
                            "1.parquet");
  const ReadTableOptions by_name{.table = {.dropped = {"words", "day"}}};
  EXPECT_EQ(read_parquet({first, second}, by_name).samples.dims,
            (std::vector<std::uint64_t>{6, 1}));
}

TEST_F(ParquetTest, LeavesOutListsByNumber) {
  const auto ragged = number_field<float>("words", {1, 2, 3, 4}).in_lists_of({2, 1, 1});
  const auto table = table_of({ragged, labels(), numbers()}, {.table = {.dropped = {"1"}}});
  EXPECT_EQ(table.read().columns.form.dropped, (Names{"words"}));
}

TEST_F(ParquetTest, SpreadsWhatIsAskedOfAList) {
  const auto kinds = text_field("kind", {"x", "y", "x", "z", "y", "y"}).in_lists_of({2});
  const auto table =
      table_of({kinds, labels()}, {.label_column = "label", .table = {.one_hot = {"kind"}}});
  EXPECT_EQ(table.layout().categories, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(table.read().columns.values,
            (Names{"kind[0]=x", "kind[0]=y", "kind[1]=y", "kind[1]=z"}));
}

TEST_F(ParquetTest, HasNoColumnOfAnIndexOfPandas) {
  const ParquetForm form{.notes = {{"pandas", R"({"index_columns": ["__index_level_0__"]})"}}};
  const auto index = number_field<std::int64_t>("__index_level_0__", {5, 6, 7});
  const auto table = table_of({labels(), numbers(), index}, {}, form);
  EXPECT_EQ(table.layout().columns, (Names{"label", "a"}));
  EXPECT_EQ(table.index_columns(), (Names{"__index_level_0__"}));
  EXPECT_EQ(table.read().columns.values, (Names{"a"}));
  EXPECT_EQ(table_of({labels(), numbers(), index}).layout().cells, 3U) << "nobody says so";
  const auto middle = table_of({labels(), index, numbers()}, {}, form).read();
  EXPECT_EQ(middle.columns.values, (Names{"a"}));
  EXPECT_EQ(middle.samples.data.size(), 12U);
}

TEST_F(ParquetTest, TakesTextAsCategoriesWhereItIsAskedFor) {
  const auto table = table_of({labels(), text_field("c", {"1", "2", "1"}), numbers()},
                              {.table = {.one_hot = {"text"}}});
  EXPECT_EQ(table.layout().categories, (std::vector<std::size_t>{1}))
      << "what is text though it says numbers";
}

TEST_F(ParquetTest, KnowsClassNames) {
  const ParquetForm form{
      .notes = {{"huggingface",
                 R"({"info": {"features": {"label": {"names": ["cat", "dog", "eel"],
                     "_type": "ClassLabel"}}}})"}}};
  EXPECT_EQ(table_of({labels(), numbers()}, {}, form).class_names(), (Names{"cat", "dog", "eel"}));
  EXPECT_TRUE(table_of({labels(), numbers()}, {.label_column = "a"}, form).class_names().empty());
  const auto text = text_field("label", {"1", "2", "3"});
  EXPECT_TRUE(table_of({text, numbers()}, {}, form).class_names().empty()) << "no numbers";
}

TEST_F(ParquetTest, RefusesColumnsThatAreNoValues) {
  EXPECT_EQ(error_of({labels(), dates()}),
            "expected numbers, bools or text in column 2 (\"day\"), found dates or times "
            "(--drop-columns day leaves it out)");
  EXPECT_EQ(error_of({labels(), text_field("b", {"x", "y", "z"}, -1)}),
            "expected numbers, bools or text in column 2 (\"b\"), found bytes (--drop-columns b "
            "leaves it out)");
  EXPECT_EQ(table_of({labels(), dates(), numbers()}, {.table = {.dropped = {"day"}}})
                .read()
                .columns.values,
            (Names{"a"}));
}

TEST_F(ParquetTest, RefusesTablesWithoutRowsOrColumns) {
  EXPECT_EQ(error_of({number_field<float>("a", {}), number_field<float>("label", {})}),
            "expected rows of a table, found none");
  EXPECT_EQ(error_of({numbers()}),
            "expected two or more columns, one of them of labels, found one");
  EXPECT_EQ(error_of({numbers()}, {.task = Task::kRegression}),
            "expected two or more columns, one of them of targets, found one");
  EXPECT_EQ(
      error_of({numbers(), numbers("b")}, {.task = Task::kRegression}),
      "expected a column of targets (--label-column says which, several with commas between), "
      "found none called label, class, target or y");
}

TEST_F(ParquetTest, SaysWhatIsMissingOfLabels) {
  const auto table = table_of({numbers(), labels()}, {.label_column = "kind"});
  EXPECT_FALSE(table.layout().labelled);
  EXPECT_EQ(data_error_of([&] { (void)table.read(); }),
            (folder_ / "a.parquet").string() +
                ": expected a column \"kind\" for labels, found none of that name");
}

TEST_F(ParquetTest, RefusesFilesOfOtherColumns) {
  const auto first = write({labels(), numbers(), numbers("b")}, "0.parquet");
  const auto error = [&](const Fields& fields) {
    const auto path = write(fields, "1.parquet");
    const auto message = data_error_of([&] {
      ParquetTable(std::vector{first, path}, ReadTableOptions{});
    });
    EXPECT_TRUE(message.starts_with(path.string() + ": ")) << message;
    return message.substr(message.find(": ") + 2);
  };
  EXPECT_EQ(error({labels(), numbers()}),
            "expected the columns of " + first.string() + ", found none called \"b\"");
  EXPECT_EQ(
      error({labels(), numbers(), number_field<float>("b", {1, 2, 3, 4, 5, 6}).in_lists_of({2})}),
      "expected 1 value of \"b\" in each row, as " + first.string() + " has, found 2");
  EXPECT_EQ(error({labels(), numbers(), number_field<std::int32_t>("b", {1, 2, 3}).as(6)}),
            "expected 1 value of \"b\" in each row, as " + first.string() +
                " has, found dates or "
                "times");
  const auto more = write({dates(), numbers("b"), labels(), numbers()}, "1.parquet");
  EXPECT_EQ(read_parquet({first, more}).samples.dims, (std::vector<std::uint64_t>{6, 2}))
      << "columns that the first has not";
}

TEST_F(ParquetTest, TellsColumnsOfOneNameByTheirPlaces) {
  const auto path =
      write({labels(), number_field<float>("a", {1, 2, 3}), number_field<float>("a", {4, 5, 6})});
  const auto read = read_parquet({path, path});
  EXPECT_EQ(read.samples.dims, (std::vector<std::uint64_t>{6, 2}));
  float last = 0;
  std::memcpy(&last, read.samples.data.data() + read.samples.data.size() - 4, 4);
  EXPECT_EQ(last, 6.0F);
}

TEST_F(ParquetTest, RefusesListsOfMillions) {
  // Of a row whose list has more places than a table may have columns.
  test::ParquetInfo info{
      .schema = {{.name = "schema", .children = 2},
                 {.name = "label", .type = ParquetType::kInt32},
                 {.name = "f", .type = ParquetType::kInt32, .repetition = 2}},
      .rows = 1,
      .groups = {{.rows = 1,
                  .chunks = {{.type = 1, .values = 1, .at = 4, .bytes = 1},
                             {.type = 1, .values = 1 << 20, .at = 4, .bytes = 1}}}}};
  const auto path = test::write_bytes(folder_ / "a.parquet",
                                      test::parquet_file(ByteVector(1), test::footer_struct(info)));
  EXPECT_EQ(data_error_of([&] { ParquetTable(std::vector{path}, ReadTableOptions{}); }),
            path.string() + ": expected at most 1048576 columns, found lists of 1048576 in \"f\"");
}

/// A small file of every kind of column and page.
ByteVector every_kind(const ParquetForm& form) {
  auto gaps = number_field<double>("gaps", {0.5, std::nullopt, -1});
  auto half = ParquetField{
      .name = "half", .type = ParquetType::kFixedBytes, .cells = {}, .length = 2, .logical = 15};
  for (const std::uint16_t bits : {std::uint16_t{0x3C00}, std::uint16_t{0x4200}, std::uint16_t{0}})
    half.cells.emplace_back(test::plain(bits));
  return test::parquet_of({labels(), gaps, number_field<bool>("flag", {true, false, true}), half,
                           text_field("c", {"x", "y", "x"}),
                           text_field("p", {"ab", "abc", "b"}).encoded(7, test::prefixes_page),
                           number_field<std::int32_t>("d", {1, 5, 9}).encoded(5, test::deltas_page),
                           number_field<float>("f", {1, 2, 3, 4, 5, 6}).in_lists_of({2})},
                          form);
}

const std::vector<ParquetForm> kForms{
    {.notes = {{"pandas", R"({"index_columns": ["i"]})"}}},
    {.codec = ParquetCodec::kSnappy, .version = 2, .dictionaries = true, .page_rows = 2}};

const ReadTableOptions kAll{.label_column = "label",
                            .table = {.one_hot = {"text"}, .fill_missing = true}};

TEST_F(ParquetTest, RefusesFilesThatAreCutOff) {
  for (const auto& form : kForms) {
    const auto bytes = every_kind(form);
    (void)read_parquet({test::write_bytes(folder_ / "a.parquet", bytes)}, kAll);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto path = test::write_bytes(folder_ / "a.parquet", std::span(bytes).first(size));
      EXPECT_THROW((void)read_parquet({path}, kAll), DataError) << size;
    }
  }
}

TEST_F(ParquetTest, ReadsOrRefusesFilesWithAnyOtherByte) {
  int read = 0;
  int refused = 0;
  for (const auto& form : kForms) {
    const auto sound = every_kind(form);
    for (std::size_t at = 0; at < sound.size(); ++at) {
      for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
        auto bytes = sound;
        bytes[at] ^= static_cast<std::byte>(flip);
        const auto path = test::write_bytes(folder_ / "a.parquet", bytes);
        try {
          (void)read_parquet({path}, kAll);
          ++read;
        } catch (const DataError&) {
          ++refused;
        }
      }
    }
  }
  EXPECT_GT(read, 100);
  EXPECT_GT(refused, 1000);
}

TEST_F(ParquetTest, FindsEveryOtherByteOfPagesWithChecksums) {
  const ParquetForm form{.checksums = true};
  const auto sound = test::parquet_of({labels(), numbers()}, form);
  const auto path = folder_ / "a.parquet";
  const auto pages = [&] {
    const ParquetFile file(test::write_bytes(path, sound));
    std::vector<ParquetPageHeader> headers;
    for (const auto& chunk : file.footer().groups.at(0).chunks)
      headers.push_back(ParquetPages(file, chunk).next().value());
    return headers;
  }();
  for (const auto& page : pages) {
    for (auto at = page.at; at < page.end(); ++at) {
      auto bytes = sound;
      bytes[static_cast<std::size_t>(at)] ^= std::byte{1};
      test::write_bytes(path, bytes);
      const auto message = data_error_of([&] { (void)read_parquet({path}); });
      EXPECT_NE(message.find("expected a page with checksum "), std::string::npos) << message;
    }
  }
}

TEST_F(ParquetTest, OpensFoldersAndFiles) {
  const auto train = number_field<std::uint8_t>("a", {1, 2, 3});
  write({labels(), train}, "train-00000-of-00002.parquet");
  write({train, labels()}, "train-00001-of-00002.parquet");
  write({labels(), train}, "test-00000-of-00001.parquet");
  const auto opened = open_folder(folder_.path());
  EXPECT_EQ(opened.train->size(), 6U);
  EXPECT_EQ(opened.test->size(), 3U);
  EXPECT_EQ(opened.description,
            folder_.path().string() +
                ": 6 training and 3 test samples, 1 uint8, 3 classes; all values are whole numbers "
                "from 0 to 255 and divided by 255, as pixels are (a column of floats keeps them as "
                "they are); labels in column 1 (\"label\")");
  const auto file = open_folder(folder_ / "test-00000-of-00001.parquet");
  EXPECT_EQ(file.train->size(), 3U);
  EXPECT_EQ(file.test, nullptr);
}

}  // namespace
}  // namespace millrace
