#include "formats/parquet_numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/parquet_files.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::decimal;
using test::fixed;
using test::halves;
using test::number_field;
using test::ParquetField;
using test::ParquetForm;
using test::text_field;
using Floats = std::vector<float>;
using Bytes8 = std::vector<std::uint8_t>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The numbers of a column of a file, in pieces of `slots`.
class Numbers {
 public:
  explicit Numbers(const ParquetField& field, const ParquetForm& form = {},
                   std::uint64_t slots = 1'000'000)
      : file_(test::write_bytes(folder_ / "a.parquet", test::parquet_of({field}, form))),
        slots_(slots) {}

  Floats floats(std::size_t width = 1) const { return read<float>(width); }
  Bytes8 bytes(std::size_t width = 1) const { return read<std::uint8_t>(width); }
  std::vector<ParquetPiece> pieces() const { return cut_chunk(file_, chunk(), slots_); }
  mutable std::optional<std::uint64_t> bad;  // of the chunk
  mutable bool even = true;

 private:
  const ParquetChunk& chunk() const { return file_.footer().groups.at(0).chunks.at(0); }
  template <typename T>
  std::vector<T> read(std::size_t width) const {
    bad = {};
    even = true;
    std::vector<T> values(static_cast<std::size_t>(chunk().values));
    Bytes room;
    for (const auto& piece : pieces()) {
      const auto to = std::span(values).subspan(static_cast<std::size_t>(piece.first),
                                                static_cast<std::size_t>(piece.slots));
      const auto read =
          read_numbers(file_, file_.footer().leaves.at(0), chunk().codec, piece, width, to, room);
      if (read.bad && !bad) bad = piece.first + *read.bad;
      even = even && read.even;
    }
    return values;
  }

  test::TempFolder folder_;
  ParquetFile file_;
  std::uint64_t slots_;
};

