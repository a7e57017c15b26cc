#include "formats/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "formats/bytes.h"
#include "formats/compression.h"
#include "formats/csv_cells.h"
#include "formats/error.h"
#include "formats/idx_pair.h"
#include "formats/in_quotes.h"
#include "formats/on_all_cores.h"

namespace millrace {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;  // bytes that are worth a thread

std::string_view text_of(std::span<const std::byte> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

DataError at_line(const std::filesystem::path& path, std::uint64_t line, std::string_view expected,
                  std::string_view found) {
  return {path, fmt::format("line {}: expected {}, found {}", line, expected, found)};
}

char separator_of(std::string_view line) {
  for (const char separator : {',', ';', '\t'}) {
    if (line.find(separator) != std::string_view::npos) return separator;
  }
  return ',';
}

bool is_label_name(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames{"label",   "labels", "class",
                                                   "classes", "target", "y"};
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::any_of(
      kNames, [&](std::string_view known) { return std::ranges::equal(name, known, {}, lower); });
}

/// Sets `label` and `labelled`.
void find_label(const std::filesystem::path& path, std::uint64_t line, const std::string& wanted,
                CsvLayout& layout) {
  const auto& columns = layout.columns;
  const auto named = wanted.empty() ? std::ranges::find_if(columns, is_label_name)
                                    : std::ranges::find(columns, wanted);
  if (named != columns.end()) {
    layout.label = static_cast<std::size_t>(named - columns.begin());
    return;
  }
  if (wanted.empty()) return;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
  if (error == std::errc{} && end == wanted.data() + wanted.size()) {
    if (number == 0 || number > layout.cells) {
      throw at_line(path, line, fmt::format("a column {} for labels", wanted),
                    fmt::format("{} columns", layout.cells));
    }
    layout.label = number - 1;
    return;
  }
  if (columns.empty()) {
    throw at_line(path, line, fmt::format("a header with a column {}", in_quotes(wanted)),
                  "numbers");
  }
  layout.labelled = false;
}

/// The text behind the header, and what was there before it.
struct Body {
  CsvLayout layout;
  std::string_view text;
  std::uint64_t first_line = 1;
};

Body parse_front(const std::filesystem::path& path, std::string_view text,
                 const CsvOptions& options) {
  Body body{.layout = {}, .text = text};
  CsvLines lines(text);
  auto line = lines.next();
  for (; line && is_blank(*line); line = lines.next()) ++body.first_line;
  if (!line) throw DataError(path, std::nullopt, "lines of numbers", "none");
  body.layout.separator = separator_of(*line);
  bool header = false;
  std::vector<std::string> names;
  CsvCells cells(*line, body.layout.separator);
  for (auto cell = cells.next(); cell; cell = cells.next()) {
    // An empty cell is neither.
    if (!cell->empty() && !csv_float(*cell)) header = true;
    names.emplace_back(*cell);
  }
  body.layout.cells = names.size();
  if (names.size() < 2) {
    throw at_line(path, body.first_line, "two or more columns, one of them of labels", "one");
  }
  if (header) body.layout.columns = std::move(names);
  find_label(path, body.first_line, options.label_column, body.layout);
  const auto at = static_cast<std::size_t>(line->data() - text.data());
  if (header) {
    const auto end = text.find('\n', at);
    body.text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++body.first_line;
  } else {
    body.text = text.substr(at);
  }
  return body;
}

/// Whole lines, for one thread.
struct Piece {
  std::string_view text;
  std::uint64_t lines = 0;  // all
  std::uint64_t rows = 0;   // those that are not blank
  std::uint64_t first_line = 0;
  std::uint64_t first_row = 0;
};

std::vector<Piece> cut(std::string_view text) {
  std::vector<Piece> pieces;
  while (!text.empty()) {
    const auto end = text.size() <= kPiece ? std::string_view::npos : text.find('\n', kPiece);
    const auto size = end == std::string_view::npos ? text.size() : end + 1;
    pieces.push_back({.text = text.substr(0, size)});
    text.remove_prefix(size);
  }
  return pieces;
}

/// Calls work(piece) for all pieces on all cores.
template <typename Work>
void for_each(std::vector<Piece>& pieces, const Work& work) {
  on_all_cores(pieces.size(), pieces.size(),
               [&] { return [&](std::size_t i) { work(pieces[i]); }; });
}

void count(Piece& piece) {
  CsvLines lines(piece.text);
  for (auto line = lines.next(); line; line = lines.next()) {
    ++piece.lines;
    if (!is_blank(*line)) ++piece.rows;
  }
}

std::optional<std::uint8_t> parse(std::string_view cell, std::uint8_t /*type*/) {
  return csv_byte(cell);
}
std::optional<float> parse(std::string_view cell, float /*type*/) { return csv_float(cell); }

/// What stopped a piece.
struct Problem {
  std::uint64_t line = 0;
  std::string expected;
  std::string found;
};

/// Reads the cells of all pieces into `samples` and `labels`.
template <typename T>
class Filler {
 public:
  Filler(const CsvLayout& layout, std::uint32_t limit, T* samples, std::int32_t* labels)
      : layout_(layout), limit_(limit), samples_(samples), labels_(labels) {}

  /// nullopt: all is well, or `other_type`.
  std::optional<Problem> fill(const Piece& piece, std::atomic<bool>& other_type) const {
    auto number = piece.first_line;
    auto row = piece.first_row;
    CsvLines lines(piece.text);
    for (auto line = lines.next(); line; line = lines.next(), ++number) {
      if (is_blank(*line)) continue;
      if (other_type.load(std::memory_order_relaxed)) return std::nullopt;
      auto problem = fill_row(*line, row++, other_type);
      if (problem) {
        problem->line = number;
        return problem;
      }
    }
    return std::nullopt;
  }

 private:
  std::optional<Problem> fill_row(std::string_view line, std::uint64_t row,
                                  std::atomic<bool>& other_type) const {
    T* to = samples_ + row * (layout_.cells - 1);
    CsvCells cells(line, layout_.separator);
    std::size_t column = 0;
    for (auto cell = cells.next(); cell; cell = cells.next(), ++column) {
      if (column >= layout_.cells) continue;  // counted for the message below
      if (column == layout_.label) {
        const auto label = csv_label(*cell, limit_);
        if (!label) {
          return bad_cell(*cell, column,
                          fmt::format("a whole number in [0, {}) as the label", limit_));
        }
        labels_[row] = *label;
      } else if (const auto value = parse(*cell, T{})) {
        *to++ = *value;
      } else if (std::is_same_v<T, std::uint8_t>) {
        other_type.store(true, std::memory_order_relaxed);
        return std::nullopt;
      } else {
        return bad_cell(*cell, column, "a finite number");
      }
    }
    if (column == layout_.cells) return std::nullopt;
    return Problem{.line = 0,
                   .expected = fmt::format("{} cells, as in the first line", layout_.cells),
                   .found = std::to_string(column)};
  }

  Problem bad_cell(std::string_view cell, std::size_t column, std::string_view what) const {
    const auto name =
        layout_.columns.empty() ? "" : fmt::format(" ({})", in_quotes(layout_.columns[column]));
    return {.line = 0,
            .expected = fmt::format("{} in column {}{}", what, column + 1, name),
            .found = cell.empty() ? "an empty cell" : in_quotes(cell)};
  }

  const CsvLayout& layout_;
  std::uint32_t limit_;
  T* samples_;
  std::int32_t* labels_;
};

/// Samples as T; nullopt if a cell is no T, but may be another type.
template <typename T>
std::optional<Bytes> read_as(const std::filesystem::path& path, const CsvLayout& layout,
                             std::uint32_t limit, std::vector<Piece>& pieces,
                             std::vector<std::int32_t>& labels) {
  const auto width = (layout.cells - 1) * sizeof(T);
  // A cell takes two bytes of text, the last one of a line perhaps one: this cannot overflow.
  auto bytes = Bytes::allocate(labels.size() * width);
  const Filler<T> filler(layout, limit, reinterpret_cast<T*>(bytes.writable().data()),
                         labels.data());
  std::vector<std::optional<Problem>> problems(pieces.size());
  std::atomic<bool> other_type = false;
  for_each(pieces, [&](const Piece& piece) {
    problems[static_cast<std::size_t>(&piece - pieces.data())] = filler.fill(piece, other_type);
  });
  if (other_type) return std::nullopt;
  for (const auto& problem : problems) {
    if (problem) throw at_line(path, problem->line, problem->expected, problem->found);
  }
  return bytes;
}

}  // namespace

CsvLayout read_csv_layout(const std::filesystem::path& path, const CsvOptions& options) {
  constexpr std::size_t kLongestLine = std::size_t{16} << 20;
  const auto front = EncodedFile(path).peek(kLongestLine);
  return parse_front(path, text_of(front), options).layout;
}

CsvSamples read_csv(const std::filesystem::path& path, const CsvOptions& options) {
  const auto content = read_content(path);
  const auto body = parse_front(path, text_of(content.view()), options);
  if (!body.layout.labelled) {
    throw DataError(path, std::nullopt,
                    fmt::format("a column {} for labels", in_quotes(options.label_column)),
                    "none of that name");
  }
  auto pieces = cut(body.text);
  for_each(pieces, count);
  auto line = body.first_line;
  std::uint64_t rows = 0;
  for (auto& piece : pieces) {
    piece.first_line = std::exchange(line, line + piece.lines);
    piece.first_row = std::exchange(rows, rows + piece.rows);
  }
  if (rows == 0) throw DataError(path, std::nullopt, "lines of numbers", "a header alone");
  const auto limit = options.classes.value_or(kMostIdxClasses);
  Labels labels{.values = std::vector<std::int32_t>(rows), .classes = 0};
  std::optional<Bytes> bytes;
  auto dtype = DType::kUInt8;
  if (!options.as_float) {
    bytes = read_as<std::uint8_t>(path, body.layout, limit, pieces, labels.values);
  }
  if (!bytes) {
    dtype = DType::kFloat32;
    bytes = read_as<float>(path, body.layout, limit, pieces, labels.values);
  }
  labels.classes = options.classes.value_or(
      static_cast<std::uint32_t>(*std::ranges::max_element(labels.values)) + 1);
  auto owner = std::make_shared<const Bytes>(std::move(bytes.value()));
  const auto data = owner->view();
  return {.samples = {.name = path.string(),
                      .dtype = dtype,
                      .dims = {rows, body.layout.cells - 1},
                      .owner = std::move(owner),
                      .data = data},
          .labels = std::move(labels)};
}

}  // namespace millrace
