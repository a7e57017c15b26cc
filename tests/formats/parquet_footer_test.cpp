#include "formats/parquet_footer.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/parquet_files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::make_bytes;
using test::ParquetElement;
using test::ParquetInfo;
using Names = std::vector<std::string>;

constexpr std::size_t kColumnBytes = 20;  // which nobody looks at here

ParquetFooter footer_of(const ByteVector& file) { return read_parquet_footer("f", file); }

ByteVector file_of(const ParquetInfo& info) {
  return test::parquet_file(ByteVector(kColumnBytes), test::footer_struct(info));
}

/// Of a schema behind its root; without rows.
std::vector<ParquetLeaf> leaves_of(std::vector<ParquetElement> elements, int children = 1) {
  elements.insert(elements.begin(), {.name = "schema", .children = children});
  return footer_of(file_of({.schema = std::move(elements)})).leaves;
}

ParquetMeaning meaning_of(ParquetElement element) {
  element.name = "a";
  return leaves_of({std::move(element)}).at(0).meaning;
}

/// One int32 column of three rows.
ParquetInfo one_column() {
  return {.schema = {{.name = "schema", .children = 1}, {.name = "a", .type = ParquetType::kInt32}},
          .rows = 3,
          .groups = {{.rows = 3, .chunks = {{.type = 1, .values = 3, .at = 4, .bytes = 20}}}}};
}

std::string error_of(const ParquetInfo& info) {
  return data_error_of([&] { (void)footer_of(file_of(info)); });
}

std::string error_with(void (*change)(ParquetInfo&)) {
  auto info = one_column();
  change(info);
  const auto message = error_of(info);
  return message.substr(message.find("expected "));
}

TEST(ParquetFooter, SaysWhereColumnsAre) {
  const auto footer = footer_of(file_of(
      {.schema = {{.name = "schema", .children = 2},
                  {.name = "a", .type = ParquetType::kInt32},
                  {.name = "b", .type = ParquetType::kDouble, .repetition = 1}},
       .rows = 7,
       .groups = {
           {.rows = 5,
            .chunks =
                {{.type = 1, .values = 5, .at = 4, .bytes = 6},
                 {.type = 5, .codec = 1, .values = 5, .at = 12, .bytes = 8, .dictionary_at = 10}}},
           {.rows = 0, .chunks = {{.type = 1}, {.type = 5}}},
           {.rows = 2,
            .chunks = {{.type = 1, .codec = 6, .values = 2, .at = 18, .bytes = 6},
                       {.type = 5, .values = 2, .at = 4, .bytes = 0}}}}}));
  EXPECT_EQ(footer.rows, 7U);
  ASSERT_EQ(footer.leaves.size(), 2U);
  EXPECT_EQ(footer.leaves[0].name, "a");
  EXPECT_EQ(footer.leaves[0].definition, 0U);
  EXPECT_EQ(footer.leaves[1].definition, 1U);
  ASSERT_EQ(footer.groups.size(), 2U) << "one has no rows";
  EXPECT_EQ(footer.groups[1].first_row, 5U);
  EXPECT_EQ(footer.groups[1].rows, 2U);
  const auto& chunk = footer.groups[0].chunks[1];
  EXPECT_EQ(chunk.at, 10U) << "with the dictionary";
  EXPECT_EQ(chunk.bytes, 8U);
  EXPECT_EQ(chunk.codec, ParquetCodec::kSnappy);
  EXPECT_EQ(footer.groups[1].chunks[0].codec, ParquetCodec::kZstd);
}

TEST(ParquetFooter, TakesADictionaryThatIsNotInFrontForNone) {
  auto info = one_column();
  info.groups[0].chunks[0].dictionary_at = 9;
  EXPECT_EQ(footer_of(file_of(info)).groups[0].chunks[0].at, 4U);
}

