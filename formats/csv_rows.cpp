#include "formats/csv_rows.h"

#include <fmt/format.h>

#include <type_traits>

#include "formats/csv_cells.h"
#include "formats/in_quotes.h"

namespace millrace {
namespace {

std::optional<std::uint8_t> parse(std::string_view cell, std::uint8_t /*type*/) {
  return csv_byte(cell);
}
std::optional<float> parse(std::string_view cell, float /*type*/) { return csv_float(cell); }

template <typename T>
class RowReader {
 public:
  RowReader(const CsvLayout& layout, CsvLabelReader& reader, std::atomic<bool>& other_type)
      : layout_(layout), reader_(reader), other_type_(other_type) {}

  /// nullopt: all is well, or it is another type.
  std::optional<CsvProblem> read(std::string_view line, T* to, std::int32_t& label) {
    CsvCells cells(line, layout_.separator);
    std::size_t column = 0;
    for (auto cell = cells.next(); cell; cell = cells.next(), ++column) {
      if (column >= layout_.cells) continue;  // counted for the message below
      if (column == layout_.label) {
        const auto found = reader_.read(*cell);
        if (!found) return bad_cell(*cell, column, reader_.expected());
        label = *found;
      } else if (const auto value = parse(*cell, T{})) {
        *to++ = *value;
      } else if (std::is_same_v<T, std::uint8_t>) {
        other_type_.store(true, std::memory_order_relaxed);
        return std::nullopt;
      } else {
        return bad_cell(*cell, column, "a finite number");
      }
    }
    if (column == layout_.cells) return std::nullopt;
    return CsvProblem{.line = 0,
                      .expected = fmt::format("{} cells, as in the first line", layout_.cells),
                      .found = std::to_string(column)};
  }

 private:
  CsvProblem bad_cell(std::string_view cell, std::size_t column, std::string_view what) const {
    const auto name =
        layout_.columns.empty() ? "" : fmt::format(" ({})", in_quotes(layout_.columns[column]));
    return {.line = 0,
            .expected = fmt::format("{} in column {}{}", what, column + 1, name),
            .found = cell.empty() ? "an empty cell" : in_quotes(cell)};
  }

  const CsvLayout& layout_;
  CsvLabelReader& reader_;
  std::atomic<bool>& other_type_;
};

}  // namespace

void count_csv_rows(CsvPiece& piece) {
  CsvLines lines(piece.text);
  for (auto line = lines.next(); line; line = lines.next()) {
    ++piece.lines;
    if (!is_blank(*line)) ++piece.rows;
  }
}

template <typename T>
std::optional<CsvProblem> read_csv_rows(const CsvPiece& piece, const CsvLayout& layout,
                                        CsvLabelReader& reader, T* samples, std::int32_t* labels,
                                        std::atomic<bool>& other_type) {
  RowReader<T> rows(layout, reader, other_type);
  auto number = piece.first_line;
  auto row = piece.first_row;
  CsvLines lines(piece.text);
  for (auto line = lines.next(); line; line = lines.next(), ++number) {
    if (is_blank(*line)) continue;
    if (other_type.load(std::memory_order_relaxed)) return std::nullopt;
    auto problem = rows.read(*line, samples + row * (layout.cells - 1), labels[row]);
    if (problem) {
      problem->line = number;
      return problem;
    }
    ++row;
  }
  return std::nullopt;
}

template std::optional<CsvProblem> read_csv_rows(const CsvPiece&, const CsvLayout&, CsvLabelReader&,
                                                 std::uint8_t*, std::int32_t*, std::atomic<bool>&);
template std::optional<CsvProblem> read_csv_rows(const CsvPiece&, const CsvLayout&, CsvLabelReader&,
                                                 float*, std::int32_t*, std::atomic<bool>&);

}  // namespace millrace
