#include "formats/csv_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "formats/csv_front.h"
#include "formats/in_quotes.h"

namespace millrace {
namespace {

/// What a header lacks, and what it has besides.
std::string differences(const std::optional<std::string_view>& missing,
                        const std::string& left_over) {
  if (!missing) return left_over + " besides";
  const auto none = fmt::format("none called {}", in_quotes(*missing));
  return left_over.empty() ? none : fmt::format("{}, but {}", none, left_over);
}

}  // namespace

CsvColumns columns_of(const std::filesystem::path& path, const CsvLayout& layout) {
  CsvColumns columns{.names = {.values = layout.columns, .label = std::to_string(layout.label + 1)},
                     .of = path};
  auto& values = columns.names.values;
  if (layout.label == layout.cells) columns.names.label.clear();
  if (!values.empty() && layout.label < layout.cells) {
    columns.names.label = std::move(values[layout.label]);
    values.erase(values.begin() + static_cast<std::ptrdiff_t>(layout.label));
  }
  return columns;
}

std::vector<std::size_t> places_by_name(const std::filesystem::path& path, std::uint64_t line,
                                        const CsvLayout& layout, const CsvColumns& wanted) {
  const auto found = columns_of(path, layout).names.values;
  const auto& names = wanted.names.values;
  if (found == names) return {};
  const auto expected = fmt::format("the columns of {}", wanted.of.string());
  std::unordered_map<std::string_view, std::vector<std::size_t>> free;  // the last one first
  for (std::size_t place = names.size(); place-- > 0;) {
    free[names[place]].push_back(place);
  }
  std::vector<std::size_t> places;
  std::optional<std::string_view> twice;
  std::string left_over;  // the first
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto named = free.find(found[i]);
    if (named != free.end() && !named->second.empty()) {
      if (named->second.size() > 1) twice = named->first;
      places.push_back(named->second.back());
      named->second.pop_back();
    } else if (left_over.empty()) {
      const auto column = i < layout.label ? i + 1 : i + 2;
      left_over = fmt::format("{} in column {}", in_quotes(found[i]), column);
    }
  }
  const auto missing =
      std::ranges::find_if(names, [&](const std::string& name) { return !free.at(name).empty(); });
  if (missing != names.end() || !left_over.empty()) {
    const auto name =
        missing == names.end() ? std::nullopt : std::optional<std::string_view>(*missing);
    throw csv_error(path, line, expected, differences(name, left_over));
  }
  if (twice) {
    throw csv_error(
        path, line,
        fmt::format("{} in their order, two being called {}", expected, in_quotes(*twice)),
        "another order");
  }
  return places;
}

}  // namespace millrace