TEST(ParquetFooter, NamesColumnsOfStructsAndLists) {
  const auto leaf = [](std::string name) {
    return ParquetElement{.name = std::move(name), .type = ParquetType::kInt32, .repetition = 1};
  };
  // image {bytes, path}; pixels: a list in three levels; names: one in two; boxes: a list of
  // structs; grid: a list of lists; counts: a map.
  const auto leaves =
      leaves_of({{.name = "image", .repetition = 1, .children = 2},
                 leaf("bytes"),
                 leaf("path"),
                 {.name = "pixels", .repetition = 1, .children = 1, .converted = 3},
                 {.name = "list", .repetition = 2, .children = 1},
                 leaf("element"),
                 {.name = "names", .repetition = 0, .children = 1, .logical = 3},
                 {.name = "array", .type = ParquetType::kInt32, .repetition = 2},
                 {.name = "boxes", .repetition = 0, .children = 1, .converted = 3},
                 {.name = "list", .repetition = 2, .children = 1},
                 {.name = "element", .repetition = 0, .children = 2},
                 leaf("x"),
                 leaf("y"),
                 {.name = "grid", .repetition = 0, .children = 1, .converted = 3},
                 {.name = "list", .repetition = 2, .children = 1},
                 {.name = "element", .repetition = 0, .children = 1, .converted = 3},
                 {.name = "list", .repetition = 2, .children = 1},
                 leaf("element"),
                 {.name = "counts", .repetition = 0, .children = 1, .converted = 1},
                 {.name = "key_value", .repetition = 2, .children = 2},
                 leaf("key"),
                 leaf("value"),
                 {.name = "bare", .type = ParquetType::kInt32, .repetition = 2}},
                7);
  Names said;
  for (const auto& found : leaves) {
    said.push_back(found.name + ' ' + std::to_string(found.definition) + ' ' +
                   std::to_string(found.repetition));
  }
  EXPECT_EQ(said, (Names{"image.bytes 2 0", "image.path 2 0", "pixels 3 1", "names 1 1",
                         "boxes.x 2 1", "boxes.y 2 1", "grid 3 2", "counts.key_value.key 2 1",
                         "counts.key_value.value 2 1", "bare 1 1"}));
}

TEST(ParquetFooter, KnowsWhatValuesMean) {
  using enum ParquetMeaning;
  const auto bytes = ParquetType::kBytes;
  const auto fixed = ParquetType::kFixedBytes;
  EXPECT_EQ(meaning_of({.type = bytes}), kBytes);
  EXPECT_EQ(meaning_of({.type = fixed, .length = 3}), kBytes);
  EXPECT_EQ(meaning_of({.type = ParquetType::kInt96}), kTime);
  EXPECT_EQ(meaning_of({.type = ParquetType::kFloat}), kNumber);
  for (const int text : {0, 4, 19})
    EXPECT_EQ(meaning_of({.type = bytes, .converted = text}), kText);
  for (const int text : {1, 4, 12}) EXPECT_EQ(meaning_of({.type = bytes, .logical = text}), kText);
  for (const int time : {6, 7, 8, 9, 10}) {
    EXPECT_EQ(meaning_of({.type = ParquetType::kInt64, .converted = time}), kTime);
  }
  EXPECT_EQ(meaning_of({.type = fixed, .length = 12, .converted = 21}), kTime);
  for (const int time : {6, 7, 8}) {
    EXPECT_EQ(meaning_of({.type = ParquetType::kInt64, .logical = time}), kTime);
  }
  EXPECT_EQ(meaning_of({.type = ParquetType::kInt32, .converted = 5, .scale = 2}), kDecimal);
  EXPECT_EQ(meaning_of({.type = ParquetType::kInt32, .scale = 2, .logical = 5}), kDecimal);
  EXPECT_EQ(meaning_of({.type = ParquetType::kInt32, .logical = 11}), kNothing);
  EXPECT_EQ(meaning_of({.type = bytes, .converted = 0, .logical = 13}), kBytes) << "logical first";
  EXPECT_EQ(meaning_of({.type = fixed, .length = 2, .logical = 15}), kHalf);
  ParquetLeaf leaf;
  for (const auto& [meaning, text] :
       {std::pair(kNumber, "numbers"), std::pair(kHalf, "numbers"), std::pair(kDecimal, "numbers"),
        std::pair(kText, "text"), std::pair(kBytes, "bytes"), std::pair(kTime, "dates or times"),
        std::pair(kNothing, "nothing")}) {
    leaf.meaning = meaning;
    EXPECT_EQ(describe(leaf), text);
  }
}

TEST(ParquetFooter, KnowsSignsScalesAndLengths) {
  const auto of = [](ParquetElement element) {
    element.name = "a";
    element.type = ParquetType::kInt32;
    return leaves_of({std::move(element)}).at(0);
  };
  for (int converted = -1; converted < 21; ++converted) {
    EXPECT_EQ(of({.converted = converted}).is_unsigned, converted >= 11 && converted <= 14);
  }
  EXPECT_TRUE(of({.logical = 10, .is_signed = false}).is_unsigned);
  EXPECT_FALSE(of({.logical = 10, .is_signed = true}).is_unsigned);
  EXPECT_EQ(of({.converted = 5, .scale = 4}).scale, 4);
  EXPECT_EQ(of({.scale = 3, .logical = 5}).scale, 3);
  EXPECT_EQ(leaves_of({{.name = "a", .type = ParquetType::kFixedBytes, .length = 9}}).at(0).length,
            9U);
}

