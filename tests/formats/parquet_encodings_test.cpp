#include "formats/parquet_encodings.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/parquet_files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::deltas_of;
using test::joined;
using test::make_bytes;
using test::packed_of;
using test::rle_of;
using Numbers = std::vector<std::uint32_t>;
using Wide = std::vector<std::uint64_t>;
using Texts = std::vector<std::string_view>;

template <typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const ParquetEncodingError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no ParquetEncodingError";
  return {};
}

Numbers rle(const ByteVector& in, unsigned width, std::size_t count) {
  Numbers out(count);
  const auto taken = decode_rle(in, width, out);
  EXPECT_LE(taken, in.size());
  return out;
}

Wide deltas(const ByteVector& in, std::size_t most) {
  Wide out;
  const auto taken = decode_deltas(in, most, out);
  EXPECT_LE(taken, in.size());
  return out;
}

/// Numbers of all bits of `width`, in no order.
Numbers numbers_of(unsigned width, std::size_t count) {
  Numbers numbers;
  std::uint64_t state = 1;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    numbers.push_back(width == 0 ? 0 : static_cast<std::uint32_t>(state >> 32U >> (32 - width)));
  }
  return numbers;
}

ByteVector beginning(const ByteVector& of, std::size_t size) {
  return {of.begin(), of.begin() + static_cast<std::ptrdiff_t>(size)};
}

TEST(ParquetEncodings, ReadNumbersOfEveryWidth) {
  for (unsigned width = 0; width <= 32; ++width) {
    for (const std::size_t count : {1U, 7U, 8U, 9U, 17U, 100U}) {
      const auto numbers = numbers_of(width, count);
      EXPECT_EQ(rle(packed_of(numbers, width), width, count), numbers) << width << ' ' << count;
      EXPECT_EQ(rle(rle_of(numbers, width), width, count), numbers) << width << ' ' << count;
    }
  }
}

TEST(ParquetEncodings, ReadLevels) {
  for (unsigned width = 0; width <= 8; ++width) {
    for (const std::size_t count : {1U, 8U, 9U, 100U}) {
      const auto numbers = numbers_of(width, count);
      const std::vector<std::uint8_t> levels(numbers.begin(), numbers.end());
      for (const auto& bytes : {packed_of(numbers, width), rle_of(numbers, width)}) {
        std::vector<std::uint8_t> out(count);
        EXPECT_EQ(decode_levels(bytes, width, out), bytes.size());
        EXPECT_EQ(out, levels) << width << ' ' << count;
      }
    }
  }
  std::vector<std::uint8_t> out(1);
  EXPECT_EQ(error_of([&] {
              (void)decode_levels(make_bytes({2, 1, 0}), 9, out);
            }),
            "numbers of up to 8 bits");
  EXPECT_EQ(error_of([&] {
              (void)decode_levels(make_bytes({2, 4}), 2, out);
            }),
            "numbers of the page's width");
  EXPECT_THROW((void)decode_levels(make_bytes({3}), 2, out), ParquetEncodingError);
}

