#include "formats/table_categories.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace {
namespace {

TEST(TableCategories, AreNumberedAsTheyCome) {
  CategoryReader reader(2, false);
  EXPECT_EQ(reader.read(0, "red"), 0);
  EXPECT_EQ(reader.read(0, "red"), 0);
  EXPECT_EQ(reader.read(0, "7"), 1) << "numbers may be categories";
  EXPECT_EQ(reader.read(0, "red"), 0);
  EXPECT_EQ(reader.read(1, "7"), 0) << "each column has its own";
  ASSERT_EQ(reader.found(0).size(), 2U);
  EXPECT_EQ(reader.found(0)[1], "7");
}

TEST(TableCategories, MayBeMissingWhereThereAreGaps) {
  for (const auto* cell : {"", "NA", "?", "nan"}) {
    CategoryReader strict(1, false);
    EXPECT_EQ(strict.read(0, cell), std::nullopt) << cell;
    CategoryReader lenient(1, true);
    EXPECT_EQ(lenient.read(0, cell), kNoCategory) << cell;
    EXPECT_TRUE(lenient.found(0).empty());
  }
}

TEST(TableCategories, HaveLimits) {
  CategoryReader reader(1, false);
  EXPECT_EQ(reader.read(0, std::string(kLongestCategory + 1, 'a')), std::nullopt);
  std::vector<std::string> cells;
  for (std::size_t i = 0; i <= kMostCategories; ++i) cells.push_back("c" + std::to_string(i));
  for (std::size_t i = 0; i < kMostCategories; ++i) ASSERT_TRUE(reader.read(0, cells[i]));
  EXPECT_EQ(reader.read(0, cells.back()), std::nullopt);
  EXPECT_EQ(reader.read(0, cells.front()), 0) << "those that came stay";
  EXPECT_EQ(reader.expected(), "a category (of up to 255 bytes, and 65536 of them)");
}

TEST(TableCategories, HaveNoLimitsWhereTheyAreKnown) {
  CategoryReader reader(1, false, true);
  EXPECT_EQ(reader.read(0, std::string(kLongestCategory + 1, 'a')), 0) << "one that is not known";
  EXPECT_EQ(reader.read(0, ""), std::nullopt);
}

TEST(TableCategories, AreCalledAsTheCellHasThem) {
  EXPECT_EQ(category_name(R"(a ""b"")"), "a \"b\"");
  EXPECT_EQ(category_name("Gr\xfcn"), "Gr\xef\xbf\xbdn");
}

}  // namespace
}  // namespace millrace