TEST(ParquetFooter, HasNoColumnsOfGroupsWithoutValues) {
  const auto leaves = leaves_of({{.name = "empty"}, {.name = "a", .type = ParquetType::kInt32}}, 2);
  ASSERT_EQ(leaves.size(), 1U);
  EXPECT_EQ(leaves[0].name, "a");
}

TEST(ParquetFooter, PutsNamesInUtf8) {
  EXPECT_EQ(leaves_of({{.name = "\xff", .type = ParquetType::kInt32}}).at(0).name, "\xef\xbf\xbd");
}

TEST(ParquetFooter, TakesWhatOtherProgramsNote) {
  auto info = one_column();
  info.notes["pandas"] = R"({"index_columns": ["__index_level_0__", {"kind": "range"}, "id"]})";
  info.notes["huggingface"] =
      R"({"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
          "text": {"_type": "Value"}, "none": {"names": [], "_type": "ClassLabel"},
          "odd": {"names": [1], "_type": "ClassLabel"}, "list": ["a"]}}})";
  const auto footer = footer_of(file_of(info));
  EXPECT_EQ(footer.index_columns, (Names{"__index_level_0__", "id"}));
  ASSERT_EQ(footer.classes.size(), 1U);
  EXPECT_EQ(footer.classes[0].column, "label");
  EXPECT_EQ(footer.classes[0].names, (Names{"cat", "dog"}));
}

TEST(ParquetFooter, MakesNothingOfNotesThatAreNone) {
  for (const auto* text :
       {"", "{", "[]", "3", "null", R"({"index_columns": 3})", R"({"index_columns": {"a": "b"}})",
        R"({"info": 3})", R"({"info": {"features": [1]}})", R"({"info": {"features": {"a": 3}}})",
        R"({"info": {"features": {"a": {"_type": 3, "names": "x"}}}})",
        R"({"info": {"features": {"a": {"_type": "ClassLabel"}}}})"}) {
    auto info = one_column();
    info.notes = {{"pandas", text}, {"huggingface", text}, {"other", text}};
    const auto footer = footer_of(file_of(info));
    EXPECT_TRUE(footer.index_columns.empty()) << text;
    EXPECT_TRUE(footer.classes.empty()) << text;
  }
}

TEST(ParquetFooter, MakesNothingOfDeepNotes) {
  constexpr std::size_t kLevels = 1'000'000;
  auto info = one_column();
  info.notes["huggingface"] =
      R"({"info": )" + std::string(kLevels, '[') + std::string(kLevels, ']') + "}";
  EXPECT_TRUE(footer_of(file_of(info)).classes.empty());
}

TEST(ParquetFooter, RefusesOtherFiles) {
  const auto error = [](const ByteVector& file) {
    return data_error_of([&] { (void)footer_of(file); });
  };
  EXPECT_EQ(
      error({}),
      R"(f: byte 0: expected a Parquet file, which begins with "PAR1", found another file of )"
      "0 bytes");
  EXPECT_EQ(
      error(make_bytes("label,a\n1,2\n3,4\n")),
      R"(f: byte 0: expected a Parquet file, which begins with "PAR1", found another file of )"
      "16 bytes");
  EXPECT_EQ(
      error(make_bytes("PAR1abcd")),
      R"(f: byte 0: expected a Parquet file, which begins with "PAR1", found another file of )"
      "8 bytes");
  EXPECT_EQ(
      error(make_bytes("PAREabcdefghPARE")),
      R"(f: byte 0: expected a Parquet file, which begins with "PAR1", found an encrypted one)");
  EXPECT_EQ(error(make_bytes("PAR1abcdefghPARE")),
            R"(f: byte 12: expected "PAR1" at the end of the file, found that the footer is )"
            "encrypted");
  EXPECT_EQ(error(make_bytes("PAR1abcdefghijkl")),
            R"(f: byte 12: expected "PAR1" at the end of the file, found something else: it may )"
            "have been cut off");
  EXPECT_EQ(error(make_bytes({'P', 'A', 'R', '1', 0, 0, 5, 0, 0, 0, 'P', 'A', 'R', '1'})),
            "f: byte 6: expected a footer of at most 2 bytes, found 5");
  EXPECT_EQ(error(test::parquet_file({}, make_bytes({0}))),
            "f: byte 4: expected a schema in the footer, found none");
}

