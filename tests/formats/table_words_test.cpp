#include "formats/table_words.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(TableWords, KnowTheirColumns) {
  // label, a, dropped, b, c; of which b and c are categories, and the form has c, a, b.
  const TableLayout layout{
      .cells = 5, .label = 0, .places = {1, 2, 0}, .dropped = {2}, .categories = {3, 4}};
  const auto sources = table_sources(layout);
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_EQ(sources[0].column, 4U);
  EXPECT_EQ(sources[0].categories, 1U);
  EXPECT_EQ(sources[1].column, 1U);
  EXPECT_EQ(sources[1].categories, std::nullopt);
  EXPECT_EQ(sources[2].column, 3U);
  EXPECT_EQ(sources[2].categories, 0U);
}

TEST(TableWords, AreRows) {
  const TableWords words{.words = {1, 2, 3, 4, 5, 6}, .readers = {}, .columns = 3};
  EXPECT_EQ(words.rows(), 2U);
  EXPECT_EQ(*words.row(1), 4.0F);
}

}  // namespace
}  // namespace millrace
