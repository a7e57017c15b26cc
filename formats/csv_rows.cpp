#include "formats/csv_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <system_error>
#include <type_traits>
#include <vector>

#include "formats/csv_cells.h"
#include "formats/in_quotes.h"
#include "formats/table_columns.h"

namespace millrace {
namespace {

std::optional<std::uint8_t> parse(std::string_view cell, std::uint8_t /*type*/) {
  return csv_byte(cell);
}
std::optional<float> parse(std::string_view cell, float /*type*/) { return csv_float(cell); }

/// A number at the beginning of a text that is not empty: where it ends, or null for none.
const char* read_number(const char* at, const char* end, std::uint8_t& value) noexcept {
  const auto digit_at = [](const char* place) {
    return static_cast<unsigned>(static_cast<unsigned char>(*place)) - '0';
  };
  unsigned sum = digit_at(at++);
  if (sum > 9) return nullptr;
  for (int more = 0; more < 2 && at != end; ++more, ++at) {
    const unsigned digit = digit_at(at);
    if (digit > 9) break;
    sum = sum * 10 + digit;
  }
  value = static_cast<std::uint8_t>(sum);
  return sum <= 255 ? at : nullptr;
}

// Up to seven digits, with a point or without one, are a whole number below 2^24 over a power of
// ten that float32 holds: one division rounds right (Clinger 1990,
// https://doi.org/10.1145/93542.93557).
const char* read_short_decimal(const char* at, const char* end, float& value) noexcept {
  constexpr int kMostDigits = 7;
  constexpr std::array<float, kMostDigits + 1> kPowers{1e0F, 1e1F, 1e2F, 1e3F,
                                                       1e4F, 1e5F, 1e6F, 1e7F};
  const bool negative = *at == '-';
  if (negative) ++at;
  std::int32_t whole = 0;
  int digits = 0;
  int behind_point = 0;
  bool point = false;
  for (; at != end; ++at) {
    const unsigned digit = static_cast<unsigned>(static_cast<unsigned char>(*at)) - '0';
    if (digit <= 9) {
      if (++digits > kMostDigits) return nullptr;
      whole = whole * 10 + static_cast<std::int32_t>(digit);
      if (point) ++behind_point;
    } else if (*at == '.' && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (digits == 0 || (at != end && (*at == 'e' || *at == 'E'))) return nullptr;
  value = static_cast<float>(whole) / kPowers[static_cast<std::size_t>(behind_point)];
  if (negative) value = -value;
  return at;
}

const char* read_number(const char* at, const char* end, float& value) noexcept {
  if (const char* after = read_short_decimal(at, end, value)) return after;
  const auto [after, error] = std::from_chars(at, end, value);
  return error == std::errc{} && std::isfinite(value) ? after : nullptr;
}

/// A cell that is not one of the numbers of a sample.
struct OtherCell {
  enum class Kind : std::uint8_t { kLabel, kDropped, kCategory };
  std::size_t column = 0;
  Kind kind = Kind::kLabel;
  std::size_t index = 0;  ///< of the label's words, or of the columns of categories
};

/// In the order of columns.
std::vector<OtherCell> other_cells(const TableLayout& layout) {
  std::vector<OtherCell> cells;
  const auto add = [&cells](const std::vector<std::size_t>& columns, OtherCell::Kind kind) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      cells.push_back({.column = columns[i], .kind = kind, .index = i});
    }
  };
  if (layout.label < layout.cells) add({layout.label}, OtherCell::Kind::kLabel);
  add(layout.targets, OtherCell::Kind::kLabel);
  add(layout.dropped, OtherCell::Kind::kDropped);
  add(layout.categories, OtherCell::Kind::kCategory);
  std::ranges::sort(cells, {}, &OtherCell::column);
  return cells;
}

template <typename T>
constexpr bool kMayHaveGaps = std::is_same_v<T, float>;

/// A category, as it stands in the place of a number.
template <typename T>
void put_category(std::int32_t number, T* to) {
  if constexpr (kMayHaveGaps<T>) *to = std::bit_cast<float>(number);
}

/// Rows that are nothing but numbers and separators, and perhaps names in the columns that may have
/// some: no blanks around them, no quotes. That is most of them, and takes a fraction of the time.
template <typename T>
class PlainRow {
 public:
  PlainRow(const TableLayout& layout, LabelReader& reader, CategoryReader* categories)
      : layout_(layout),
        reader_(reader),
        categories_(categories),
        other_cells_(other_cells(layout)),
        gaps_(kMayHaveGaps<T> && layout.gaps) {
    for (std::size_t i = 0; i < zeros_.size(); ++i) zeros_[i] = i % 2 == 0 ? '0' : layout.separator;
  }

