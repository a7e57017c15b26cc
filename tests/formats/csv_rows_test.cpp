#include "formats/csv_rows.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <vector>

#include "formats/csv_cells.h"
#include "formats/dataset.h"

namespace millrace {
namespace {

const TableLayout kLayout{.cells = 3, .label = 1};

struct Rows {
  std::vector<float> values;
  std::vector<std::int32_t> labels;
  std::optional<CsvProblem> problem;
  bool other_type = false;
};

/// As T, of the last three lines of a file.
template <typename T>
Rows read(std::string_view text, const TableLayout& layout = kLayout) {
  CsvPiece piece{{}, text};
  count_csv_rows(piece);
  piece.first_line = 11;
  piece.first_row = 2;
  const auto count = piece.first_row + piece.rows;
  std::vector<T> samples(count * (layout.cells - 1), T{7});
  Rows rows{.values = {}, .labels = std::vector<std::int32_t>(count, -7), .problem = {}};
  auto reader = LabelReader::of_numbers(10);
  std::atomic<bool> other_type = false;
  rows.problem =
      read_csv_rows(piece, layout, reader, samples.data(), rows.labels.data(), other_type);
  rows.values.assign(samples.begin(), samples.end());
  rows.other_type = other_type;
  return rows;
}

using Floats = std::vector<float>;
using Labels32 = std::vector<std::int32_t>;

TEST(CsvRows, AreCounted) {
  CsvPiece piece{{}, "1,2\n\n \n3,4\r\n5,6"};
  count_csv_rows(piece);
  EXPECT_EQ(piece.lines, 5U);
  EXPECT_EQ(piece.rows, 3U);
}

TEST(CsvRows, GoToTheirPlace) {
  for (const auto* text : {"0,1,255\n3,4,50\n", "0,1,255\r\n\n3,4,50",
                           " 0 ,1,\"255\"\n3,\"4\",50 \n", "000,1,255\n03,4,050\n"}) {
    const auto rows = read<std::uint8_t>(text);
    EXPECT_FALSE(rows.problem) << text;
    EXPECT_FALSE(rows.other_type) << text;
    EXPECT_EQ(rows.values, (Floats{7, 7, 7, 7, 0, 255, 3, 50})) << text;
    EXPECT_EQ(rows.labels, (Labels32{-7, -7, 1, 4})) << text;
  }
  const auto floats = read<float>("-0.5,1,1e3\n+3,4, 50\n");
  EXPECT_FALSE(floats.problem);
  EXPECT_EQ(floats.values, (Floats{7, 7, 7, 7, -0.5, 1000, 3, 50}));
}

// However long runs of zeros are, and wherever they lie.
TEST(CsvRows, HaveRunsOfZeros) {
  const TableLayout layout{.cells = 13, .label = 6};
  for (unsigned pattern = 0; pattern < 1U << 12U; ++pattern) {
    std::string text;
    std::vector<float> expected(2 * 12, 7);
    unsigned bits = pattern;
    for (std::size_t column = 0; column < layout.cells; ++column) {
      if (column > 0) text += ',';
      if (column == layout.label) {
        text += '9';
        continue;
      }
      const bool zero = (bits & 1U) == 0;
      bits >>= 1U;
      text += zero ? "0" : "10";
      expected.push_back(zero ? 0 : 10);
    }
    const auto bytes = read<std::uint8_t>(text, layout);
    ASSERT_EQ(bytes.values, expected) << text;
    ASSERT_EQ(bytes.labels[2], 9) << text;
    ASSERT_EQ(read<float>(text + "\n", layout).values, expected) << text;
    ASSERT_TRUE(read<std::uint8_t>(text + ",0", layout).problem) << text;
    ASSERT_TRUE(read<std::uint8_t>(text.substr(0, text.rfind(',')), layout).problem) << text;
  }
}

// By whatever way they are read, the same bits as csv_float gives.
TEST(CsvRows, HaveFloatsThatAreRoundedRight) {
  std::vector<std::string> numbers{"0",         "-0",       "-0.0",      "0.1",      "1.",
                                   ".5",        "-.25",     "16777215",  "16777217", "9999999",
                                   "0.0000001", "1234.567", "12345.678", "1e-3",     "2.5E2",
                                   "3.4e38",    "1e-45",    "0.3333333", "00000000", "-7"};
  std::uint32_t state = 3;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 1664525U + 1013904223U;
    auto text = std::to_string(state >> (i % 24 + 4));
    text.insert(static_cast<std::size_t>(i) % (text.size() + 1), ".");
    numbers.push_back(text);
  }
  for (const auto& number : numbers) {
    const auto expected = csv_float(number);
    ASSERT_TRUE(expected) << number;
    const auto rows = read<float>(number + ",1,2\n");
    ASSERT_FALSE(rows.problem) << number;
    ASSERT_EQ(std::bit_cast<std::uint32_t>(rows.values[4]), std::bit_cast<std::uint32_t>(*expected))
        << number;
  }
  for (const auto* text : {"1.2.3", ".", "-", "--1", "1e", "0x1", "1-", ""}) {
    EXPECT_TRUE(read<float>(std::string(text) + ",1,2\n").problem) << text;
    EXPECT_FALSE(csv_float(text)) << text;
  }
}

TEST(CsvRows, HaveTheirLabelAnywhere) {
  for (std::size_t label = 0; label < 3; ++label) {
    const auto rows = read<std::uint8_t>("1,2,3\n4,5,6\n", {.cells = 3, .label = label});
    EXPECT_EQ(rows.labels[3], static_cast<std::int32_t>(4 + label));
    EXPECT_EQ(rows.values[6], label == 0 ? 5.0F : 4.0F);
    EXPECT_EQ(rows.values[7], label == 2 ? 5.0F : 6.0F);
  }
}

TEST(CsvRows, HaveTheirTargetsAnywhere) {
  const TableLayout layout{.cells = 5, .label = 5, .targets = {3, 0}};
  for (const auto* text : {"0.5,1,2,-4,3\n8,4,5,9,6", "0.5, 1,2,-4,3\n8,4,\"5\",9,6"}) {
    CsvPiece piece{{}, text};
    count_csv_rows(piece);
    std::vector<std::uint8_t> samples(6);
    std::vector<std::int32_t> words(4);
    auto reader = LabelReader::of_targets();
    std::atomic<bool> other_type = false;
    EXPECT_FALSE(read_csv_rows(piece, layout, reader, samples.data(), words.data(), other_type));
    EXPECT_EQ(samples, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6})) << text;
    EXPECT_EQ(words, (Labels32{target_word(-4), target_word(0.5F), target_word(9), target_word(8)}))
        << text;
  }
}

