#include "formats/table_form.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(TableForm, SaysWhatItsValuesAre) {
  const TableForm form{.columns = {{.name = "age", .flagged = true, .fill = 30.0F},
                                   {.name = "sex", .categories = {"f", "m"}},
                                   {.name = "fare", .fill = 2.0F},
                                   {.name = "deck", .categories = {"A"}, .flagged = true}},
                       .dropped = {"name"},
                       .fills = true};
  EXPECT_EQ(form.values(), 7U);
  EXPECT_EQ(form.value_names(), (std::vector<std::string>{"age", "age missing", "sex=f", "sex=m",
                                                          "fare", "deck=A", "deck missing"}));
  EXPECT_EQ(form.indicators(), (std::vector<bool>{false, true, true, true, false, true, true}));
  EXPECT_TRUE(TableForm{.dropped = {"name"}}.indicators().empty());
}

}  // namespace
}  // namespace millrace