  /// False for any other row, which may be sound all the same.
  bool read(std::string_view line, T* to, std::int32_t* label) {
    at_ = line.data();
    end_ = line.data() + line.size();
    std::size_t column = 0;
    for (const auto& cell : other_cells_) {
      const auto before = cell.column - column;
      if (before > 0 && !(read_numbers(before, to) && skip_separator())) return false;
      to += before;
      if (!read_other(cell, to, label)) return false;
      column = cell.column + 1;
      if (column < layout_.cells && !skip_separator()) return false;
    }
    const auto behind = layout_.cells - column;
    return (behind == 0 || read_numbers(behind, to)) && at_ == end_;
  }

 private:
  bool skip_separator() noexcept {
    if (at_ == end_ || *at_ != layout_.separator) return false;
    ++at_;
    return true;
  }

  bool read_numbers(std::size_t count, T* to) noexcept {
    while (count > 0) {
      // Pictures are black for the most part.
      while (count > kZeros && static_cast<std::size_t>(end_ - at_) >= zeros_.size() &&
             std::memcmp(at_, zeros_.data(), zeros_.size()) == 0) {
        std::fill_n(to, kZeros, T{});
        at_ += zeros_.size();
        to += kZeros;
        count -= kZeros;
      }
      if (gaps_ && (at_ == end_ || *at_ == layout_.separator)) {
        *to++ = std::numeric_limits<T>::quiet_NaN();
      } else {
        if (at_ == end_) return false;
        const char* after = read_number(at_, end_, *to++);
        if (after == nullptr) return false;
        at_ = after;
      }
      if (--count > 0 && !skip_separator()) return false;
    }
    return true;
  }

  /// A cell without quotes and blanks around it: `text`.
  bool take_cell(std::string_view& text) {
    text = {at_, static_cast<std::size_t>(end_ - at_)};
    text = text.substr(0, text.find(layout_.separator));
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    if (!text.empty() && (blank(text.front()) || blank(text.back()))) return false;
    if (text.find_first_of("\"\r") != std::string_view::npos) return false;
    at_ += text.size();
    return true;
  }

  bool read_other(const OtherCell& cell, T*& to, std::int32_t* label) {
    std::string_view text;
    if (!take_cell(text)) return false;
    if (cell.kind == OtherCell::Kind::kDropped) return true;
    const auto found = cell.kind == OtherCell::Kind::kLabel ? reader_.read(text)
                                                            : categories_->read(cell.index, text);
    if (!found) return false;
    if (cell.kind == OtherCell::Kind::kLabel) {
      label[cell.index] = *found;
    } else {
      put_category(*found, to++);
    }
    return true;
  }

  static constexpr std::size_t kZeros = 4;
  const TableLayout& layout_;
  LabelReader& reader_;
  CategoryReader* categories_;
  std::vector<OtherCell> other_cells_;
  bool gaps_;
  std::array<char, 2 * kZeros> zeros_{};  // "0,0,0,0,"
  const char* at_ = nullptr;
  const char* end_ = nullptr;
};

template <typename T>
class RowReader {
 public:
  RowReader(const TableLayout& layout, LabelReader& reader, CategoryReader* categories,
            std::atomic<bool>& other_type)
      : layout_(layout),
        reader_(reader),
        categories_(categories),
        other_type_(other_type),
        plain_(layout, reader, categories),
        other_cells_(other_cells(layout)) {}

  /// nullopt: all is well, or it is another type.
  std::optional<CsvProblem> read(std::string_view line, T* to, std::int32_t* label) {
    const auto& places = layout_.places;
    if (places.empty()) return read_in_order(line, to, label);
    row_.resize(places.size());
    auto problem = read_in_order(line, row_.data(), label);
    for (std::size_t i = 0; i < places.size(); ++i) to[places[i]] = row_[i];
    return problem;
  }

