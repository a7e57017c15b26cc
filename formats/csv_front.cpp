#include "formats/csv_front.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "formats/csv_cells.h"
#include "formats/in_quotes.h"
#include "formats/json_text.h"
#include "formats/table_asked_columns.h"
#include "formats/table_columns.h"
#include "formats/table_label_columns.h"
#include "formats/table_labels.h"
#include "formats/text.h"

namespace millrace {
namespace {

/// "0;2,5;3", which commas would cut into other cells.
bool has_decimal_commas(std::string_view line) {
  if (line.find(';') == std::string_view::npos) return false;
  CsvCells cells(line, ';');
  for (auto cell = cells.next(); cell; cell = cells.next()) {
    if (cell->empty() || is_csv_text(*cell)) return false;
  }
  return true;
}

char separator_of(std::string_view line) {
  if (has_decimal_commas(line)) return ';';
  for (const char separator : {',', ';', '\t'}) {
    bool quoted = false;
    for (const char c : line) {
      quoted = quoted != (c == '"');
      if (c == separator && !quoted) return separator;
    }
  }
  return ',';
}

using Cells = std::vector<std::string_view>;

Cells cells_of(std::string_view line, char separator) {
  Cells found;
  CsvCells cells(line, separator);
  for (auto cell = cells.next(); cell; cell = cells.next()) found.push_back(*cell);
  return found;
}

bool ends_in_quotes(std::string_view line, char separator) {
  CsvCells cells(line, separator);
  while (cells.next()) {
  }
  return cells.open();
}

/// UTF-16 has a mark in front, or every other byte of the first letters is 0.
void refuse_utf16(const std::filesystem::path& path, std::string_view text) {
  const auto zero = [text](std::size_t at) { return text[at] == 0; };
  const bool marked = text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
  const bool alternates =
      text.size() >= 4 && zero(0) != zero(1) && zero(0) == zero(2) && zero(1) == zero(3);
  if (!marked && !alternates) return;
  throw DataError(path, std::nullopt, "text in UTF-8",
                  "UTF-16, as Excel's \"Unicode text\" is: save it as \"CSV UTF-8\" (or iconv -f "
                  "UTF-16 -t UTF-8)");
}

/// 0, 1, 2, … or 1, 2, 3, … in all columns but one, as tables without names have them in a header.
bool counts_columns(const Cells& cells, std::size_t but) {
  constexpr std::size_t kLeast = 3;  // fewer may be a sample
  if (cells.size() <= kLeast) return false;
  std::optional<std::size_t> next;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i == but) continue;
    const auto number = column_number(cells[i]);
    if (!number || (next ? *number != *next : *number > 1)) return false;
    next = *number + 1;
  }
  return true;
}

/// Of a form that is known: its columns; none: there is no such form.
std::size_t known_columns(const ReadTableOptions& options) {
  return options.columns ? options.columns->names.form.columns.size() : 0;
}

/// Whether the first line names columns. One that has text in one cell alone may be a sample too,
/// whose class is a name: then the second has text there as well.
bool is_header(const Cells& first, const std::optional<Cells>& second,
               const ReadTableOptions& options) {
  if (std::ranges::none_of(first, is_csv_text)) return false;
  if (known_columns(options) > 0) return true;
  const auto& table = options.table;
  if (!options.columns && (!table.one_hot.empty() || table.fill_missing)) {
    return names_columns(first, second);
  }
  if (options.task == Task::kRegression) {
    // A number that is missing is no name.
    return std::ranges::any_of(
        first, [](std::string_view cell) { return is_csv_text(cell) && !is_csv_missing(cell); });
  }
  const auto& asked = options.label_column;
  const auto column = only_text(first);
  if (!column || is_label_name(first[*column]) || first[*column] == asked) return true;
  if (const auto number = column_number(asked); number && *number != *column + 1) return true;
  if (!second || second->size() != first.size() || !is_csv_text((*second)[*column])) return true;
  return counts_columns(first, *column);
}

/// Of options.unlabelled_values: the columns that so many values come from.
std::optional<std::size_t> unlabelled_columns(const ReadTableOptions& options) {
  const auto known = known_columns(options);
  const auto& values = options.unlabelled_values;
  return values && known > 0 ? known : values;
}

[[noreturn]] void fail_unlabelled(const std::filesystem::path& path, std::uint64_t line,
                                  const ReadTableOptions& options, const TableLayout& layout) {
  const auto* labels = options.task == Task::kRegression ? "those of targets" : "one of labels";
  throw table_error(
      path, line,
      fmt::format("{} columns of values, and perhaps {}", *unlabelled_columns(options), labels),
      fmt::format("{} columns", layout.cells - layout.dropped.size()));
}

void refuse_dropped_labels(const std::filesystem::path& path, std::uint64_t line,
                           const TableLayout& layout) {
  for (const auto label : layout.label_columns()) {
    if (std::ranges::find(layout.dropped, label) == layout.dropped.end()) continue;
    throw table_error(path, line, "labels in a column that is not left out", layout.text_of(label));
  }
}

/// Without names, a form's columns are found by their places alone.
void check_width(const std::filesystem::path& path, std::uint64_t line,
                 const ReadTableOptions& options, const TableLayout& layout) {
  const auto expected = known_columns(options);
  if (expected == 0 || layout.values() == expected) return;
  if (!layout.labelled && !options.unlabelled_values) return;  // told when it is read
  throw table_error(
      path, line,
      fmt::format("{} columns of values, as {} has", expected, options.columns->of.string()),
      std::to_string(layout.values()));
}

