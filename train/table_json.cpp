#include "train/table_json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace millrace {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const char* what, const json& found) {
  throw json::type_error::create(302, what, &found);
}

TableColumn decode_column(const json& object, bool fills) {
  TableColumn column{.name = object.at("name").get<std::string>()};
  column.flagged = object.value("flagged", false);
  if (object.contains("categories")) {
    column.categories = object.at("categories").get<std::vector<std::string>>();
    const auto& all = column.categories;
    const bool sorted = std::ranges::is_sorted(all) && std::ranges::adjacent_find(all) == all.end();
    if (all.empty() || !sorted) refuse("categories that are not sorted", object);
  } else if (fills) {
    const auto mean = object.at("mean").get<float>();
    if (!std::isfinite(mean)) refuse("a mean that is not finite", object);
    column.fill = mean;
  }
  if (column.flagged && !fills) refuse("a column that misses values, which none may", object);
  return column;
}

}  // namespace

nlohmann::ordered_json encode_table(const TableForm& form) {
  auto columns = nlohmann::ordered_json::array();
  for (const auto& column : form.columns) {
    nlohmann::ordered_json object{{"name", column.name}};
    if (!column.categories.empty()) object["categories"] = column.categories;
    if (column.fill) object["mean"] = *column.fill;
    if (column.flagged) object["flagged"] = true;
    columns.push_back(std::move(object));
  }
  return {{"columns", std::move(columns)}, {"dropped", form.dropped}, {"fills", form.fills}};
}

TableForm decode_table(const json& json) {
  TableForm form;
  form.fills = json.at("fills").get<bool>();
  form.dropped = json.at("dropped").get<std::vector<std::string>>();
  auto sorted = form.dropped;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) {
    refuse("a column that is left out twice", json.at("dropped"));
  }
  const auto& columns = json.at("columns");
  if (!columns.is_array()) refuse("no list of columns", columns);
  for (const auto& column : columns) form.columns.push_back(decode_column(column, form.fills));
  return form;
}

}  // namespace millrace