 private:
  std::optional<CsvProblem> read_in_order(std::string_view line, T* to, std::int32_t* label) {
    if (plain_.read(line, to, label)) return std::nullopt;
    if (line.find('\r') != std::string_view::npos) {
      return CsvProblem{
          .line = 0, .expected = std::string(kCsvLineEnds), .found = std::string(kCsvLoneReturn)};
    }
    CsvCells cells(line, layout_.separator);
    std::size_t column = 0;
    auto other = other_cells_.begin();
    for (auto cell = cells.next(); cell; cell = cells.next(), ++column) {
      if (cells.open()) {
        return CsvProblem{
            .line = 0, .expected = std::string(kCsvNoBreaks), .found = std::string(kCsvBreak)};
      }
      if (column >= layout_.cells) continue;  // counted for the message below
      if (other != other_cells_.end() && other->column == column) {
        if (auto problem = read_other(*other++, *cell, to, label)) return problem;
      } else if (const auto value = parse(*cell, T{})) {
        *to++ = *value;
      } else if (kMayHaveGaps<T> && layout_.gaps && is_csv_missing(*cell)) {
        *to++ = std::numeric_limits<T>::quiet_NaN();
      } else if (std::is_same_v<T, std::uint8_t>) {
        other_type_.store(true, std::memory_order_relaxed);
        return std::nullopt;
      } else {
        return bad_cell(*cell, column, "a finite number", cell_advice(*cell, column, layout_));
      }
    }
    if (column == layout_.cells) return std::nullopt;
    return CsvProblem{.line = 0,
                      .expected = fmt::format("{} cells, as in the first line", layout_.cells),
                      .found = std::to_string(column)};
  }

  std::optional<CsvProblem> read_other(const OtherCell& other, std::string_view cell, T*& to,
                                       std::int32_t* label) {
    if (other.kind == OtherCell::Kind::kLabel) {
      const auto found = reader_.read(cell);
      if (!found) return bad_cell(cell, other.column, reader_.expected(), reader_.advice(cell));
      label[other.index] = *found;
    } else if (other.kind == OtherCell::Kind::kCategory) {
      const auto found = categories_->read(other.index, cell);
      if (!found) {
        return bad_cell(
            cell, other.column, categories_->expected(),
            is_csv_missing(cell) ? cell_advice(cell, other.column, layout_) : std::string());
      }
      put_category(*found, to++);
    }
    return std::nullopt;
  }

  CsvProblem bad_cell(std::string_view cell, std::size_t column, std::string_view what,
                      std::string_view advice = "") const {
    const auto* other =
        column == layout_.label && layout_.label_guessed ? " (--label-column names another)" : "";
    return {.line = 0,
            .expected = fmt::format("{} in {}{}", what, layout_.text_of(column), other),
            .found = (cell.empty() ? "an empty cell" : in_quotes(cell)) + std::string(advice)};
  }

  const TableLayout& layout_;
  LabelReader& reader_;
  CategoryReader* categories_;
  std::atomic<bool>& other_type_;
  PlainRow<T> plain_;
  std::vector<OtherCell> other_cells_;
  std::vector<T> row_;  // in the file's order, where that is another
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
std::optional<CsvProblem> read_csv_rows(const CsvPiece& piece, const TableLayout& layout,
                                        LabelReader& reader, T* samples, std::int32_t* labels,
                                        std::atomic<bool>& other_type, CategoryReader* categories) {
  RowReader<T> rows(layout, reader, categories, other_type);
  auto number = piece.first_line;
  auto row = piece.first_row;
  CsvLines lines(piece.text);
  for (auto line = lines.next(); line; line = lines.next(), ++number) {
    if (is_blank(*line)) continue;
    if (other_type.load(std::memory_order_relaxed)) return std::nullopt;
    auto problem = rows.read(*line, samples + row * layout.values(), labels + row * layout.words());
    if (problem) {
      problem->line = number;
      return problem;
    }
    ++row;
  }
  return std::nullopt;
}

template std::optional<CsvProblem> read_csv_rows(const CsvPiece&, const TableLayout&, LabelReader&,
                                                 std::uint8_t*, std::int32_t*, std::atomic<bool>&,
                                                 CategoryReader*);
template std::optional<CsvProblem> read_csv_rows(const CsvPiece&, const TableLayout&, LabelReader&,
                                                 float*, std::int32_t*, std::atomic<bool>&,
                                                 CategoryReader*);

}  // namespace millrace