/// Labels that are taken for some because nothing says that they are others.
void refuse_guess(const std::filesystem::path& path, std::uint64_t line,
                  const ReadTableOptions& options, const TableLayout& layout) {
  if (!layout.label_guessed || options.columns || options.table == TableOptions{}) return;
  throw table_error(
      path, line, "a column of labels (--label-column says which)",
      layout.columns.empty() ? "no header with names" : "none called label, class, target or y");
}

}  // namespace

CsvFront parse_csv_front(const std::filesystem::path& path, std::string_view text,
                         const ReadTableOptions& options) {
  refuse_utf16(path, text);
  text = without_byte_order_mark(text);
  CsvFront front;
  CsvLines lines(text);
  const auto next = [&lines] {
    auto line = lines.next();
    while (line && is_blank(*line)) line = lines.next();
    return line;
  };
  const auto line = next();
  if (!line) throw DataError(path, std::nullopt, "lines of numbers", "none");
  const auto at = static_cast<std::size_t>(line->data() - text.data());
  front.first_line += static_cast<std::uint64_t>(std::ranges::count(text.substr(0, at), '\n'));
  if (line->find('\r') != std::string_view::npos) {
    throw table_error(path, front.first_line, kCsvLineEnds, kCsvLoneReturn);
  }
  auto& layout = front.layout;
  layout.separator = separator_of(*line);
  if (ends_in_quotes(*line, layout.separator)) {
    throw table_error(path, front.first_line, kCsvNoBreaks, kCsvBreak);
  }
  const auto first = cells_of(*line, layout.separator);
  layout.cells = first.size();
  layout.label = layout.cells;
  const bool regression = options.task == Task::kRegression;
  const auto unlabelled = unlabelled_columns(options);
  if (first.size() < 2 && !(unlabelled == 1U)) {
    throw table_error(
        path, front.first_line,
        fmt::format("two or more columns, one of them of {}", regression ? "targets" : "labels"),
        "one");
  }
  std::optional<Cells> second;
  if (const auto below = next()) second = cells_of(*below, layout.separator);
  const auto& wanted = options.columns;
  bool header = is_header(first, second, options);
  if (wanted && wanted->names.values.empty()) header = false;
  if (wanted && !wanted->names.values.empty() && !header) {
    throw table_error(path, front.first_line,
                      fmt::format("a header with the columns of {}", wanted->of.string()), "none");
  }
  if (header) {
    for (const auto cell : first) layout.columns.push_back(utf8_text(class_name_of(cell)));
  }
  const auto* sample = !header ? &first : second ? &*second : nullptr;
  if (sample != nullptr && sample->size() != layout.cells)
    sample = nullptr;  // told when it is read
  const bool by_names = header && wanted;
  find_dropped(path, front.first_line, options, layout);
  const auto numbers_dropped = wanted && !header ? wanted->names.form.dropped.size() : 0;
  const auto cells = layout.cells - std::min(layout.cells, layout.dropped.size() + numbers_dropped);
  layout.labelled = unlabelled != cells;
  if (unlabelled && !by_names && layout.labelled) {
    const auto others =
        static_cast<std::ptrdiff_t>(cells) - static_cast<std::ptrdiff_t>(*unlabelled);
    if (regression ? others < 1 : others != 1) {
      fail_unlabelled(path, front.first_line, options, layout);
    }
  }
  if (layout.labelled && regression && unlabelled && !by_names) {
    // Nobody is asked which columns have what is of no interest.
    try {
      find_targets(path, front.first_line, options, layout);
    } catch (const DataError&) {
      fail_unlabelled(path, front.first_line, options, layout);
    }
  } else if (layout.labelled && regression) {
    find_targets(path, front.first_line, options, layout);
  } else if (layout.labelled) {
    find_label(path, front.first_line, options.label_column, sample, layout);
    refuse_guess(path, front.first_line, options, layout);
  }
  find_dropped_numbers(options, layout);
  refuse_dropped_labels(path, front.first_line, layout);
  if (unlabelled && !by_names && layout.labelled && layout.values() != *unlabelled) {
    fail_unlabelled(path, front.first_line, options, layout);
  }
  if (layout.values() == 0) {
    throw table_error(
        path, front.first_line,
        fmt::format("a column of values beside those of {}", regression ? "targets" : "labels"),
        layout.dropped.empty()
            ? fmt::format("{} columns, all of targets", layout.cells)
            : fmt::format("{} columns, of which {} {} left out", layout.cells,
                          layout.dropped.size(), layout.dropped.size() == 1 ? "is" : "are"));
  }
  if (by_names && (layout.labelled || unlabelled)) {
    layout.places = places_by_name(path, front.first_line, layout, *wanted);
  }
  check_width(path, front.first_line, options, layout);
  find_categories(path, front.first_line, options, layout);
  layout.named_classes =
      layout.label < layout.cells && sample != nullptr && is_csv_text((*sample)[layout.label]);
  front.rows = text.substr(at);
  if (header) {
    const auto end = text.find('\n', at);
    front.rows = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++front.first_line;
  }
  return front;
}

}  // namespace millrace
