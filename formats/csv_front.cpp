#include "formats/csv_front.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "formats/csv_cells.h"
#include "formats/csv_columns.h"
#include "formats/csv_labels.h"
#include "formats/in_quotes.h"
#include "formats/json_text.h"
#include "formats/text.h"

namespace millrace {
namespace {

/// A number, be it with a decimal comma, which no reader takes: it is no text either.
bool is_number_of_a_kind(std::string_view cell) {
  if (is_csv_number(cell)) return true;
  std::string with_point(cell);
  std::ranges::replace(with_point, ',', '.');
  return is_csv_number(with_point);
}

/// "0;2,5;3", which commas would cut into other cells.
bool has_decimal_commas(std::string_view line) {
  if (line.find(';') == std::string_view::npos) return false;
  CsvCells cells(line, ';');
  for (auto cell = cells.next(); cell; cell = cells.next()) {
    if (!is_number_of_a_kind(*cell)) return false;
  }
  return true;
}

char separator_of(std::string_view line) {
  if (has_decimal_commas(line)) return ';';
  for (const char separator : {',', ';', '\t'}) {
    if (line.find(separator) != std::string_view::npos) return separator;
  }
  return ',';
}

bool is_label_name(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames{"label",   "labels", "class",
                                                   "classes", "target", "y"};
  return std::ranges::any_of(
      kNames, [&](std::string_view known) { return std::ranges::equal(name, known, {}, lower); });
}

std::optional<std::size_t> column_number(const std::string& text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
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

// An empty cell may be anything.
bool is_text(std::string_view cell) { return !cell.empty() && !is_number_of_a_kind(cell); }

/// The column of the one cell that is text; nullopt if there is none, or several.
std::optional<std::size_t> only_text(const Cells& cells) {
  const auto first = std::ranges::find_if(cells, is_text);
  if (first == cells.end() || std::find_if(first + 1, cells.end(), is_text) != cells.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(first - cells.begin());
}

/// 0, 1, 2, … or 1, 2, 3, … in all columns but one, as tables without names have them in a header.
bool counts_columns(const Cells& cells, std::size_t but) {
  constexpr std::size_t kLeast = 3;  // fewer may be a sample
  if (cells.size() <= kLeast) return false;
  std::optional<std::size_t> next;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i == but) continue;
    const auto number = column_number(std::string(cells[i]));
    if (!number || (next ? *number != *next : *number > 1)) return false;
    next = *number + 1;
  }
  return true;
}

/// Whether the first line names columns. One that has text in one cell alone may be a sample too,
/// whose class is a name: then the second has text there as well.
bool is_header(const Cells& first, const std::optional<Cells>& second, const std::string& asked) {
  if (std::ranges::none_of(first, is_text)) return false;
  const auto column = only_text(first);
  if (!column || is_label_name(first[*column]) || first[*column] == asked) return true;
  if (const auto number = column_number(asked); number && *number != *column + 1) return true;
  if (!second || second->size() != first.size() || !is_text((*second)[*column])) return true;
  return counts_columns(first, *column);
}

/// Sets `label` and `labelled`. `sample`: the first one, where there is one.
void find_label(const std::filesystem::path& path, std::uint64_t line, const std::string& asked,
                const Cells* sample, CsvLayout& layout) {
  const auto& columns = layout.columns;
  const auto is_it = [&asked](const std::string& name) {
    return asked.empty() ? is_label_name(name) : name == utf8_text(asked);
  };
  const auto named = std::ranges::find_if(columns, is_it);
  if (named != columns.end()) {
    const auto other = std::find_if(named + 1, columns.end(), is_it);
    if (other != columns.end()) {
      throw csv_error(
          path, line,
          asked.empty() ? std::string("one column of labels (--label-column N says which)")
                        : fmt::format("one column {} for labels", in_quotes(asked)),
          fmt::format("{} in column {} and {} in column {}", in_quotes(*named),
                      named - columns.begin() + 1, in_quotes(*other), other - columns.begin() + 1));
    }
    layout.label = static_cast<std::size_t>(named - columns.begin());
    return;
  }
  if (asked.empty()) {
    layout.label = sample == nullptr ? 0 : only_text(*sample).value_or(0);
    layout.label_guessed = true;
    return;
  }
  if (const auto number = column_number(asked)) {
    if (*number == 0 || *number > layout.cells) {
      throw csv_error(path, line, fmt::format("a column {} for labels", asked),
                      fmt::format("{} columns", layout.cells));
    }
    layout.label = *number - 1;
    return;
  }
  if (columns.empty()) {
    throw csv_error(path, line, fmt::format("a header with a column {}", in_quotes(asked)),
                    "numbers");
  }
  layout.labelled = false;
}

}  // namespace

DataError csv_error(const std::filesystem::path& path, std::uint64_t line,
                    std::string_view expected, std::string_view found) {
  return {path, fmt::format("line {}: expected {}, found {}", line, expected, found)};
}

CsvFront parse_csv_front(const std::filesystem::path& path, std::string_view text,
                         const CsvOptions& options) {
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
    throw csv_error(path, front.first_line, kCsvLineEnds, kCsvLoneReturn);
  }
  auto& layout = front.layout;
  layout.separator = separator_of(*line);
  if (ends_in_quotes(*line, layout.separator)) {
    throw csv_error(path, front.first_line, kCsvNoBreaks, kCsvBreak);
  }
  const auto first = cells_of(*line, layout.separator);
  layout.cells = first.size();
  if (first.size() < 2) {
    throw csv_error(path, front.first_line, "two or more columns, one of them of labels", "one");
  }
  std::optional<Cells> second;
  if (const auto below = next()) second = cells_of(*below, layout.separator);
  const auto& wanted = options.columns;
  bool header = is_header(first, second, options.label_column);
  if (wanted && wanted->names.values.empty()) header = false;
  if (wanted && !wanted->names.values.empty() && !header) {
    throw csv_error(path, front.first_line,
                    fmt::format("a header with the columns of {}", wanted->of.string()), "none");
  }
  if (header) {
    for (const auto cell : first) layout.columns.push_back(utf8_text(csv_class_name(cell)));
  }
  const auto* sample = !header ? &first : second ? &*second : nullptr;
  if (sample != nullptr && sample->size() != layout.cells)
    sample = nullptr;  // told when it is read
  const auto& unlabelled = options.unlabelled_values;
  const bool by_names = header && wanted;
  if (unlabelled && !by_names && layout.cells != *unlabelled && layout.cells != *unlabelled + 1) {
    throw csv_error(path, front.first_line,
                    fmt::format("{} columns of values, and perhaps one of labels", *unlabelled),
                    fmt::format("{} columns", layout.cells));
  }
  layout.labelled = unlabelled != layout.cells;
  if (layout.labelled) find_label(path, front.first_line, options.label_column, sample, layout);
  if (unlabelled && !layout.labelled) layout.label = layout.cells;
  if (by_names && (layout.labelled || unlabelled)) {
    layout.places = places_by_name(path, front.first_line, layout, *wanted);
  }
  layout.named_classes = layout.labelled && sample != nullptr && is_text((*sample)[layout.label]);
  front.rows = text.substr(at);
  if (header) {
    const auto end = text.find('\n', at);
    front.rows = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++front.first_line;
  }
  return front;
}

}  // namespace millrace
