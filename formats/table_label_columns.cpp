#include "formats/table_label_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "formats/csv_cells.h"
#include "formats/in_quotes.h"
#include "formats/json_text.h"
#include "formats/table_labels.h"
#include "formats/text.h"

namespace millrace {
namespace {

/// The one column of a name that `is_it`; nullopt for none. Throws for two: `expected` is one.
template <typename Predicate>
std::optional<std::size_t> only_column(const std::filesystem::path& path, std::uint64_t line,
                                       const std::vector<std::string>& columns, Predicate is_it,
                                       const std::string& expected) {
  const auto named = std::ranges::find_if(columns, is_it);
  if (named == columns.end()) return std::nullopt;
  const auto other = std::find_if(named + 1, columns.end(), is_it);
  if (other != columns.end()) {
    throw table_error(
        path, line, expected,
        fmt::format("{} in column {} and {} in column {}", in_quotes(*named),
                    named - columns.begin() + 1, in_quotes(*other), other - columns.begin() + 1));
  }
  return static_cast<std::size_t>(named - columns.begin());
}

/// The names or numbers of targets' columns that are asked for; none: they are not.
std::vector<std::string> asked_targets(const ReadTableOptions& options, const TableLayout& layout) {
  if (!options.target_columns.empty()) return options.target_columns;
  const auto& text = options.label_column;
  if (text.empty()) return {};
  if (std::ranges::find(layout.columns, utf8_text(text)) != layout.columns.end()) return {text};
  return columns_in(text);
}

/// "y1", "Target_12".
bool is_numbered_label_name(std::string_view name) {
  const auto last = name.find_last_not_of("0123456789");
  if (last == std::string_view::npos || last + 1 == name.size()) return false;
  const auto word = name.substr(0, name[last] == '_' ? last : last + 1);
  return is_label_name(word);
}

/// By their names alone.
std::vector<std::size_t> targets_by_name(const std::filesystem::path& path, std::uint64_t line,
                                         const TableLayout& layout) {
  const auto& columns = layout.columns;
  if (const auto one = only_column(path, line, columns, is_label_name,
                                   "one column of targets (--label-column says which)")) {
    return {*one};
  }
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (is_numbered_label_name(columns[i])) found.push_back(i);
  }
  if (found.empty()) {
    throw table_error(
        path, line, "a column of targets (--label-column says which, several with commas between)",
        columns.empty() ? "no header with names" : "none called label, class, target or y");
  }
  return found;
}

}  // namespace

bool is_label_name(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames{"label",   "labels", "class",
                                                   "classes", "target", "y"};
  return std::ranges::any_of(
      kNames, [&](std::string_view known) { return std::ranges::equal(name, known, {}, lower); });
}

std::optional<std::size_t> column_number(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::size_t> column_asked_for(const std::filesystem::path& path, std::uint64_t line,
                                            const std::string& asked, std::string_view what,
                                            const TableLayout& layout) {
  const auto& columns = layout.columns;
  const auto text = utf8_text(asked);
  const auto named = only_column(
      path, line, columns, [&text](const std::string& name) { return name == text; },
      fmt::format("one column {} {}", in_quotes(asked), what));
  if (named) return named;
  if (const auto number = column_number(asked)) {
    if (*number == 0 || *number > layout.cells) {
      throw table_error(path, line, fmt::format("a column {} {}", asked, what),
                        fmt::format("{} columns", layout.cells));
    }
    return *number - 1;
  }
  if (columns.empty()) {
    throw table_error(path, line, fmt::format("a header with a column {}", in_quotes(asked)),
                      "numbers");
  }
  return std::nullopt;
}

std::vector<std::string> columns_in(std::string_view text) {
  std::vector<std::string> names;
  CsvCells cells(text, ',');
  for (auto cell = cells.next(); cell; cell = cells.next()) names.push_back(class_name_of(*cell));
  return names;
}

std::optional<std::size_t> only_text(const std::vector<std::string_view>& cells) {
  const auto first = std::ranges::find_if(cells, is_csv_text);
  if (first == cells.end() || std::find_if(first + 1, cells.end(), is_csv_text) != cells.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(first - cells.begin());
}

void find_label(const std::filesystem::path& path, std::uint64_t line, const std::string& asked,
                const std::vector<std::string_view>* sample, TableLayout& layout) {
  if (!asked.empty()) {
    const auto column = column_asked_for(path, line, asked, "for labels", layout);
    if (column) layout.label = *column;
    layout.labelled = column.has_value();
    if (!column) layout.missing = asked;
    return;
  }
  if (const auto named = only_column(path, line, layout.columns, is_label_name,
                                     "one column of labels (--label-column N says which)")) {
    layout.label = *named;
    return;
  }
  layout.label = sample == nullptr ? 0 : only_text(*sample).value_or(0);
  layout.label_guessed = true;
}

void find_targets(const std::filesystem::path& path, std::uint64_t line,
                  const ReadTableOptions& options, TableLayout& layout) {
  const auto asked = asked_targets(options, layout);
  if (asked.empty()) {
    layout.targets = targets_by_name(path, line, layout);
  }
  for (const auto& name : asked) {
    const auto column = column_asked_for(path, line, name, "for targets", layout);
    if (!column) {
      layout.labelled = false;
      if (layout.missing.empty()) layout.missing = name;
      continue;
    }
    if (std::ranges::find(layout.targets, *column) != layout.targets.end()) {
      throw table_error(path, line, "each column of targets once",
                        fmt::format("{} twice", in_quotes(name)));
    }
    // A model would not find it again.
    if (!layout.columns.empty() &&
        std::ranges::count(layout.columns, layout.columns[*column]) > 1) {
      throw table_error(path, line, "a name of its own for each column of targets",
                        fmt::format("several called {}", in_quotes(layout.columns[*column])));
    }
    layout.targets.push_back(*column);
  }
}

}  // namespace millrace
