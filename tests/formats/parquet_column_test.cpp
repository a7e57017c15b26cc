#include "formats/parquet_column.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

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
using Flags = std::vector<std::uint8_t>;
using Texts = std::vector<std::string_view>;
template <typename T>
using Values = std::vector<T>;

class ParquetColumnTest : public testing::Test {
 protected:
  ParquetFile write(const std::vector<ParquetField>& fields, const ParquetForm& form = {}) const {
    return ParquetFile(test::write_bytes(folder_ / "a.parquet", test::parquet_of(fields, form)));
  }
  static ParquetColumn column_of(const ParquetFile& file, std::uint64_t most = ~std::uint64_t{0}) {
    const auto& footer = file.footer();
    return read_column(file, footer.leaves.at(0), footer.groups.at(0).chunks.at(0), most);
  }
  template <typename T>
  Values<T> values_of(const ParquetField& field, const ParquetForm& form = {}) const {
    return std::get<Values<T>>(column_of(write({field}, form)).values);
  }
  /// Texts are copied: they view the file.
  std::vector<std::string> texts_of(const ParquetField& field, const ParquetForm& form = {}) const {
    const auto file = write({field}, form);
    const auto column = column_of(file);
    const auto& texts = std::get<Texts>(column.values);
    return {texts.begin(), texts.end()};
  }
  /// What is expected of the bytes of a page.
  std::string error_of(const ParquetField& field, const ParquetForm& form = {}) const {
    const auto file = write({field}, form);
    const auto message = data_error_of([&] { (void)column_of(file); });
    return message.substr(message.find("expected"));
  }

  test::TempFolder folder_;
};

