#include "formats/table_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "formats/csv_cells.h"
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

std::vector<std::size_t> TableLayout::label_columns() const {
  auto sorted = targets;
  if (label < cells) sorted.push_back(label);
  std::ranges::sort(sorted);
  return sorted;
}

std::vector<std::size_t> TableLayout::other_columns() const {
  auto sorted = label_columns();
  sorted.insert(sorted.end(), dropped.begin(), dropped.end());
  std::ranges::sort(sorted);
  return sorted;
}

std::size_t TableLayout::column_of(std::size_t value) const {
  for (const auto column : other_columns()) {
    if (column <= value) ++value;
  }
  return value;
}

std::string TableLayout::text_of(std::size_t column) const {
  const auto name = columns.empty() ? "" : fmt::format(" ({})", in_quotes(columns[column]));
  return fmt::format("column {}{}", column + 1, name);
}

std::string TableLayout::asked_as(std::size_t column) const {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.";
  if (columns.empty() || columns[column].empty() ||
      columns[column].find_first_not_of(kPlain) != std::string::npos ||
      std::ranges::count(columns, columns[column]) > 1) {
    return std::to_string(column + 1);
  }
  return columns[column];
}

std::string cell_advice(std::string_view cell, std::size_t column, const TableLayout& layout) {
  if (layout.form_known) return std::string(csv_number_advice(cell));
  const auto asked = layout.asked_as(column);
  const auto left_out = "--drop-columns " + asked + " leaves it out)";
  if (is_csv_missing(cell)) {
    return " (--missing mean fills in what is missing, " + left_out;
  }
  if (const auto advice = csv_number_advice(cell); !advice.empty()) return std::string(advice);
  if (is_csv_number(cell) || cell.find_first_not_of("0123456789+-.,") == std::string_view::npos) {
    return {};
  }
  return " (--one-hot " + asked + " makes values of categories, " + left_out;
}

DataError sample_error(const std::filesystem::path& path, std::uint64_t sample,
                       const std::string& expected, const std::string& found) {
  return {path, fmt::format("sample {}: expected {}, found {}", sample, expected, found)};
}

std::string cell_in_words(std::string_view cell) {
  return cell.empty() ? "a missing value" : in_quotes(cell);
}

DataError table_error(const std::filesystem::path& path, std::uint64_t line,
                      std::string_view expected, std::string_view found) {
  if (line == 0) return {path, std::nullopt, expected, found};
  return {path, fmt::format("line {}: expected {}, found {}", line, expected, found)};
}

KnownColumns columns_of(const std::filesystem::path& path, const TableLayout& layout) {
  const auto name = [&layout](std::size_t column) {
    return layout.columns.empty() ? std::to_string(column + 1) : layout.columns[column];
  };
  KnownColumns columns{.names = {}, .of = path};
  auto& names = columns.names;
  if (layout.label < layout.cells) names.label = name(layout.label);
  for (const auto target : layout.targets) names.targets.push_back(name(target));
  for (const auto dropped : layout.dropped) names.form.dropped.push_back(name(dropped));
  const auto others = layout.other_columns();
  auto next = others.begin();
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    if (next != others.end() && *next == i) {
      ++next;
    } else {
      names.values.push_back(layout.columns[i]);
    }
  }
  return columns;
}

std::vector<std::string> sources_of(const ColumnNames& names) {
  if (names.form.columns.empty()) return names.values;
  std::vector<std::string> sources;
  for (const auto& column : names.form.columns) sources.push_back(column.name);
  return sources;
}

std::vector<std::size_t> places_by_name(const std::filesystem::path& path, std::uint64_t line,
                                        const TableLayout& layout, const KnownColumns& wanted) {
  const auto found = columns_of(path, layout).names.values;
  const auto names = sources_of(wanted.names);
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
      left_over = fmt::format("{} in column {}", in_quotes(found[i]), layout.column_of(i) + 1);
    }
  }
  const auto missing =
      std::ranges::find_if(names, [&](const std::string& name) { return !free.at(name).empty(); });
  if (missing != names.end() || !left_over.empty()) {
    const auto name =
        missing == names.end() ? std::nullopt : std::optional<std::string_view>(*missing);
    throw table_error(path, line, expected, differences(name, left_over));
  }
  if (twice) {
    throw table_error(
        path, line,
        fmt::format("{} in their order, two being called {}", expected, in_quotes(*twice)),
        "another order");
  }
  return places;
}

}  // namespace millrace
