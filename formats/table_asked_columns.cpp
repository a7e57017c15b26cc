#include "formats/table_asked_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "formats/csv_cells.h"
#include "formats/in_quotes.h"
#include "formats/table_label_columns.h"

namespace millrace {
namespace {

constexpr std::string_view kAllText = "text";

bool has(const std::vector<std::size_t>& columns, std::size_t column) {
  return std::ranges::find(columns, column) != columns.end();
}

/// Adds the column that `name` asks for. `what` it is to be: "to leave out".
void add_column(const std::filesystem::path& path, std::uint64_t line, const std::string& name,
                std::string_view what, const TableLayout& layout,
                std::vector<std::size_t>& columns) {
  const auto column = column_asked_for(path, line, name, what, layout);
  if (!column) {
    throw table_error(path, line, fmt::format("a column {} {}", in_quotes(name), what),
                      "none of that name");
  }
  if (has(columns, *column)) {
    throw table_error(path, line, fmt::format("each column {} once", what),
                      fmt::format("{} twice", in_quotes(name)));
  }
  columns.push_back(*column);
}

}  // namespace

bool names_columns(const std::vector<std::string_view>& first,
                   const std::optional<std::vector<std::string_view>>& second) {
  const auto is_text = [](std::string_view cell) {
    return is_csv_text(cell) && !is_csv_missing(cell);
  };
  std::unordered_set<std::string_view> seen;
  const bool all_names = std::ranges::all_of(first, [&](std::string_view cell) {
    return (cell.empty() || is_text(cell)) && seen.insert(cell).second;
  });
  if (all_names) return true;
  for (std::size_t i = 0; second && i < std::min(first.size(), second->size()); ++i) {
    if (is_text(first[i]) && is_csv_number((*second)[i])) return true;
  }
  return false;
}

void find_dropped(const std::filesystem::path& path, std::uint64_t line,
                  const ReadTableOptions& options, TableLayout& layout) {
  auto& dropped = layout.dropped;
  if (options.columns) {
    const auto& names = options.columns->names.form.dropped;
    for (std::size_t i = 0; i < layout.columns.size(); ++i) {
      if (std::ranges::find(names, layout.columns[i]) != names.end()) dropped.push_back(i);
    }
    return;
  }
  for (const auto& name : options.table.dropped) {
    add_column(path, line, name, "to leave out", layout, dropped);
  }
  std::ranges::sort(dropped);
  // Files that come later are read by names.
  const auto& columns = layout.columns;
  for (const auto column : dropped) {
    const auto is_called_so = [&](std::size_t i) { return columns[i] == columns[column]; };
    if (columns.empty() || std::ranges::count(columns, columns[column]) ==
                               std::ranges::count_if(dropped, is_called_so)) {
      continue;
    }
    throw table_error(path, line, "a name of its own for each column to leave out",
                      fmt::format("others called {}", in_quotes(columns[column])));
  }
}

void find_dropped_numbers(const ReadTableOptions& options, TableLayout& layout) {
  if (!options.columns || !layout.columns.empty()) return;
  const auto& names = options.columns->names;
  // Where there are no labels, those behind them have moved.
  std::vector<std::size_t> moved;
  if (!layout.labelled) {
    for (const auto& label : names.targets) moved.push_back(column_number(label).value_or(0));
    if (names.targets.empty()) moved.push_back(column_number(names.label).value_or(0));
  }
  for (const auto& name : names.form.dropped) {
    const auto number = column_number(name).value_or(0);
    const auto before =
        std::ranges::count_if(moved, [number](std::size_t label) { return label < number; });
    const auto column = number - static_cast<std::size_t>(before);
    if (column > 0 && column <= layout.cells && !has(layout.dropped, column - 1)) {
      layout.dropped.push_back(column - 1);
    }
  }
  std::ranges::sort(layout.dropped);
}

void find_categories(const std::filesystem::path& path, std::uint64_t line,
                     const ReadTableOptions& options, TableLayout& layout) {
  auto& categories = layout.categories;
  if (options.columns) {
    const auto& form = options.columns->names.form;
    layout.gaps = form.fills;
    layout.form_known = true;
    for (std::size_t value = 0; value < form.columns.size(); ++value) {
      const auto place = layout.places.empty() ? value : layout.places[value];
      if (!form.columns[place].categories.empty()) categories.push_back(layout.column_of(value));
    }
    return;
  }
  layout.gaps = options.table.fill_missing;
  for (const auto& name : options.table.one_hot) {
    const bool is_name = std::ranges::find(layout.columns, name) != layout.columns.end();
    if (name == kAllText && !is_name) {
      layout.text_columns = true;
      continue;
    }
    add_column(path, line, name, "of categories", layout, categories);
    if (has(layout.other_columns(), categories.back())) {
      throw table_error(
          path, line, "a column of values for categories",
          fmt::format("{}, which {}", layout.text_of(categories.back()),
                      has(layout.dropped, categories.back()) ? "is left out" : "has labels"));
    }
  }
  std::ranges::sort(categories);
}

}  // namespace millrace