TEST(CsvRows, GoWhereAnotherFileHasTheirColumns) {
  const TableLayout layout{.cells = 4, .label = 1, .places = {2, 0, 1}};
  for (const auto* text : {"1,9,2,3\n4,8,5,6\n", "1 ,9,2,3\n4,8,5,\"6\"\n"}) {
    const auto rows = read<std::uint8_t>(text, layout);
    EXPECT_FALSE(rows.problem) << text;
    EXPECT_EQ(rows.values, (Floats{7, 7, 7, 7, 7, 7, 2, 3, 1, 5, 6, 4})) << text;
    EXPECT_EQ(rows.labels, (Labels32{-7, -7, 9, 8})) << text;
  }
}

TEST(CsvRows, SayThatTheyAreOfAnotherType) {
  for (const auto* text : {"0,1,256\n", "0,1,\n", "0,1,1.0\n", "-1,1,3\n", "0,1,x\n", "1000,1,3\n",
                           "0,1,2\n3,4,5.5\n"}) {
    const auto rows = read<std::uint8_t>(text);
    EXPECT_TRUE(rows.other_type) << text;
    EXPECT_FALSE(rows.problem) << text;
  }
}

TEST(CsvRows, NameTheCell) {
  const auto problem = [](std::string_view text) {
    const auto found = read<float>(text).problem;
    return found ? std::to_string(found->line) + " " + found->expected + ", " + found->found : "";
  };
  const std::string missing =
      " (--missing mean fills in what is missing, --drop-columns 3 leaves it out)";
  EXPECT_EQ(problem("1,2,3\n1,2,x\n"),
            "12 a finite number in column 3, \"x\" (--one-hot 3 makes values of categories, "
            "--drop-columns 3 leaves it out)");
  EXPECT_EQ(problem("1,2,3\n1,2,nan\n"), "12 a finite number in column 3, \"nan\"" + missing);
  EXPECT_EQ(problem("1,2,3\n1,2,\"1,5\"\n"),
            "12 a finite number in column 3, \"1,5\" (decimals have a point)");
  EXPECT_TRUE(problem("1,2,3\n1,2,\"Owen, 1\"\n").find("--one-hot 3 makes") != std::string::npos);
  EXPECT_EQ(problem("1,2,3\n1,2,1-2\n"), "12 a finite number in column 3, \"1-2\"");
  EXPECT_EQ(problem("1,2,3\n1,2,1e39\n"), "12 a finite number in column 3, \"1e39\"");
  EXPECT_EQ(problem("1,2,\n"), "11 a finite number in column 3, an empty cell" + missing);
  EXPECT_EQ(problem("\n1,10,3\n"), "12 a whole number in [0, 10) as the label in column 2, \"10\"");
  EXPECT_EQ(problem("1,2,3\n1,2,\"3\n\"\n"),
            "12 cells without line breaks, a quoted cell that goes on in the next line");
  EXPECT_EQ(problem("1,\"2\n\",3\n"),
            "11 cells without line breaks, a quoted cell that goes on in the next line");
  EXPECT_EQ(problem("1,2\n"), "11 3 cells, as in the first line, 2");
  EXPECT_EQ(problem("1,2,3,4\n"), "11 3 cells, as in the first line, 4");
  EXPECT_EQ(problem("1,2,3,\n"), "11 3 cells, as in the first line, 4");
  EXPECT_EQ(read<std::uint8_t>("1,2,3,\n").problem->found, "4");
  EXPECT_EQ(read<std::uint8_t>("1,2\n").problem->found, "2");
}

}  // namespace
}  // namespace millrace