TEST(ParquetFooter, RefusesASchemaThatIsNoTree) {
  const auto error = [](std::vector<ParquetElement> schema) {
    return error_of({.schema = std::move(schema)});
  };
  const ParquetElement leaf{.name = "a", .type = ParquetType::kInt32};
  EXPECT_EQ(error({{.name = "schema", .children = 2}, leaf}),
            "f: expected a schema that is one tree, found one that breaks off");
  EXPECT_EQ(error({{.name = "schema", .children = 1}, leaf, leaf, leaf}),
            "f: expected a schema that is one tree, found 2 more");
  std::vector<ParquetElement> deep(80, {.name = "a", .children = 1});
  deep.push_back(leaf);
  EXPECT_EQ(error(deep), "f: expected a schema that is one tree, found more than 64 levels");
  EXPECT_EQ(
      error({{.name = "schema", .children = 1}, {.name = "a", .type = ParquetType::kFixedBytes}}),
      "f: expected a length of values in the schema, found none of \"a\"");
}

TEST(ParquetFooter, RefusesNamesThatFillMemory) {
  // Each column's name begins with that of its struct.
  std::vector<ParquetElement> schema{{.name = "schema", .children = 1},
                                     {.name = std::string(100'000, 's'), .children = 1000}};
  schema.resize(1002, {.name = "a", .type = ParquetType::kInt32});
  EXPECT_EQ(error_of({.schema = std::move(schema)}),
            "f: expected a schema that is one tree, found more than 67108864 bytes of names");
}

TEST(ParquetFooter, RefusesWhatContradictsItself) {
  EXPECT_EQ(error_with([](ParquetInfo& info) { info.rows = 4; }),
            "expected 4 rows in the row groups, found 3");
  EXPECT_EQ(error_with([](ParquetInfo& info) { info.rows = 2; }),
            "expected 2 rows in the row groups, found more");
  EXPECT_EQ(error_with([](ParquetInfo& info) { info.rows = -1; }),
            "expected a number from 0 to 9223372036854775807, found -1");
  EXPECT_EQ(error_with([](ParquetInfo& info) { info.groups[0].chunks.clear(); }),
            "expected 1 columns in each row group, found 0");
  EXPECT_EQ(error_with([](ParquetInfo& info) { info.groups[0].chunks[0].type = 2; }),
            "expected the column \"a\" to be stored as its schema says, found another type");
  EXPECT_EQ(error_with([](ParquetInfo& info) { info.groups[0].chunks[0].values = 4; }),
            "expected 3 values in the column \"a\", found 4");
  EXPECT_EQ(error_with([](ParquetInfo& info) { info.groups[0].chunks[0].at = 25; }),
            "expected the column \"a\" in the 24 bytes before the footer, found 20 bytes from byte "
            "25 on");
  EXPECT_EQ(error_with([](ParquetInfo& info) { info.groups[0].chunks[0].bytes = 21; }),
            "expected the column \"a\" in the 24 bytes before the footer, found 21 bytes from byte "
            "4 on");
  EXPECT_EQ(error_with([](ParquetInfo& info) { info.groups[0].chunks[0].codec = 8; }),
            "expected a number from 0 to 7, found 8");
  EXPECT_EQ(error_with([](ParquetInfo& info) { info.groups[0].chunks[0].elsewhere = "b.parquet"; }),
            "expected the column \"a\" in this file, found that it is in another");
  EXPECT_EQ(error_with([](ParquetInfo& info) { info.groups[0].chunks[0].encrypted = true; }),
            "expected a column \"a\" that is not encrypted, found one that is");
}

TEST(ParquetFooter, RefusesRowsThatOverflow) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  auto info = one_column();
  info.rows = kMost;
  info.groups[0].rows = kMost;
  info.groups[0].chunks[0].values = kMost;
  info.groups.push_back(info.groups[0]);
  info.groups.push_back(info.groups[0]);
  EXPECT_EQ(error_of(info).substr(0, 62),
            "f: byte 24: expected 9223372036854775807 rows in the row group");
}

TEST(ParquetFooter, RefusesOneThatBreaksOff) {
  auto info = one_column();
  info.notes["pandas"] = R"({"index_columns": ["a"]})";
  const auto whole = test::footer_struct(info);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto file = test::parquet_file(ByteVector(kColumnBytes), std::span(whole).first(size));
    EXPECT_THROW((void)footer_of(file), DataError) << size;
  }
}

}  // namespace
}  // namespace millrace
