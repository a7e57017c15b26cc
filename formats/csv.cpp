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
#include "formats/csv_columns.h"
#include "formats/csv_form.h"
#include "formats/csv_formed.h"
#include "formats/csv_front.h"
#include "formats/csv_labels.h"
#include "formats/csv_rows.h"
#include "formats/csv_text_columns.h"
#include "formats/error.h"
#include "formats/idx_pair.h"
#include "formats/in_quotes.h"
#include "formats/on_all_cores.h"
#include "formats/text.h"

namespace millrace {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;  // bytes that are worth a thread

std::vector<CsvPiece> cut(std::string_view text) {
  std::vector<CsvPiece> pieces;
  while (!text.empty()) {
    const auto end = text.size() <= kPiece ? std::string_view::npos : text.find('\n', kPiece);
    const auto size = end == std::string_view::npos ? text.size() : end + 1;
    pieces.push_back({.text = text.substr(0, size)});
    text.remove_prefix(size);
  }
  return pieces;
}

/// Calls work(i) for the pieces' numbers, on all cores.
template <typename Work>
void for_each(const std::vector<CsvPiece>& pieces, const Work& work) {
  on_all_cores(pieces.size(), pieces.size(), [&] { return [&](std::size_t i) { work(i); }; });
}

/// What labels are, for each piece to begin with.
CsvLabelReader label_reader(const CsvLayout& layout, const CsvOptions& options) {
  if (options.unlabelled_values) return CsvLabelReader::of_anything();
  if (options.task == Task::kRegression) return CsvLabelReader::of_targets();
  if (!options.class_names.empty()) {
    auto classes = std::make_shared<CsvClasses>();
    for (const auto& name : options.class_names) {
      classes->emplace(name, static_cast<std::int32_t>(classes->size()));
    }
    return CsvLabelReader::of_classes(std::move(classes));
  }
  if (layout.named_classes && !options.classes) return CsvLabelReader::of_names(kMostIdxClasses);
  return CsvLabelReader::of_numbers(options.classes.value_or(kMostIdxClasses));
}

/// Reads all pieces.
class Reading {
 public:
  Reading(const std::filesystem::path& path, const CsvLayout& layout, const CsvOptions& options,
          const std::vector<CsvPiece>& pieces, std::uint64_t rows)
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
  CsvWords words() {
    CsvWords words{
        .words = std::vector<float>(rows_ * layout_.values()),
        .readers = {pieces_.size(), {layout_.categories.size(), layout_.gaps, layout_.form_known}},
        .columns = layout_.values()};
    read_rows(words.words.data(), words.readers.data());
    return words;
  }

  /// The names of classes, where labels are names; numbers of found ones become labels.
  std::vector<std::string> settle_names(const CsvOptions& options) {
    if (!options.class_names.empty()) return options.class_names;
    const auto classes = csv_classes_of(readers_);
    if (classes.size() > kMostIdxClasses) {
      throw DataError(path_, std::nullopt, fmt::format("at most {} classes", kMostIdxClasses),
                      fmt::format("{} names in the column of labels", classes.size()));
    }
    for (std::size_t i = 0; i < pieces_.size() && !classes.empty(); ++i) {
      std::vector<std::int32_t> label_of;
      for (const auto name : readers_[i].names()) {
        label_of.push_back(classes.find(csv_class_name(name))->second);
      }
      const auto values = std::span(labels_.values).subspan(pieces_[i].first_row, pieces_[i].rows);
      for (auto& value : values) value = label_of[static_cast<std::size_t>(value)];
    }
    std::vector<std::string> names;
    names.reserve(classes.size());
    for (const auto& [name, label] : classes) names.push_back(name);
    return names;
  }

  Labels& labels() noexcept { return labels_; }

