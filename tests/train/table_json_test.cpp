#include "train/table_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace millrace {
namespace {

using nlohmann::json;

TEST(TableJson, IsReadAsItWasWritten) {
  const TableForm form{.columns = {{.name = "age", .flagged = true, .fill = 29.699118F},
                                   {.name = "se\"x", .categories = {"f", "m"}},
                                   {.name = "9", .fill = -1e-30F}},
                       .dropped = {"name", "id"},
                       .fills = true};
  EXPECT_EQ(decode_table(json::parse(encode_table(form).dump())), form);
  const TableForm dropped{.dropped = {"id"}};
  EXPECT_EQ(decode_table(json::parse(encode_table(dropped).dump())), dropped);
}

TEST(TableJson, IsRefusedWhereItCannotBe) {
  const auto refused = [](const char* text) {
    EXPECT_THROW((void)decode_table(json::parse(text)), json::exception) << text;
  };
  refused(R"([])");
  refused(R"({"columns": [], "fills": true})");
  refused(R"({"columns": [], "dropped": ["1", "2", "1"], "fills": true})");
  refused(R"({"columns": {}, "dropped": [], "fills": true})");
  refused(R"({"columns": [{"name": 3}], "dropped": [], "fills": false})");
  refused(R"({"columns": [{"name": "a"}], "dropped": [], "fills": true})");
  refused(R"({"columns": [{"name": "a", "mean": 1e99}], "dropped": [], "fills": true})");
  refused(R"({"columns": [{"name": "a", "flagged": true}], "dropped": [], "fills": false})");
  refused(R"({"columns": [{"name": "a", "categories": []}], "dropped": [], "fills": true})");
  refused(
      R"({"columns": [{"name": "a", "categories": ["b", "a"]}], "dropped": [], "fills": true})");
  refused(
      R"({"columns": [{"name": "a", "categories": ["a", "a"]}], "dropped": [], "fills": true})");
}

}  // namespace
}  // namespace millrace