TEST(ParquetNumbers, AreFloatsOfAnyNumbers) {
  EXPECT_EQ(Numbers(number_field<bool>("a", {true, false})).floats(), (Floats{1, 0}));
  EXPECT_EQ(Numbers(number_field<std::int8_t>("a", {-128, 127})).floats(), (Floats{-128, 127}));
  EXPECT_EQ(Numbers(number_field<std::uint8_t>("a", {0, 255})).floats(), (Floats{0, 255}));
  EXPECT_EQ(Numbers(number_field<std::int16_t>("a", {-32768})).floats(), (Floats{-32768}));
  EXPECT_EQ(Numbers(number_field<std::uint16_t>("a", {65535})).floats(), (Floats{65535}));
  EXPECT_EQ(Numbers(number_field<std::int32_t>("a", {-7, 2'000'000'000})).floats(),
            (Floats{-7, 2e9F}));
  EXPECT_EQ(Numbers(number_field<std::uint32_t>("a", {4'294'967'295U})).floats(),
            (Floats{4294967296.0F}));
  EXPECT_EQ(Numbers(number_field<std::int64_t>("a", {-1, std::int64_t{1} << 62})).floats(),
            (Floats{-1, 0x1p62F}));
  EXPECT_EQ(Numbers(number_field<std::uint64_t>("a", {~std::uint64_t{0}})).floats(),
            (Floats{0x1p64F}));
  EXPECT_EQ(Numbers(number_field<float>("a", {0.1F, -0.0F})).floats(), (Floats{0.1F, -0.0F}));
  EXPECT_EQ(Numbers(number_field<double>("a", {0.1, 1e-50})).floats(), (Floats{0.1F, 0}));
}

TEST(ParquetNumbers, AreRoundedOnce) {
  // Halfway between two float32, and a little more.
  constexpr std::int64_t kHalfway = (std::int64_t{1} << 62) + (std::int64_t{1} << 38);
  EXPECT_EQ(Numbers(number_field<std::int64_t>("a", {kHalfway, kHalfway + 1})).floats(),
            (Floats{0x1p62F, std::nextafter(0x1p62F, kInfinity)}));
  EXPECT_EQ(Numbers(number_field<double>("a", {1 + 0x1p-24, 1 + 0x1p-24 + 0x1p-50})).floats(),
            (Floats{1, std::nextafter(1.0F, 2.0F)}));
}

TEST(ParquetNumbers, AreFloatsOfHalves) {
  const Numbers numbers(halves({0x3C00, 0xC000, 0x3555, 0x0001, 0x8000, 0x03FF, 0x7BFF, 0x0400}));
  EXPECT_EQ(numbers.floats(),
            (Floats{1, -2, 0x1.554p-2F, 0x1p-24F, -0.0F, 0x1.FF8p-15F, 65504, 0x1p-14F}));
  EXPECT_FALSE(numbers.bad);
  const Numbers others(halves({0x7E00, 0x7C00}));
  EXPECT_TRUE(std::isnan(others.floats()[0]));
  EXPECT_EQ(others.bad, 1U) << "infinity is none";
}

TEST(ParquetNumbers, AreFloatsOfDecimals) {
  EXPECT_EQ(Numbers(decimal(number_field<std::int32_t>("a", {12345, -5}), 2)).floats(),
            (Floats{123.45F, -0.05F}));
  EXPECT_EQ(Numbers(decimal(number_field<std::int64_t>("a", {123456789012}), 3, true)).floats(),
            (Floats{123456789.012F}));
  EXPECT_EQ(Numbers(fixed({test::make_bytes({0x01, 0x00}), test::make_bytes({0xFF, 0xFF}),
                           test::make_bytes({0x80, 0x00})},
                          5, 1))
                .floats(),
            (Floats{25.6F, -0.1F, -3276.8F}));
  EXPECT_EQ(Numbers(decimal(number_field<std::int32_t>("a", {3}), 0)).floats(), (Floats{3}));
  EXPECT_EQ(Numbers(decimal(text_field("a", {"\x01\x2c"}, -1), 2)).floats(), (Floats{3}));
}

TEST(ParquetNumbers, AreFloatsOfText) {
  const Numbers numbers(text_field("a", {"1.5", "-3e2", "", "NA", std::nullopt}));
  const auto floats = numbers.floats();
  EXPECT_EQ(floats[0], 1.5F);
  EXPECT_EQ(floats[1], -300.0F);
  for (const auto i : {2, 3, 4}) EXPECT_TRUE(std::isnan(floats[i])) << i;
  EXPECT_FALSE(numbers.bad);
  const Numbers words(text_field("a", {"1", "red", "2", "blue"}));
  (void)words.floats();
  EXPECT_EQ(words.bad, 1U) << "the first";
}

TEST(ParquetNumbers, AreNotANumberWhereTheyAreMissing) {
  const Numbers numbers(number_field<float>("a", {1, std::nullopt, std::nanf(""), 4}));
  const auto floats = numbers.floats();
  EXPECT_EQ(floats[0], 1.0F);
  EXPECT_TRUE(std::isnan(floats[1]));
  EXPECT_TRUE(std::isnan(floats[2]));
  EXPECT_EQ(floats[3], 4.0F);
  EXPECT_FALSE(numbers.bad);
}

TEST(ParquetNumbers, AreNoFloatsWhereFloat32CannotHoldThem) {
  const Numbers numbers(number_field<double>("a", {1, std::nullopt, 1e39, -1e39}));
  (void)numbers.floats();
  EXPECT_EQ(numbers.bad, 2U);
  const Numbers infinite(number_field<float>("a", {-kInfinity}));
  (void)infinite.floats();
  EXPECT_EQ(infinite.bad, 0U);
}

TEST(ParquetNumbers, AreBytesWhereTheyAreSmallWholeNumbers) {
  const Numbers numbers(number_field<std::int64_t>("a", {0, 255, 7}));
  EXPECT_EQ(numbers.bytes(), (Bytes8{0, 255, 7}));
  EXPECT_FALSE(numbers.bad);
  for (const std::int64_t other : {std::int64_t{-1}, std::int64_t{256}, std::int64_t{1} << 40}) {
    const Numbers others(number_field<std::int64_t>("a", {1, other, -3}));
    (void)others.bytes();
    EXPECT_EQ(others.bad, 1U) << other;
  }
  const Numbers gaps(number_field<std::int32_t>("a", {1, 2, std::nullopt}));
  (void)gaps.bytes();
  EXPECT_EQ(gaps.bad, 2U);
  EXPECT_EQ(Numbers(number_field<bool>("a", {true, false})).bytes(), (Bytes8{1, 0}));
  const Numbers large(number_field<std::uint32_t>("a", {4'294'967'295U}));
  (void)large.bytes();
  EXPECT_EQ(large.bad, 0U) << "not -1";
}

TEST(ParquetNumbers, AreTheSameHoweverTheyAreWritten) {
  ParquetField field{.name = "a", .type = ParquetType::kInt64, .cells = {}};
  Bytes8 bytes;
  for (int i = 0; i < 1500; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i * i % 253));
    field.cells.emplace_back(test::plain(std::int64_t{bytes.back()}));
  }
  const Floats floats(bytes.begin(), bytes.end());
  auto gaps = field;
  for (std::size_t i = 0; i < gaps.cells.size(); i += 7) gaps.cells[i].reset();
  for (const auto codec : {ParquetCodec::kNone, ParquetCodec::kSnappy}) {
    for (const int version : {1, 2}) {
      for (const bool dictionaries : {false, true}) {
        for (const std::size_t rows : {700U, 10'000U}) {
          const ParquetForm form{
              .codec = codec, .version = version, .dictionaries = dictionaries, .page_rows = rows};
          for (const std::uint64_t slots : {1U, 1000U, 10'000U}) {
            const Numbers numbers(field, form, slots);
            EXPECT_EQ(numbers.floats(), floats);
            EXPECT_FALSE(numbers.bad);
            EXPECT_EQ(numbers.bytes(), bytes);
            EXPECT_FALSE(numbers.bad);
            const Numbers others(gaps, form, slots);
            const auto found = others.floats();
            for (std::size_t i = 0; i < found.size(); ++i) {
              if (i % 7 == 0) {
                ASSERT_TRUE(std::isnan(found[i])) << i;
              } else {
                ASSERT_EQ(found[i], floats[i]) << i;
              }
            }
            EXPECT_FALSE(others.bad);
            (void)others.bytes();
            EXPECT_EQ(others.bad, 0U);
          }
        }
      }
    }
  }
  EXPECT_EQ(Numbers(field.encoded(5, test::deltas_page)).floats(), floats);
  EXPECT_EQ(Numbers(field.encoded(9, test::split_page)).bytes(), bytes);
}

TEST(ParquetNumbers, AreOfDictionariesOfManyValuesAndOfText) {
  ParquetField field{.name = "a", .type = ParquetType::kFloat, .cells = {}};
  Floats floats;
  for (int i = 0; i < 3000; ++i) {
    floats.push_back(static_cast<float>(i % 1000) / 8);
    field.cells.emplace_back(test::plain(floats.back()));
  }
  EXPECT_EQ(Numbers(field, {.dictionaries = true}).floats(), floats) << "ten bits each";
  const Numbers texts(text_field("a", {"1", "2.5", "1", "x", "1"}), {.dictionaries = true});
  (void)texts.floats();
  EXPECT_EQ(texts.bad, 3U);
  const Numbers gaps(text_field("a", {"1", "NA", std::nullopt, "1"}), {.dictionaries = true});
  const auto found = gaps.floats();
  EXPECT_TRUE(std::isnan(found[1]) && std::isnan(found[2]));
  EXPECT_EQ(found[3], 1.0F);
  EXPECT_FALSE(gaps.bad);
  const Numbers unused(number_field<double>("a", {1, 1e300}), {.dictionaries = true});
  (void)unused.floats();
  EXPECT_EQ(unused.bad, 1U);
}

TEST(ParquetNumbers, ComeInPiecesOfWholePages) {
  const auto field = number_field<float>("a", {1, 2, 3, 4, 5, 6, 7, 8});
  const auto pieces = Numbers(field, {.page_rows = 3}, 4).pieces();
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].pages.size(), 2U);
  EXPECT_EQ(pieces[0].slots, 6U);
  EXPECT_EQ(pieces[1].first, 6U);
  EXPECT_EQ(pieces[1].slots, 2U);
  EXPECT_FALSE(pieces[0].dictionary);
  const auto numbered = Numbers(field, {.dictionaries = true, .page_rows = 3}, 1).pieces();
  ASSERT_EQ(numbered.size(), 3U);
  for (const auto& piece : numbered) EXPECT_TRUE(piece.dictionary);
}

TEST(ParquetNumbers, KnowWhetherListsAreAsLongAsEachOther) {
  const auto field = number_field<float>("a", {1, 2, 3, 4, 5, std::nullopt, 7, 8, 9, 10, 11, 12});
  for (const std::size_t rows : {1U, 2U, 3U, 100U}) {
    for (const std::uint64_t slots : {1U, 5U, 100U}) {
      for (const int version : {1, 2}) {
        const ParquetForm form{.version = version, .page_rows = rows};
        for (const std::size_t width : {1U, 2U, 3U, 4U, 6U, 12U}) {
          const Numbers even(field.in_lists_of({width}), form, slots);
          EXPECT_EQ(even.floats(width)[11], 12.0F);
          EXPECT_TRUE(even.even) << width;
        }
        for (const auto& lengths :
             {std::vector<std::size_t>{2, 4}, {4, 2}, {3, 3, 1, 5}, {12}, {1}, {6}}) {
          const Numbers ragged(field.in_lists_of(lengths), form, slots);
          (void)ragged.floats(3);
          EXPECT_FALSE(ragged.even) << lengths[0];
        }
      }
    }
  }
}

TEST(ParquetNumbers, NameThePageThatIsBroken) {
  const Numbers numbers(number_field<float>("a", {1, 2, 3}).encoded(0, [](auto cells) {
    auto bytes = test::plain_page(ParquetType::kFloat, cells);
    bytes.pop_back();
    return bytes;
  }));
  const auto message = data_error_of([&] { (void)numbers.floats(); });
  EXPECT_NE(message.find("expected all values of the page in a page of column \"a\", found other "
                         "bytes"),
            std::string::npos)
      << message;
  const Numbers none(number_field<float>("a", {1, 2}).encoded(8, [](auto /*cells*/) {
    return test::make_bytes({1, 4, 0});
  }));
  EXPECT_NE(data_error_of([&] { (void)none.floats(); }).find("dictionary of 0"), std::string::npos);
}

TEST(ParquetNumbers, AreRoundedOnceWithoutASign) {
  constexpr std::uint64_t kHalfway = (std::uint64_t{1} << 63U) + (std::uint64_t{1} << 39U);
  EXPECT_EQ(Numbers(number_field<std::uint64_t>("a", {kHalfway + 1})).floats(),
            (Floats{std::nextafter(0x1p63F, kInfinity)}));
}

TEST(ParquetNumbers, NameTheFirstThatIsNoByte) {
  const Numbers numbers(number_field<std::int32_t>("a", {1, std::nullopt, 300}));
  (void)numbers.bytes();
  EXPECT_EQ(numbers.bad, 1U);
}

}  // namespace
}  // namespace millrace