ParquetField whole(const std::string& name = "a") {
  return number_field<std::int32_t>(name, {5, -1, 5, 2'000'000'000, 0, 5, 7});
}
ParquetField colours() { return text_field("c", {"red", "", "redder", "blue", "red", "bluest"}); }

TEST_F(ParquetColumnTest, HasPlainValuesOfEveryType) {
  EXPECT_EQ(values_of<std::uint8_t>(number_field<bool>("a", {true, false, true})),
            (Flags{1, 0, 1}));
  EXPECT_EQ(values_of<std::int32_t>(whole()),
            (Values<std::int32_t>{5, -1, 5, 2'000'000'000, 0, 5, 7}));
  EXPECT_EQ(values_of<std::int64_t>(number_field<std::int64_t>("a", {std::int64_t{-1} << 62})),
            (Values<std::int64_t>{std::int64_t{-1} << 62}));
  EXPECT_EQ(values_of<float>(number_field<float>("a", {0.5F, -1})), (Values<float>{0.5F, -1}));
  EXPECT_EQ(values_of<double>(number_field<double>("a", {0.1, 1e300})),
            (Values<double>{0.1, 1e300}));
  EXPECT_EQ(texts_of(text_field("a", {"a", "", "bc"})), (std::vector<std::string>{"a", "", "bc"}));
  auto fixed = text_field("a", {"abc", "def"}, -1);
  fixed.type = ParquetType::kFixedBytes;
  fixed.length = 3;
  EXPECT_EQ(texts_of(fixed), (std::vector<std::string>{"abc", "def"}));
  auto old = text_field("a", {"0123456789ab"}, -1);
  old.type = ParquetType::kInt96;
  EXPECT_EQ(texts_of(old), (std::vector<std::string>{"0123456789ab"}));
}

TEST_F(ParquetColumnTest, HasTheSameValuesHoweverTheyAreWritten) {
  const auto numbers = number_field<double>("a", {1.5, std::nullopt, 1.5, 2, 3, std::nullopt, 1.5});
  auto texts = colours();
  texts.cells.emplace_back();
  const auto plain = values_of<double>(numbers);
  const auto plain_texts = texts_of(texts);
  EXPECT_EQ(plain, (Values<double>{1.5, 1.5, 2, 3, 1.5}));
  for (const auto codec :
       {ParquetCodec::kNone, ParquetCodec::kSnappy, ParquetCodec::kGzip, ParquetCodec::kZstd}) {
    for (const int version : {1, 2}) {
      for (const bool dictionaries : {false, true}) {
        for (const std::size_t rows : {1U, 2U, 100U}) {
          const ParquetForm form{.codec = codec,
                                 .version = version,
                                 .dictionaries = dictionaries,
                                 .page_rows = rows,
                                 .checksums = true};
          EXPECT_EQ(values_of<double>(numbers, form), plain);
          EXPECT_EQ(texts_of(texts, form), plain_texts);
          const auto file = write({numbers}, form);
          const auto column = column_of(file);
          EXPECT_EQ(column.slots, 7U);
          EXPECT_EQ(column.present, (Flags{1, 0, 1, 1, 1, 0, 1}));
          EXPECT_FALSE(column.has(5));
          EXPECT_TRUE(column.begins.empty());
        }
      }
    }
  }
}

TEST_F(ParquetColumnTest, HasNoLevelsWhereNothingIsMissing) {
  auto field = whole();
  field.optional = true;
  for (const int version : {1, 2}) {
    const auto file = write({field}, {.version = version, .page_rows = 3});
    const auto column = column_of(file);
    EXPECT_TRUE(column.present.empty());
    EXPECT_TRUE(column.has(6));
    EXPECT_EQ(column.slots, 7U);
  }
}

TEST_F(ParquetColumnTest, MayMissValuesInSomePagesAlone) {
  for (const int version : {1, 2}) {
    const auto field =
        number_field<float>("a", {1, 2, 3, std::nullopt, std::nullopt, std::nullopt, 4, 5, 6});
    const auto file = write({field}, {.version = version, .page_rows = 3});
    const auto column = column_of(file);
    EXPECT_EQ(column.present, (Flags{1, 1, 1, 0, 0, 0, 1, 1, 1}));
    EXPECT_EQ(std::get<Values<float>>(column.values), (Values<float>{1, 2, 3, 4, 5, 6}));
  }
}

TEST_F(ParquetColumnTest, SaysWhereRowsOfListsBegin) {
  const auto field =
      number_field<float>("a", {1, 2, 3, 4, std::nullopt, 6}).in_lists_of({3, 1, 0, 2});
  for (const int version : {1, 2}) {
    const auto file = write({field}, {.version = version, .page_rows = 2});
    const auto column = column_of(file);
    EXPECT_EQ(column.slots, 7U);
    EXPECT_EQ(column.begins, (Flags{1, 0, 0, 1, 1, 1, 0}));
    EXPECT_EQ(column.present, (Flags{1, 1, 1, 1, 0, 0, 1})) << "an empty list misses a value";
  }
  const auto single = number_field<float>("a", {1, 2, 3}).in_lists_of({1});
  EXPECT_TRUE(column_of(write({single})).begins.empty());
}

TEST_F(ParquetColumnTest, ReadsNoMorePagesThanAreAskedFor) {
  const auto file = write({whole()}, {.page_rows = 3});
  EXPECT_EQ(column_of(file, 1).slots, 3U);
  EXPECT_EQ(column_of(file, 4).slots, 6U);
  EXPECT_EQ(column_of(file).slots, 7U);
}

TEST_F(ParquetColumnTest, HasValuesInEveryEncoding) {
  const auto plain = values_of<std::int32_t>(whole());
  EXPECT_EQ(values_of<std::int32_t>(whole().encoded(5, test::deltas_page)), plain);
  EXPECT_EQ(values_of<std::int32_t>(whole().encoded(9, test::split_page)), plain);
  const auto large = number_field<std::int64_t>(
      "a", {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(), 3});
  const auto plain_large = values_of<std::int64_t>(large);
  EXPECT_EQ(values_of<std::int64_t>(large.encoded(5, test::deltas_page)), plain_large);
  EXPECT_EQ(values_of<std::int64_t>(large.encoded(9, test::split_page)), plain_large);
  const auto floats = number_field<float>("a", {0.5F, -3, 1e30F});
  EXPECT_EQ(values_of<float>(floats.encoded(9, test::split_page)), values_of<float>(floats));
  const auto doubles = number_field<double>("a", {0.1, -3, 1e300});
  EXPECT_EQ(values_of<double>(doubles.encoded(9, test::split_page)), values_of<double>(doubles));
  const auto texts = texts_of(colours());
  for (const int version : {1, 2}) {
    for (const auto codec : {ParquetCodec::kNone, ParquetCodec::kZstd}) {
      const ParquetForm form{.codec = codec, .version = version, .page_rows = 4};
      EXPECT_EQ(texts_of(colours().encoded(6, test::lengths_page), form), texts);
      EXPECT_EQ(texts_of(colours().encoded(7, test::prefixes_page), form), texts);
    }
  }
  auto fixed = text_field("a", {"abc", "abd", "xyz"}, -1);
  fixed.type = ParquetType::kFixedBytes;
  fixed.length = 3;
  EXPECT_EQ(texts_of(fixed.encoded(9, test::split_page)), texts_of(fixed));
  EXPECT_EQ(texts_of(fixed.encoded(7, test::prefixes_page)), texts_of(fixed));
}

ByteVector runs_of_bits(std::span<const ByteVector> cells) {
  std::vector<std::uint32_t> bits;
  for (const auto& cell : cells) bits.push_back(std::to_integer<std::uint32_t>(cell[0]));
  const auto runs = test::rle_of(bits, 1);
  return test::joined({test::plain(static_cast<std::uint32_t>(runs.size())), runs});
}

TEST_F(ParquetColumnTest, HasBoolsInRuns) {
  const auto bools = number_field<bool>("a", {true, true, false, true, std::nullopt, false});
  EXPECT_EQ(values_of<std::uint8_t>(bools.encoded(3, runs_of_bits)), (Flags{1, 1, 0, 1, 0}));
}

TEST_F(ParquetColumnTest, RefusesEncodingsThatItsTypeHasNot) {
  const auto error = [&](const ParquetField& field, int encoding) {
    return error_of(field.encoded(encoding, [&](std::span<const ByteVector> cells) {
      return test::plain_page(field.type, cells);
    }));
  };
  const auto refused = [](int encoding, const std::string& name) {
    return "expected an encoding that is read for this type (not number " +
           std::to_string(encoding) + ") in a page of column \"" + name + "\", found other bytes";
  };
  const auto bools = number_field<bool>("a", {true, false});
  auto fixed = text_field("c", {"abc"}, -1);
  fixed.type = ParquetType::kFixedBytes;
  fixed.length = 3;
  for (const int encoding : {4, 5, 6, 7, 9, 10, 255})
    EXPECT_EQ(error(bools, encoding), refused(encoding, "a"));
  for (const int encoding : {3, 4, 6, 7, 10})
    EXPECT_EQ(error(whole(), encoding), refused(encoding, "a"));
  for (const int encoding : {3, 5, 6, 7}) {
    EXPECT_EQ(error(number_field<float>("a", {1}), encoding), refused(encoding, "a"));
  }
  for (const int encoding : {3, 5, 9})
    EXPECT_EQ(error(colours(), encoding), refused(encoding, "c"));
  for (const int encoding : {5, 6}) EXPECT_EQ(error(fixed, encoding), refused(encoding, "c"));
}

/// A page that lacks its last byte.
test::ParquetEncoder cut(test::ParquetEncoder encode) {
  return [encode = std::move(encode)](std::span<const ByteVector> cells) {
    auto bytes = encode(cells);
    bytes.pop_back();
    return bytes;
  };
}

TEST_F(ParquetColumnTest, RefusesPagesThatBreakOff) {
  const auto end = [](const std::string& name) {
    return " in a page of column \"" + name + "\", found other bytes";
  };
  const auto plain = [](ParquetType type) {
    return cut([type](std::span<const ByteVector> cells) { return test::plain_page(type, cells); });
  };
  EXPECT_EQ(error_of(whole().encoded(0, plain(ParquetType::kInt32))),
            "expected all values of the page" + end("a"));
  EXPECT_EQ(error_of(whole().encoded(9, cut(test::split_page))),
            "expected all values of the page" + end("a"));
  EXPECT_EQ(error_of(colours().encoded(0, plain(ParquetType::kBytes))),
            "expected all texts of the page" + end("c"));
  EXPECT_EQ(error_of(colours().encoded(6, cut(test::lengths_page))),
            "expected all texts of the page" + end("c"));
  EXPECT_EQ(error_of(colours().encoded(7, cut(test::prefixes_page))),
            "expected all texts of the page" + end("c"));
  EXPECT_EQ(error_of(number_field<bool>("a", {true}).encoded(0, plain(ParquetType::kBoolean))),
            "expected a bit for each value of the page" + end("a"));
  EXPECT_EQ(error_of(number_field<bool>("a", {true}).encoded(3, cut(runs_of_bits))),
            "expected a run of equal numbers" + end("a"));
  EXPECT_EQ(error_of(whole().encoded(
                5, [](auto cells) { return test::deltas_page(cells.first(cells.size() - 1)); })),
            "expected all values of the page" + end("a"));
  EXPECT_EQ(
      error_of(number_field<bool>("a", {true}).encoded(3, [](auto) { return ByteVector(3); })),
      "expected the length of runs of bits" + end("a"));
}

TEST_F(ParquetColumnTest, RefusesTextsOfAnotherWidth) {
  auto fixed = text_field("a", {"abc", "abd"}, -1);
  fixed.type = ParquetType::kFixedBytes;
  fixed.length = 4;
  EXPECT_EQ(error_of(fixed.encoded(7, test::prefixes_page)),
            "expected values of 4 bytes in a page of column \"a\", found other bytes");
}

TEST_F(ParquetColumnTest, RefusesIndicesThatItsDictionaryHasNot) {
  // Two values, numbered by two bits.
  auto bytes =
      test::parquet_of({number_field<std::int32_t>("a", {7, 8, 7})}, {.dictionaries = true});
  const std::vector<std::uint32_t> indices{0, 1, 0};
  const auto page = test::packed_of(indices, 2);
  const auto at = std::search(bytes.begin(), bytes.end(), page.begin(), page.end());
  ASSERT_NE(at, bytes.end());
  const std::vector<std::uint32_t> others{0, 2, 0};
  std::ranges::copy(test::packed_of(others, 2), at);
  const ParquetFile file(test::write_bytes(folder_ / "a.parquet", bytes));
  const auto message = data_error_of([&] { (void)column_of(file); });
  EXPECT_NE(message.find("expected indices into a dictionary of 2 in a page of column \"a\", found "
                         "other bytes"),
            std::string::npos)
      << message;
  // Without a dictionary none is there.
  EXPECT_EQ(error_of(whole().encoded(8,
                                     [](auto /*cells*/) {
                                       return test::make_bytes({0, 14});
                                     })),
            "expected indices into a dictionary of 0 in a page of column \"a\", found other bytes");
  EXPECT_EQ(error_of(whole().encoded(8, [](auto /*cells*/) { return ByteVector(); })),
            "expected indices into a dictionary in a page of column \"a\", found other bytes");
}

TEST_F(ParquetColumnTest, RefusesLevelsThatThereAreNot) {
  // A row, and levels of two bits: 2 is the highest.
  const auto field = number_field<std::int32_t>("a", {7}).in_lists_of({1});
  auto bytes = test::parquet_of({field});
  const auto levels = test::make_bytes({2, 0, 0, 0, 2, 2});
  const auto at = std::search(bytes.begin(), bytes.end(), levels.begin(), levels.end());
  ASSERT_NE(at, bytes.end());
  at[5] = std::byte{3};
  const ParquetFile file(test::write_bytes(folder_ / "a.parquet", bytes));
  const auto message = data_error_of([&] { (void)column_of(file); });
  EXPECT_NE(message.find("expected levels of at most 2 in a page of column \"a\""),
            std::string::npos)
      << message;
}

}  // namespace
}  // namespace millrace