 private:
  /// False if a cell is no T, but may be another type; a float always is one. `categories`: of
  /// each piece, where some columns have them.
  template <typename T>
  bool read_rows(T* to, CsvCategoryReader* categories = nullptr) {
    readers_.assign(pieces_.size(), first_);
    std::vector<std::optional<CsvProblem>> problems(pieces_.size());
    std::atomic<bool> other_type = false;
    for_each(pieces_, [&](std::size_t i) {
      problems[i] = read_csv_rows(pieces_[i], layout_, readers_[i], to, labels_.values.data(),
                                  other_type, categories == nullptr ? nullptr : categories + i);
    });
    if (other_type) return false;
    for (const auto& problem : problems) {
      if (problem) throw csv_error(path_, problem->line, problem->expected, problem->found);
    }
    return true;
  }

  const std::filesystem::path& path_;
  const CsvLayout& layout_;
  const CsvLabelReader first_;
  const std::vector<CsvPiece>& pieces_;
  std::vector<CsvLabelReader> readers_;  // of each piece
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
      throw csv_error(path, number,
                      fmt::format("{} cells, as in the first line", front.layout.cells),
                      std::to_string(count));
    }
  }
}

/// To the columns of a file as they stand there.
void set_form(ColumnNames& names, TableForm form) {
  form.dropped = std::move(names.form.dropped);
  if (!names.values.empty()) names.values = form.value_names();
  names.form = std::move(form);
}

}  // namespace

CsvLayout read_csv_layout(const std::filesystem::path& path, const CsvOptions& options) {
  constexpr std::size_t kLongestFront = std::size_t{16} << 20;
  const auto front = EncodedFile(path).peek(kLongestFront);
  return parse_csv_front(path, text_of(front), options).layout;
}

CsvSamples read_csv(const std::filesystem::path& path, const CsvOptions& options) {
  const auto content = read_content(path);
  auto front = parse_csv_front(path, text_of(content.view()), options);
  if (!front.layout.labelled && !options.unlabelled_values) {
    throw DataError(path, std::nullopt,
                    fmt::format("a column {} for {}", in_quotes(front.layout.missing),
                                options.task == Task::kRegression ? "targets" : "labels"),
                    "none of that name");
  }
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
  const auto asked = front.layout.categories;
  if (front.layout.text_columns) find_text_columns(path, pieces, front.layout);
  Reading reading(path, front.layout, options, pieces, rows);
  auto columns = columns_of(path, front.layout).names;
  if (options.columns) {
    columns.values = options.columns->names.values;
    columns.form = options.columns->names.form;
  }
  std::optional<Bytes> bytes;
  std::string unknown;
  auto dtype = DType::kFloat32;
  if (front.layout.is_formed()) {
    const auto words = reading.words();
    if (!options.columns) set_form(columns, form_of(path, front.layout, asked, words));
    auto formed = apply_form(path, front.layout, pieces, words, columns.form);
    bytes = std::move(formed.samples);
    unknown = std::move(formed.unknown);
  } else {
    if (!options.as_float) bytes = reading.samples_as<std::uint8_t>();
    if (bytes) dtype = DType::kUInt8;
    if (!bytes) bytes = reading.samples_as<float>();
  }
  auto names = reading.settle_names(options);
  auto labels = std::move(reading.labels());
  if (options.unlabelled_values) labels = {.values = std::vector<std::int32_t>(rows)};
  if (!names.empty()) {
    labels.classes = static_cast<std::uint32_t>(names.size());
  } else if (labels.targets == 0) {
    labels.classes = options.classes.value_or(
        static_cast<std::uint32_t>(*std::ranges::max_element(labels.values)) + 1);
  }
  const auto width = front.layout.is_formed() ? columns.form.values() : front.layout.values();
  auto owner = std::make_shared<const Bytes>(std::move(bytes.value()));
  const auto data = owner->view();
  return {.samples = {.name = path.string(),
                      .dtype = dtype,
                      .dims = {rows, width},
                      .owner = std::move(owner),
                      .data = data},
          .labels = std::move(labels),
          .class_names = std::move(names),
          .columns = std::move(columns),
          .unknown = std::move(unknown)};
}

}  // namespace millrace
