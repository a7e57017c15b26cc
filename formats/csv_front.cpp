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
#include "formats/table_label_columns.h"
#include "formats/table_labels.h"
#include "formats/table_layout.h"
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

/// Whether the first line names columns. One that has text in one cell alone may be a sample too,
/// whose class is a name: then the second has text there as well.
bool is_header(const Cells& first, const std::optional<Cells>& second,
               const ReadTableOptions& options) {
  if (std::ranges::none_of(first, is_csv_text)) return false;
  if (known_form_columns(options) > 0) return true;
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
  refuse_one_column(path, front.first_line, options, layout);
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
  find_columns(path, front.first_line, options, sample, layout);
  front.rows = text.substr(at);
  if (header) {
    const auto end = text.find('\n', at);
    front.rows = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++front.first_line;
  }
  return front;
}

}  // namespace millrace
