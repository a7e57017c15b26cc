#include "formats/csv_cells.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <system_error>

namespace millrace {
namespace {

constexpr std::string_view kBlank = " \t";

template <typename T>
std::optional<T> number(std::string_view cell, std::errc& error) noexcept {
  if (cell.size() > 1 && cell[0] == '+' && cell[1] != '-') cell.remove_prefix(1);
  T value{};
  const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  error = end == cell.data() + cell.size() ? problem : std::errc::invalid_argument;
  if (error != std::errc{}) return std::nullopt;
  return value;
}

/// Of a number that a double cannot hold: whether it is too small, and not too large, by the power
/// of ten of its first digit that is not 0.
bool is_too_small(std::string_view cell) noexcept {
  const auto end = std::min(cell.find_first_of("eE"), cell.size());
  const auto point = std::min(cell.find('.'), end);
  const auto first = std::min(cell.find_first_of("123456789"), end);
  const auto power = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  auto exponent = cell.substr(std::min(end + 1, cell.size()));
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  std::int32_t shift = 0;
  const auto [last, error] =
      std::from_chars(exponent.data(), exponent.data() + exponent.size(), shift);
  if (error == std::errc::result_out_of_range) return exponent.starts_with('-');
  return power + shift < 0;
}

std::optional<double> csv_double(std::string_view cell) noexcept {
  std::errc error{};
  auto value = number<double>(cell, error);
  // Not 0, for then it would be a whole number.
  if (!value && error == std::errc::result_out_of_range && is_too_small(cell)) {
    value = std::numeric_limits<double>::denorm_min();
    if (cell.starts_with('-')) value = -*value;
  }
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::string_view> CsvLines::next() noexcept {
  if (rest_.empty()) return std::nullopt;
  const auto end = rest_.find('\n');
  auto line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view without_blanks(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) + 1 - first);
}

std::string doubled_quotes(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    cell.push_back(c);
    if (c == '"') cell.push_back(c);
  }
  return cell;
}

bool is_blank(std::string_view line) noexcept {
  return line.find_first_not_of(kBlank) == std::string_view::npos;
}

std::optional<std::string_view> CsvCells::next() noexcept {
  if (done_) return std::nullopt;
  const auto start = rest_.find_first_not_of(kBlank);
  std::size_t from = 0;
  if (start != std::string_view::npos && rest_[start] == '"') {
    // To the quote that is not doubled.
    from = start + 1;
    open_ = true;
    while (from < rest_.size()) {
      from = rest_.find('"', from);
      if (from == std::string_view::npos) break;
      open_ = from + 1 < rest_.size() && rest_[from + 1] == '"';
      if (!open_) break;
      from += 2;
    }
    from = std::min(from, rest_.size());
  }
  const auto end = rest_.find(separator_, from);
  auto cell = without_blanks(rest_.substr(0, end));
  if (end == std::string_view::npos) {
    done_ = true;
  } else {
    rest_.remove_prefix(end + 1);
  }
  if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') {
    cell = without_blanks(cell.substr(1, cell.size() - 2));
  }
  return cell;
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"") == std::string_view::npos) return std::string(text);
  return '"' + doubled_quotes(text) + '"';
}

bool is_csv_number(std::string_view cell) noexcept { return csv_double(cell).has_value(); }

bool is_csv_text(std::string_view cell) {
  if (cell.empty() || is_csv_number(cell)) return false;
  std::string with_point(cell);
  std::ranges::replace(with_point, ',', '.');
  return !is_csv_number(with_point);
}

std::optional<std::uint8_t> csv_byte(std::string_view cell) noexcept {
  if (cell.empty() || cell.size() > 3) return std::nullopt;
  unsigned value = 0;
  for (const char c : cell) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > 255) return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

std::optional<float> csv_float(std::string_view cell) noexcept {
  std::errc error{};
  auto value = number<float>(cell, error);
  if (!value && error == std::errc::result_out_of_range) {
    // Too small is 0, or nearly; too large stays none.
    if (const auto wide = csv_double(cell)) value = static_cast<float>(*wide);
  }
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return value;
}

bool is_csv_missing(std::string_view cell) noexcept {
  for (const std::string_view missing : {"", "NA", "N/A", "NaN", "nan", "null", "None", "?"}) {
    if (cell == missing) return true;
  }
  return false;
}

std::string_view csv_number_advice(std::string_view cell) noexcept {
  if (is_csv_missing(cell)) return " (fill in what is missing, or leave out its line or column)";
  if (is_csv_number(cell) || cell.find_first_not_of("0123456789+-.,") != std::string_view::npos) {
    return {};
  }
  return cell.find(',') != std::string_view::npos ? " (decimals have a point)" : "";
}

std::optional<std::int32_t> csv_label(std::string_view cell, std::uint32_t limit) noexcept {
  const auto value = csv_double(cell);
  if (!value || *value < 0 || *value >= limit || std::floor(*value) != *value) return std::nullopt;
  return static_cast<std::int32_t>(*value);
}

}  // namespace millrace
