#include "formats/parquet_cells.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/parquet_files.h"

namespace millrace {
namespace {

using test::decimal;
using test::halves;
using test::number_field;
using test::ParquetField;
using test::text_field;
using Strings = std::vector<std::string>;

/// The cells of a column of a file, which is there as long as they are.
class Cells {
 public:
  explicit Cells(const ParquetField& field)
      : file_(test::write_bytes(folder_ / "a.parquet", test::parquet_of({field}))),
        cells_(leaf(), read_column(file_, leaf(), file_.footer().groups.at(0).chunks.at(0))) {}

  const ParquetLeaf& leaf() const { return file_.footer().leaves.at(0); }
  const ParquetCells& operator*() const { return cells_; }
  Strings texts() const {
    Strings texts;
    for (std::uint64_t i = 0; i < cells_.size(); ++i) texts.push_back(cells_.text_of(i));
    return texts;
  }

 private:
  test::TempFolder folder_;
  ParquetFile file_;
  ParquetCells cells_;
};

TEST(ParquetCells, AreTextAsATableHasIt) {
  EXPECT_EQ(Cells(number_field<bool>("a", {true, false})).texts(), (Strings{"True", "False"}));
  EXPECT_EQ(Cells(number_field<std::int32_t>("a", {-3, std::nullopt})).texts(),
            (Strings{"-3", ""}));
  EXPECT_EQ(Cells(number_field<std::uint64_t>("a", {~std::uint64_t{0}})).texts(),
            (Strings{"18446744073709551615"}));
  EXPECT_EQ(Cells(number_field<std::uint32_t>("a", {4'294'967'295U})).texts(),
            (Strings{"4294967295"}));
  EXPECT_EQ(Cells(number_field<float>("a", {0.1F, 3})).texts(), (Strings{"0.1", "3.0"}));
  EXPECT_EQ(Cells(number_field<float>("a", {1, std::nullopt, std::nanf("")})).texts(),
            (Strings{"1.0", "", ""}));
  EXPECT_EQ(Cells(number_field<double>("a", {0.1, 1e300})).texts(), (Strings{"0.1", "1e+300"}));
  EXPECT_EQ(Cells(decimal(number_field<std::int32_t>("a", {1250}), 2)).texts(), (Strings{"12.5"}));
  EXPECT_EQ(Cells(halves({0x3E00})).texts(), (Strings{"1.5"}));
  EXPECT_EQ(Cells(text_field("a", {"red", " x ", std::nullopt})).texts(),
            (Strings{"red", " x ", ""}));
}

TEST(ParquetCells, ComeOneByOne) {
  const Cells numbers(number_field<std::int16_t>("a", {1, std::nullopt, 3}));
  std::string said;
  (*numbers).for_numbers([&](std::uint64_t i, double number) {
    said +=
        std::to_string(i) + (std::isnan(number) ? "?" : "=" + std::to_string(int(number))) + ' ';
  });
  EXPECT_EQ(said, "0=1 1? 2=3 ");
  EXPECT_FALSE((*numbers).is_text());
  const Cells texts(text_field("a", {"x", std::nullopt, "y"}));
  said.clear();
  (*texts).for_texts([&](std::uint64_t i, std::string_view text) {
    said += std::to_string(i) + '=' + std::string(text) + ' ';
  });
  EXPECT_EQ(said, "0=x 1= 2=y ");
  EXPECT_TRUE((*texts).is_text());
  EXPECT_EQ((*texts).size(), 3U);
}

TEST(ParquetCells, AreThoseOfLeavesOfNumbersBoolsAndText) {
  const auto leaf_of = [](ParquetType type, ParquetMeaning meaning, std::uint32_t length = 0) {
    ParquetLeaf leaf;
    leaf.type = type;
    leaf.meaning = meaning;
    leaf.length = length;
    return leaf;
  };
  using enum ParquetMeaning;
  EXPECT_TRUE(is_table_leaf(leaf_of(ParquetType::kBoolean, kNumber)));
  EXPECT_TRUE(is_table_leaf(leaf_of(ParquetType::kFixedBytes, kHalf, 2)));
  EXPECT_FALSE(is_table_leaf(leaf_of(ParquetType::kFixedBytes, kHalf, 3)));
  EXPECT_FALSE(is_table_leaf(leaf_of(ParquetType::kBytes, kHalf)));
  EXPECT_TRUE(is_table_leaf(leaf_of(ParquetType::kBytes, kText)));
  EXPECT_FALSE(is_table_leaf(leaf_of(ParquetType::kInt32, kText)));
  EXPECT_FALSE(is_table_leaf(leaf_of(ParquetType::kBytes, kBytes)));
  EXPECT_FALSE(is_table_leaf(leaf_of(ParquetType::kInt64, kTime)));
  EXPECT_FALSE(is_table_leaf(leaf_of(ParquetType::kInt96, kNumber)));
  EXPECT_TRUE(is_whole_leaf(leaf_of(ParquetType::kBoolean, kNumber)));
  EXPECT_TRUE(is_whole_leaf(leaf_of(ParquetType::kInt64, kNumber)));
  EXPECT_FALSE(is_whole_leaf(leaf_of(ParquetType::kInt64, kDecimal)));
  EXPECT_FALSE(is_whole_leaf(leaf_of(ParquetType::kFloat, kNumber)));
  EXPECT_FALSE(is_whole_leaf(leaf_of(ParquetType::kBytes, kText)));
}

}  // namespace
}  // namespace millrace