TEST(ParquetEncodings, ReadTheExampleOfTheFormat) {
  // 0 to 7 in three bits (https://parquet.apache.org/docs/file-format/data-pages/encodings/).
  EXPECT_EQ(rle(make_bytes({3, 0x88, 0xC6, 0xFA}), 3, 8), (Numbers{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(ParquetEncodings, ReadRunsOfBothKindsInTurn) {
  const auto first = numbers_of(5, 16);
  const auto last = numbers_of(5, 3);
  const auto bytes = joined({packed_of(first, 5), rle_of(Numbers(300, 17), 5), packed_of(last, 5)});
  Numbers expected = first;
  expected.insert(expected.end(), 300, 17);
  expected.insert(expected.end(), last.begin(), last.end());
  EXPECT_EQ(rle(bytes, 5, 319), expected);
  Numbers out(319);
  EXPECT_EQ(decode_rle(bytes, 5, out), bytes.size());
  EXPECT_EQ(rle(bytes, 5, 100), Numbers(expected.begin(), expected.begin() + 100))
      << "no more than is asked for";
  EXPECT_EQ(decode_rle({}, 5, {}), 0U);
}

TEST(ParquetEncodings, TakeAPackedRunWhoseLastGroupIsCutOff) {
  // Some writers leave out the bytes behind the last number.
  const auto numbers = numbers_of(4, 9);
  const auto bytes = packed_of(numbers, 4);
  EXPECT_EQ(rle(beginning(bytes, bytes.size() - 3), 4, 9), numbers);
  EXPECT_EQ(error_of([&] { rle(beginning(bytes, bytes.size() - 4), 4, 9); }),
            "all numbers of a packed run");
}

TEST(ParquetEncodings, RefuseRunsThatBreakOff) {
  for (const unsigned width : {1U, 7U, 8U, 31U, 32U}) {
    const auto numbers = numbers_of(width, 40);
    for (const auto& bytes : {packed_of(numbers, width), rle_of(numbers, width)}) {
      for (std::size_t size = 0; size < bytes.size(); ++size) {
        Numbers out(40);
        EXPECT_THROW((void)decode_rle(beginning(bytes, size), width, out), ParquetEncodingError)
            << width << ' ' << size;
      }
    }
  }
}

TEST(ParquetEncodings, RefuseRunsOfNothingAndOtherWidths) {
  EXPECT_EQ(error_of([] { rle(make_bytes({0, 1, 2, 1}), 1, 1); }), "a run of equal numbers");
  EXPECT_EQ(error_of([] { rle(make_bytes({1, 2, 1}), 1, 1); }), "a run of numbers");
  EXPECT_EQ(error_of([] { rle(make_bytes({2, 8}), 3, 1); }), "numbers of the page's width");
  EXPECT_EQ(error_of([] {
              rle(make_bytes({2, 8, 0, 0, 0, 0}), 33, 1);
            }),
            "numbers of up to 32 bits");
  EXPECT_EQ(error_of([] { rle({}, 3, 1); }), "a whole number of up to 64 bits");
  EXPECT_EQ(error_of([] { rle(ByteVector(11, std::byte{0xFF}), 3, 1); }),
            "a whole number of up to 64 bits");
}

TEST(ParquetEncodings, TakeRunsThatSayTheyAreLongerThanThePage) {
  const auto most = make_bytes({0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 1});
  EXPECT_EQ(rle(most, 1, 3), (Numbers{1, 1, 1}));
  const auto packed = make_bytes({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 5});
  EXPECT_EQ(rle(packed, 1, 3), (Numbers{1, 0, 1}));
  EXPECT_EQ(rle(packed, 0, 3), (Numbers{0, 0, 0}));
}

TEST(ParquetEncodings, ReadDeltas) {
  for (const std::size_t count : {0U, 1U, 2U, 32U, 33U, 128U, 129U, 130U, 300U}) {
    Wide numbers;
    for (std::size_t i = 0; i < count; ++i)
      numbers.push_back(i * i * 977 - (i % 3 == 0 ? 1'000'000'000'000 : 0));
    for (const std::size_t minis : {1U, 2U, 4U}) {
      const auto bytes = deltas_of(numbers, minis);
      EXPECT_EQ(deltas(bytes, count), numbers) << count << ' ' << minis;
      Wide out{7};
      EXPECT_EQ(decode_deltas(bytes, count, out), bytes.size()) << count << ' ' << minis;
      EXPECT_EQ(out.size(), count + 1) << "behind those that are there";
      EXPECT_EQ(out.front(), 7U);
    }
  }
}

TEST(ParquetEncodings, ReadTheDeltasOfTheFormatsExamples) {
  // 1 to 5: all deltas are 1.
  EXPECT_EQ(deltas(make_bytes({0x80, 1, 4, 5, 2, 2, 0, 0, 0, 0}), 5), (Wide{1, 2, 3, 4, 5}));
  // 7, 5, 3, 1, 2, 3, 4, 5: the least is -2, and the others take two bits.
  const auto bytes = make_bytes({0x80, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0xC0, 0x3F, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(deltas(bytes, 8), (Wide{7, 5, 3, 1, 2, 3, 4, 5}));
}

TEST(ParquetEncodings, ReadDeltasThatWrapAround) {
  using Limits = std::numeric_limits<std::int64_t>;
  const auto least = static_cast<std::uint64_t>(Limits::min());
  const auto most = static_cast<std::uint64_t>(Limits::max());
  const Wide numbers{most, least, most, 0, least, ~std::uint64_t{0}, 1, least, least, most};
  EXPECT_EQ(deltas(deltas_of(numbers), numbers.size()), numbers);
  // Each width of numbers at each place of a byte.
  for (unsigned width = 1; width < 64; ++width) {
    Wide steps{0};
    for (unsigned i = 0; i < 40; ++i)
      steps.push_back(steps.back() + (i % 3 == 0 ? std::uint64_t{1} << (width - 1) : i % 2));
    EXPECT_EQ(deltas(deltas_of(steps), steps.size()), steps) << width;
  }
}

TEST(ParquetEncodings, RefuseDeltasThatBreakOff) {
  // A block and a part: nothing behind the last number fills one up, which may be left out.
  Wide numbers;
  for (std::uint64_t i = 0; i < 161; ++i) numbers.push_back(i * i * i);
  const auto bytes = deltas_of(numbers);
  EXPECT_EQ(deltas(bytes, 161), numbers);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Wide out;
    EXPECT_THROW((void)decode_deltas(beginning(bytes, size), 161, out), ParquetEncodingError)
        << size;
  }
  numbers.resize(131);
  const auto filled = deltas_of(numbers);
  EXPECT_EQ(deltas(beginning(filled, filled.size() - 30), 131), numbers);
}

TEST(ParquetEncodings, RefuseDeltasOfOtherBlocks) {
  const std::string shape = "blocks of numbers in parts of 32 times a whole number";
  EXPECT_EQ(error_of([] { deltas(make_bytes({0, 4, 1, 2}), 9); }), shape);
  EXPECT_EQ(error_of([] { deltas(make_bytes({0x80, 1, 0, 1, 2}), 9); }), shape);
  EXPECT_EQ(error_of([] { deltas(make_bytes({0x80, 1, 3, 1, 2}), 9); }), shape);
  EXPECT_EQ(error_of([] { deltas(make_bytes({0x80, 1, 8, 1, 2}), 9); }), shape);
  EXPECT_EQ(error_of([] { deltas(make_bytes({0xFF, 0xFF, 0xFF, 0x7F, 1, 1, 2}), 9); }), shape);
  EXPECT_EQ(error_of([] {
              deltas(make_bytes({0x80, 1, 4, 10, 2}), 9);
            }),
            "as many numbers as the page has");
  EXPECT_EQ(error_of([] {
              deltas(make_bytes({0x80, 1, 4, 5, 2, 2, 65, 0, 0, 0}), 9);
            }),
            "numbers of up to 64 bits");
  EXPECT_EQ(error_of([] {
              deltas(make_bytes({0x80, 1, 4, 5, 2, 2, 0, 0, 0}), 9);
            }),
            "the widths of a block of numbers");
  EXPECT_EQ(error_of([] {
              deltas(make_bytes({0x80, 1, 4, 5, 2, 2, 8, 0, 0, 0, 1}), 9);
            }),
            "all numbers of a block");
}

TEST(ParquetEncodings, ReadSplitBytes) {
  ByteVector out(6);
  decode_split(test::make_bytes("ace"
                                "bdf"),
               2, out);
  EXPECT_EQ(out, make_bytes("abcdef"));
  decode_split(test::make_bytes("abcdef"), 1, out);
  EXPECT_EQ(out, make_bytes("abcdef"));
  EXPECT_EQ(error_of([&] { decode_split(make_bytes("abcde"), 2, out); }), "all values of the page");
  decode_split({}, 4, {});
}

TEST(ParquetEncodings, ReadBits) {
  std::vector<std::uint8_t> out(10);
  decode_bits(make_bytes({0b00110101, 0b11111110}), out);
  EXPECT_EQ(out, (std::vector<std::uint8_t>{1, 0, 1, 0, 1, 1, 0, 0, 0, 1}));
  EXPECT_EQ(error_of([&] { decode_bits(make_bytes({1}), out); }),
            "a bit for each value of the page");
  decode_bits({}, {});
}

TEST(ParquetEncodings, ReadTextsBehindTheirLengths) {
  const std::vector<ByteVector> cells{make_bytes("red"), {}, make_bytes("blue")};
  const auto bytes = test::plain_page(ParquetType::kBytes, cells);
  Texts out(3);
  decode_texts(bytes, out);
  EXPECT_EQ(out, (Texts{"red", "", "blue"}));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(error_of([&] { decode_texts(beginning(bytes, size), out); }),
              "all texts of the page");
  }
  const auto huge = make_bytes({0xFF, 0xFF, 0xFF, 0xFF, 'a'});
  EXPECT_EQ(error_of([&] { decode_texts(huge, out); }), "all texts of the page");
}

TEST(ParquetEncodings, ReadTextsOfOneWidth) {
  const auto bytes = make_bytes("abcdef");
  Texts out(3);
  decode_texts(bytes, 2, out);
  EXPECT_EQ(out, (Texts{"ab", "cd", "ef"}));
  EXPECT_EQ(error_of([&] { decode_texts(bytes, 3, out); }), "all texts of the page");
}

TEST(ParquetEncodings, ReadTextsBehindAllLengths) {
  const std::vector<ByteVector> cells{make_bytes("red"), {}, make_bytes("blue")};
  const auto bytes = test::lengths_page(cells);
  Texts out(3);
  decode_lengths(bytes, out);
  EXPECT_EQ(out, (Texts{"red", "", "blue"}));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(decode_lengths(beginning(bytes, size), out), ParquetEncodingError) << size;
  }
  Texts more(4);
  EXPECT_EQ(error_of([&] { decode_lengths(bytes, more); }), "a length for each text of the page");
  const auto negative = joined({deltas_of(Wide{1, ~std::uint64_t{0}, 1}), make_bytes("abcd")});
  EXPECT_EQ(error_of([&] { decode_lengths(negative, out); }), "all texts of the page");
}

TEST(ParquetEncodings, ReadTextsThatBeginAsTheOneBefore) {
  const std::vector<ByteVector> cells{
      make_bytes("axis"),   make_bytes("axle"),     {},
      make_bytes("babble"), make_bytes("babyhood"), make_bytes("baby")};
  const auto bytes = test::prefixes_page(cells);
  Texts out(6);
  const auto owner = decode_prefixes(bytes, out);
  EXPECT_EQ(out, (Texts{"axis", "axle", "", "babble", "babyhood", "baby"}));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW((void)decode_prefixes(beginning(bytes, size), out), ParquetEncodingError) << size;
  }
  Texts more(7);
  EXPECT_EQ(error_of([&] { (void)decode_prefixes(bytes, more); }),
            "a beginning for each text of the page");
}

TEST(ParquetEncodings, RefuseBeginningsThatTheTextBeforeHasNot) {
  const auto page = [](const Wide& prefixes) {
    return joined({deltas_of(prefixes), deltas_of(Wide{2, 1}), make_bytes("abc")});
  };
  Texts out(2);
  const auto sound = page({0, 2});
  const auto owner = decode_prefixes(sound, out);
  EXPECT_EQ(out, (Texts{"ab", "abc"}));
  for (const auto& prefixes : {Wide{0, 3}, Wide{1, 0}, Wide{0, ~std::uint64_t{0}}}) {
    const auto bytes = page(prefixes);
    EXPECT_EQ(error_of([&] { (void)decode_prefixes(bytes, out); }),
              "a beginning that the text before has");
  }
}

TEST(ParquetEncodings, RefuseTextsOfManyGigabytes) {
  // A text of 1 MiB, and 3000 more that are as long without a byte of their own.
  constexpr std::size_t kLong = std::size_t{1} << 20;
  Wide prefixes(3001, kLong);
  prefixes[0] = 0;
  Wide lengths(3001, 0);
  lengths[0] = kLong;
  const auto bytes = joined({deltas_of(prefixes), deltas_of(lengths), ByteVector(kLong)});
  Texts out(3001);
  EXPECT_EQ(error_of([&] { (void)decode_prefixes(bytes, out); }),
            "a page of at most 2 GiB of text");
}

}  // namespace
}  // namespace millrace
