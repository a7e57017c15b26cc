#include "formats/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "formats/bytes.h"
#include "formats/compression.h"
#include "formats/csv_cells.h"
#include "formats/csv_front.h"
#include "formats/csv_rows.h"
#include "formats/csv_text_columns.h"
#include "formats/error.h"
#include "formats/idx_pair.h"
#include "formats/on_all_cores.h"
#include "formats/table_read.h"
#include "formats/text.h"

namespace millrace {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;  // bytes that are worth a thread

std::vector<CsvPiece> cut(std::string_view text) {
  std::vector<CsvPiece> pieces;
  while (!text.empty()) {
    const auto end = text.size() <= kPiece ? std::string_view::npos : text.find('\n', kPiece);
    const auto size = end == std::string_view::npos ? text.size() : end + 1;
    pieces.emplace_back().text = text.substr(0, size);
    text.remove_prefix(size);
  }
  return pieces;
}

/// Calls work(i) for the pieces' numbers, on all cores.
template <typename Work>
void for_each(const std::vector<CsvPiece>& pieces, const Work& work) {
  on_all_cores(pieces.size(), pieces.size(), [&] { return [&](std::size_t i) { work(i); }; });
}

/// Reads all pieces.
class Reading {
 public:
  Reading(const std::filesystem::path& path, const TableLayout& layout,
          const ReadTableOptions& options, const std::vector<CsvPiece>& pieces, std::uint64_t rows)
      : path_(path),
        layout_(layout),
        first_(label_reader(layout, options)),
        pieces_(pieces),
        rows_(rows),
        labels_{.values = std::vector<std::int32_t>(rows * layout.words()),
                .targets = static_cast<std::uint32_t>(layout.targets.size())} {}

  /// Samples as T; nullopt if a cell is no T, but may be another type.
  template <typename T>
  std::optional<Bytes> samples_as() {
    const auto width = layout_.values() * sizeof(T);
    // No overflow: see check_lines().
    auto bytes = Bytes::allocate(rows_ * width);
    auto* samples = reinterpret_cast<T*>(bytes.writable().data());
    if (!read_rows(samples)) return std::nullopt;
    return bytes;
  }

  /// Where samples have a form.
  TableWords words() {
    TableWords words{
        .words = std::vector<float>(rows_ * layout_.values()),
        .readers = {pieces_.size(), {layout_.categories.size(), layout_.gaps, layout_.form_known}},
        .columns = layout_.values()};
    read_rows(words.words.data(), words.readers.data());
    return words;
  }

  Labels take_labels() noexcept { return std::move(labels_); }
  std::vector<LabelReader> take_readers() noexcept { return std::move(readers_); }

 private:
  /// False if a cell is no T, but may be another type; a float always is one. `categories`: of
  /// each piece, where some columns have them.
  template <typename T>
  bool read_rows(T* to, CategoryReader* categories = nullptr) {
    readers_.assign(pieces_.size(), first_);
    std::vector<std::optional<CsvProblem>> problems(pieces_.size());
    std::atomic<bool> other_type = false;
    for_each(pieces_, [&](std::size_t i) {
      problems[i] = read_csv_rows(pieces_[i], layout_, readers_[i], to, labels_.values.data(),
                                  other_type, categories == nullptr ? nullptr : categories + i);
    });
    if (other_type) return false;
    for (const auto& problem : problems) {
      if (problem) throw table_error(path_, problem->line, problem->expected, problem->found);
    }
    return true;
  }

  const std::filesystem::path& path_;
  const TableLayout& layout_;
  const LabelReader first_;
  const std::vector<CsvPiece>& pieces_;
  std::vector<LabelReader> readers_;  // of each piece
  std::uint64_t rows_;
  Labels labels_;
};

/// Names a line that lacks values before memory is taken for those of all lines.
void check_lines(const std::filesystem::path& path, const CsvFront& front, std::uint64_t rows) {
  // A number and what is behind it take two bytes, the last one of the file perhaps one; where it
  // may be missing, one.
  const auto numbers = front.layout.values() + front.layout.targets.size();
  const auto least = front.layout.gaps ? front.layout.cells : 2 * numbers;
  if (rows <= (front.rows.size() + 1) / least) return;
  CsvLines lines(front.rows);
  auto number = front.first_line;
  for (auto line = lines.next(); line; line = lines.next(), ++number) {
    std::size_t count = 0;
    CsvCells cells(*line, front.layout.separator);
    while (cells.next()) ++count;
    if (!is_blank(*line) && count != front.layout.cells) {
      throw table_error(path, number,
                        fmt::format("{} cells, as in the first line", front.layout.cells),
                        std::to_string(count));
    }
  }
}

}  // namespace

TableLayout read_csv_layout(const std::filesystem::path& path, const ReadTableOptions& options) {
  constexpr std::size_t kLongestFront = std::size_t{16} << 20;
  const auto front = EncodedFile(path).peek(kLongestFront);
  return parse_csv_front(path, text_of(front), options).layout;
}

ReadTable read_csv(const std::filesystem::path& path, const ReadTableOptions& options) {
  const auto file = read_content(path);
  auto front = parse_csv_front(path, text_of(file.view()), options);
  refuse_unlabelled(path, front.layout, options);
  auto pieces = cut(front.rows);
  for_each(pieces, [&](std::size_t i) { count_csv_rows(pieces[i]); });
  auto line = front.first_line;
  std::uint64_t rows = 0;
  for (auto& piece : pieces) {
    piece.first_line = std::exchange(line, line + piece.lines);
    piece.first_row = std::exchange(rows, rows + piece.rows);
  }
  if (rows == 0) throw DataError(path, std::nullopt, "lines of numbers", "a header alone");
  check_lines(path, front, rows);
  TableContent content{
      .samples = {}, .asked = front.layout.categories, .readers = {}, .labels = {}};
  if (front.layout.text_columns) find_text_columns(path, pieces, front.layout);
  Reading reading(path, front.layout, options, pieces, rows);
  if (front.layout.is_formed()) {
    content.words = reading.words();
  } else {
    std::optional<Bytes> bytes;
    if (!options.as_float) bytes = reading.samples_as<std::uint8_t>();
    if (bytes) content.dtype = DType::kUInt8;
    if (!bytes) bytes = reading.samples_as<float>();
    content.samples = std::move(bytes.value());
  }
  content.labels = reading.take_labels();
  content.readers = reading.take_readers();
  const std::vector<TablePart> parts(pieces.begin(), pieces.end());
  return finish_table(path, front.layout, options, parts, front.rows.size(), std::move(content));
}

}  // namespace millrace
