#include "formats/csv_cells.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace millrace {
namespace {

std::vector<std::string> cells_of(std::string_view line, char separator = ',') {
  std::vector<std::string> found;
  CsvCells cells(line, separator);
  for (auto cell = cells.next(); cell; cell = cells.next()) found.emplace_back(*cell);
  return found;
}

using Texts = std::vector<std::string>;

TEST(CsvLines, EndInEitherWay) {
  CsvLines lines("a\r\nb\n\n\r\nc");
  Texts found;
  for (auto line = lines.next(); line; line = lines.next()) found.emplace_back(*line);
  EXPECT_EQ(found, (Texts{"a", "b", "", "", "c"}));
  EXPECT_FALSE(CsvLines("").next());
  EXPECT_TRUE(is_blank(" \t"));
  EXPECT_FALSE(is_blank(" x"));
}

TEST(CsvCells, AreTrimmedAndUnquoted) {
  EXPECT_EQ(cells_of("1,2"), (Texts{"1", "2"}));
  EXPECT_EQ(cells_of(" 1 ,\t2\t, "), (Texts{"1", "2", ""}));
  EXPECT_EQ(cells_of(""), Texts{""});
  EXPECT_EQ(cells_of(","), (Texts{"", ""}));
  EXPECT_EQ(cells_of("\"1\", \"a,b\" ,\"\""), (Texts{"1", "a,b", ""}));
  EXPECT_EQ(cells_of("\"a\"\",\"\"b\",c"), (Texts{"a\"\",\"\"b", "c"}));
  EXPECT_EQ(cells_of("\"open,1"), (Texts{"\"open,1"}));
  EXPECT_EQ(cells_of("\""), (Texts{"\""}));
  EXPECT_EQ(cells_of("\"\"\""), (Texts{"\""}));
  EXPECT_EQ(cells_of("1;2,5", ';'), (Texts{"1", "2,5"}));
}

TEST(CsvCells, AreWrittenAsTheyAreRead) {
  EXPECT_EQ(csv_cell("a b"), "a b");
  EXPECT_EQ(csv_cell(""), "");
  EXPECT_EQ(csv_cell("a,b"), R"("a,b")");
  EXPECT_EQ(csv_cell(R"(a "b")"), R"("a ""b""")");
}

TEST(CsvCells, SayThatTheLastOneIsOpen) {
  const auto open = [](std::string_view line) {
    CsvCells cells(line, ',');
    while (cells.next()) {
    }
    return cells.open();
  };
  for (const auto* line : {R"(")", R"(a,"b)", R"("a"")", R"("a,b"",c)"}) {
    EXPECT_TRUE(open(line)) << line;
  }
  for (const auto* line : {"", R"(a")", R"(5",b)", R"("")", R"("a",b)", R"("a""",b)", R"("a"b)"}) {
    EXPECT_FALSE(open(line)) << line;
  }
}

TEST(CsvNumbers, AreBytes) {
  EXPECT_EQ(csv_byte("0"), 0);
  EXPECT_EQ(csv_byte("255"), 255);
  EXPECT_EQ(csv_byte("007"), 7);
  for (const auto* text : {"", "256", "1000", "-1", "+1", "1.0", "a", " 1"}) {
    EXPECT_FALSE(csv_byte(text)) << text;
  }
}

TEST(CsvNumbers, AreFloats) {
  EXPECT_EQ(csv_float("-0.5"), -0.5F);
  EXPECT_EQ(csv_float("+3"), 3.0F);
  EXPECT_EQ(csv_float("1e3"), 1000.0F);
  for (const auto* text : {"", "x", "1x", "nan", "inf", "-inf", "1e39", "1e400", "+-1", "+", "0x1",
                           "1e-400x", "1e99999999999999999999"}) {
    EXPECT_FALSE(csv_float(text)) << text;
  }
}

TEST(CsvNumbers, AreZeroWhereTheyAreTooSmall) {
  const auto zeros = std::string(400, '0');
  for (const auto& text : {std::string("1e-60"), std::string("1e-400"), std::string("-1E-400"),
                           std::string("+9.9e-0400"), "0." + zeros + "1", "1" + zeros + "e-800",
                           std::string("1e-99999999999999999999")}) {
    EXPECT_EQ(csv_float(text), 0.0F) << text;
    EXPECT_TRUE(is_csv_number(text)) << text;
    EXPECT_FALSE(csv_label(text, 10)) << text;
  }
  EXPECT_TRUE(std::signbit(csv_float("-1e-400").value_or(1.0F)));
  EXPECT_FALSE(csv_float("1" + zeros));
  EXPECT_FALSE(csv_float("0." + zeros + "1e+800"));
}

TEST(CsvNumbers, AreLabels) {
  EXPECT_EQ(csv_label("9", 10), 9);
  EXPECT_EQ(csv_label("3.0", 10), 3);
  for (const auto* text : {"10", "-1", "0.5", "", "cat", "nan", "1e99"}) {
    EXPECT_FALSE(csv_label(text, 10)) << text;
  }
}

}  // namespace
}  // namespace millrace
