#include "formats/csv_text_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/csv_cells.h"
#include "formats/csv_front.h"
#include "formats/in_quotes.h"
#include "formats/on_all_cores.h"

namespace millrace {
namespace {

/// What a column holds.
struct ColumnContent {
  std::uint64_t numbers = 0;
  std::uint64_t texts = 0;
  std::uint64_t first_text = 0;  // its line
  std::string_view text;
};

/// Digits alone, of which at most one is a point: most numbers are such.
bool is_plain_number(std::string_view cell) {
  std::size_t digits = 0;
  for (const char c : cell) digits += c >= '0' && c <= '9' ? 1 : 0;
  return digits > 0 && (digits == cell.size() ||
                        (digits + 1 == cell.size() && cell.find('.') != std::string_view::npos));
}

/// Of the columns of values. Lines of another length are told of when they are read.
std::vector<ColumnContent> content_of(const CsvPiece& piece, const TableLayout& layout,
                                      const std::vector<bool>& looked_at) {
  std::vector<ColumnContent> content(layout.cells);
  CsvLines lines(piece.text);
  auto number = piece.first_line;
  for (auto line = lines.next(); line; line = lines.next(), ++number) {
    if (is_blank(*line)) continue;
    CsvCells cells(*line, layout.separator);
    std::size_t column = 0;
    for (auto cell = cells.next(); cell && column < layout.cells; cell = cells.next(), ++column) {
      if (!looked_at[column]) continue;
      auto& of = content[column];
      const bool plain = is_plain_number(*cell);
      if (!plain && is_csv_missing(*cell)) continue;
      if (!plain && is_csv_text(*cell)) {
        if (of.texts++ == 0) {
          of.first_text = number;
          of.text = *cell;
        }
      } else {
        ++of.numbers;
      }
    }
  }
  return content;
}

void add(ColumnContent& all, const ColumnContent& more) {
  if (all.texts == 0) {
    all.first_text = more.first_text;
    all.text = more.text;
  }
  all.texts += more.texts;
  all.numbers += more.numbers;
}

}  // namespace

void find_text_columns(const std::filesystem::path& path, std::span<const CsvPiece> pieces,
                       TableLayout& layout) {
  std::vector<bool> looked_at(layout.cells, true);
  for (const auto column : layout.other_columns()) looked_at[column] = false;
  for (const auto column : layout.categories) looked_at[column] = false;
  std::vector<std::vector<ColumnContent>> parts(pieces.size());
  on_all_cores(pieces.size(), pieces.size(), [&] {
    return [&](std::size_t i) { parts[i] = content_of(pieces[i], layout, looked_at); };
  });
  std::vector<ColumnContent> content(layout.cells);
  for (const auto& part : parts) {
    for (std::size_t column = 0; column < content.size(); ++column) {
      add(content[column], part[column]);
    }
  }
  for (std::size_t column = 0; column < content.size(); ++column) {
    const auto& of = content[column];
    if (of.texts == 0) continue;
    if (of.numbers > 0) {
      const auto asked = layout.asked_as(column);
      throw table_error(
          path, of.first_text,
          fmt::format("a number in {}, as in {} lines", layout.text_of(column), of.numbers),
          fmt::format("{} (--one-hot {} makes values of what is there, --drop-columns {} "
                      "leaves it out)",
                      in_quotes(of.text), asked, asked));
    }
    layout.categories.push_back(column);
  }
  std::ranges::sort(layout.categories);
}

}  // namespace millrace
