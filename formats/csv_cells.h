#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The text of comma-separated values (RFC 4180), line by line and cell by cell. Users want csv.h.

namespace millrace {

/// What ends a line, and what does not: a line that holds "\r" is none.
inline constexpr std::string_view kCsvLineEnds = R"(lines that end in "\n" or "\r\n")";
inline constexpr std::string_view kCsvLoneReturn =
    R"(a "\r" alone, as old Macs wrote line ends (tr '\r' '\n' makes new ones))";

/// What cells hold, and what a line whose last cell is not closed shows.
inline constexpr std::string_view kCsvNoBreaks = "cells without line breaks";
inline constexpr std::string_view kCsvBreak = "a quoted cell that goes on in the next line";

/// The lines of a text, without their ends "\n" or "\r\n".
class CsvLines {
 public:
  explicit CsvLines(std::string_view text) noexcept : rest_(text) {}

  /// nullopt behind the last.
  std::optional<std::string_view> next() noexcept;

 private:
  std::string_view rest_;
};

/// Text without the blanks around it, which are no part of a cell.
std::string_view without_blanks(std::string_view text) noexcept;
/// Text as a cell within quotes has it: its own quotes doubled.
std::string doubled_quotes(std::string_view text);

/// Nothing but blanks.
bool is_blank(std::string_view line) noexcept;

/// The cells of a line: without the blanks around them, and without quotes where they are in
/// quotes. A quoted cell may hold the separator, but no line break, and keeps doubled quotes as
/// they are.
class CsvCells {
 public:
  CsvCells(std::string_view line, char separator) noexcept : rest_(line), separator_(separator) {}

  /// nullopt behind the last; a line has at least one.
  std::optional<std::string_view> next() noexcept;
  /// The cell that came last begins with a quote, and the line ends within it.
  bool open() const noexcept { return open_; }

 private:
  std::string_view rest_;
  char separator_;
  bool done_ = false;
  bool open_ = false;
};

/// `text` as a cell between commas: in quotes, and its own quotes doubled, where it holds either.
std::string csv_cell(std::string_view text);

/// A finite decimal number.
bool is_csv_number(std::string_view cell) noexcept;
/// Neither a number, be it with a decimal comma, which no reader takes, nor empty, which may be
/// anything.
bool is_csv_text(std::string_view cell);
/// A whole number from 0 to 255 in digits alone.
std::optional<std::uint8_t> csv_byte(std::string_view cell) noexcept;
/// A decimal number within float32's range, rounded to nearest; nullopt for "nan" and "inf" too.
std::optional<float> csv_float(std::string_view cell) noexcept;
/// What to do about a cell that is no number: " (decimals have a point)"; empty where nothing is
/// known.
std::string_view csv_number_advice(std::string_view cell) noexcept;

/// What people write where a number is missing: NA, nan, ?, nothing, and the like.
bool is_csv_missing(std::string_view cell) noexcept;
/// A number below `limit` that is whole, also if it is written 3.0 or 3e0.
std::optional<std::int32_t> csv_label(std::string_view cell, std::uint32_t limit) noexcept;

}  // namespace millrace
