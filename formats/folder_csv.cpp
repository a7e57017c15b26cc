#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "formats/array_dataset.h"
#include "formats/csv.h"
#include "formats/error.h"
#include "formats/folder_kinds.h"
#include "formats/in_quotes.h"
#include "formats/split_names.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCsv = ".csv";

/// `unknown`: a text for a person about categories that the form does not know is added to it.
std::shared_ptr<const ArrayDataset> open_csv(const fs::path& file, const ReadTableOptions& options,
                                             std::string& unknown) {
  auto read = read_csv(file, options);
  if (!read.unknown.empty())
    unknown += fmt::format("; {}: {}", file.filename().string(), read.unknown);
  return std::make_shared<const ArrayDataset>(std::move(read.samples), std::move(read.labels),
                                              std::move(read.class_names), std::move(read.columns));
}

/// The first column of values whose name in the header is empty.
std::optional<std::size_t> nameless_column(const TableLayout& layout) {
  const auto names = columns_of({}, layout).names.values;
  const auto nameless = std::ranges::find(names, std::string());
  if (nameless == names.end()) return std::nullopt;
  return layout.column_of(static_cast<std::size_t>(nameless - names.begin()));
}

/// The first column of values that count up by one from line to line, as numbers of the lines do.
template <typename T>
std::optional<std::size_t> counting_column(const ContiguousView& data, std::size_t width) {
  constexpr std::size_t kLeast = 10;  // fewer may come so by chance
  const std::span values(reinterpret_cast<const T*>(data.samples.data()),
                         data.samples.size() / sizeof(T));
  const auto rows = values.size() / width;
  for (std::size_t column = 0; rows >= kLeast && column < width; ++column) {
    std::size_t row = 1;
    while (row < rows && values[row * width + column] == values[(row - 1) * width + column] + 1) {
      ++row;
    }
    if (row == rows) return column;
  }
  return std::nullopt;
}

/// Whether labels count up by one from line to line: no class comes twice.
bool labels_count(std::span<const std::int32_t> labels) {
  constexpr std::size_t kLeast = 10;  // fewer may come so by chance
  return labels.size() >= kLeast &&
         std::ranges::adjacent_find(
             labels, [](std::int32_t a, std::int32_t b) { return b != a + 1; }) == labels.end();
}

/// Which of a table's columns of values it comes from.
std::size_t column_of_value(const Dataset& data, std::size_t value) {
  std::size_t column = 0;
  for (const auto& of : data.column_names().form.columns) {
    if (value < of.values()) return column;
    value -= of.values();
    ++column;
  }
  return column + value;
}

/// What says of a column that it may be an index, which tells the classes of sorted lines and
/// nothing of others. In the order of `layout`, which is that of the samples' columns.
std::string index_text(const TableLayout& layout, const ArrayDataset& data) {
  if (const auto index = nameless_column(layout)) {
    return fmt::format(
        "; column {} has no name: if it is an index, as pandas writes it, --drop-columns {} leaves "
        "it out",
        *index + 1, *index + 1);
  }
  const auto width = static_cast<std::size_t>(data.shape().elements());
  const auto counting = data.dtype() == DType::kUInt8
                            ? counting_column<std::uint8_t>(data.contiguous(), width)
                            : counting_column<float>(data.contiguous(), width);
  if (!counting) return {};
  const auto column = layout.column_of(column_of_value(data, *counting));
  return fmt::format("; {} counts the lines: if it is an index, --drop-columns {} leaves it out",
                     layout.text_of(column), layout.asked_as(column));
}

/// What became of columns that are more than one number each.
std::string form_text(const TableForm& form) {
  constexpr std::size_t kShown = 4;
  std::vector<std::string> shown;
  std::size_t formed = 0;
  for (const auto& column : form.columns) {
    const auto categories = column.categories.size();
    if (column.values() == 1 && categories == 0) continue;
    if (++formed > kShown) continue;
    auto text = in_quotes(column.name);
    if (categories > 0)
      text += fmt::format(" of {} categor{}", categories, categories == 1 ? "y" : "ies");
    if (column.flagged)
      text += categories > 0 ? ", some missing" : " filled in where it is missing";
    shown.push_back(std::move(text));
  }
  if (formed == 0) return {};
  return fmt::format(
      "; columns {}{}", fmt::join(shown, ", "),
      formed > kShown ? fmt::format(" and {} more", formed - kShown) : std::string());
}

/// Values that are taken for pixels although they can hardly be some: fewer than the smallest
/// pictures have that people train on, 8x8.
std::string bytes_text(const Dataset& data) {
  constexpr std::uint64_t kFewestPixels = 64;
  if (data.dtype() != DType::kUInt8 || data.shape().elements() >= kFewestPixels) return {};
  return "; all values are whole numbers from 0 to 255 and divided by 255, as pixels are (7.0 in "
         "place of a 7 keeps them as they are)";
}

/// Where labels are.
std::string labels_text(const TableLayout& layout) {
  constexpr std::size_t kShown = 3;
  const auto& targets = layout.targets;
  if (targets.empty()) return "; labels in " + layout.text_of(layout.label);
  std::vector<std::string> shown;
  for (const auto target : std::span(targets).first(std::min(kShown, targets.size()))) {
    shown.push_back(layout.text_of(target));
  }
  const auto more = targets.size() > kShown ? fmt::format(" and {} more", targets.size() - kShown)
                                            : std::string();
  return fmt::format("; target{} in {}{}", targets.size() == 1 ? "" : "s", fmt::join(shown, ", "),
                     more);
}

DataFolder open_csv_files(const fs::path& path, const fs::path& train_file,
                          const fs::path& test_file, const fs::path& validation_file,
                          const OpenOptions& options) {
  if (options.in_blocks) refuse_whole(path, train_file.string(), "a CSV file");
  const auto& known = options.known;
  auto csv = read_table_options(known);
  csv.task = options.task;
  csv.table = options.table;
  if (!options.label_column.empty()) {
    csv.label_column = options.label_column;
    csv.target_columns.clear();
  }
  const auto layout = read_csv_layout(train_file, csv);
  if (layout.named_classes) csv.class_names = known.class_names;
  std::string unknown;
  auto train = open_csv(train_file, csv, unknown);
  // A model's columns may come in another order.
  const auto index = known.columns ? std::string() : index_text(layout, *train);
  const bool labelled_by_index = layout.label_guessed && labels_count(train->contiguous().labels);
  KnownColumns columns{.names = train->column_names(), .of = train_file};
  csv.label_column = columns.names.label;
  csv.target_columns = columns.names.targets;
  if (!csv.columns) csv.columns = std::move(columns);
  if (train->class_names().empty()) csv.classes = train->classes();
  csv.class_names = train->class_names();
  csv.as_float = train->dtype() == DType::kFloat32;
  std::shared_ptr<const Dataset> test;
  bool unlabelled = false;
  if (!test_file.empty()) {
    const auto test_layout = read_csv_layout(test_file, csv);
    // As competitions publish it: the same columns without the labels.
    unlabelled = !test_layout.labelled && test_layout.values() == layout.values();
    if (!unlabelled) test = open_csv(test_file, csv, unknown);
  }
  std::shared_ptr<const Dataset> validation;
  if (!validation_file.empty()) validation = open_csv(validation_file, csv, unknown);
  auto opened = data_folder(path, std::move(train), std::move(test), options, "samples",
                            std::move(validation));
  if (!known.columns) opened.description += bytes_text(*opened.train);
  opened.description += labels_text(layout);
  if (labelled_by_index)
    opened.description += ", which counts the lines: --label-column names another";
  opened.description += index;
  if (!known.columns) opened.description += form_text(opened.train->column_names().form);
  if (!known.columns && layout.is_formed() && layout.columns.empty()) {
    opened.description += "; the first line is a sample, for it names no columns";
  }
  opened.description += unknown;
  if (!unknown.empty()) opened.unknown = unknown.substr(2);
  if (unlabelled) {
    opened.description += fmt::format("; {} has no {} and is left out ('trainer predict' takes it)",
                                      test_file.filename().string(),
                                      options.task == Task::kRegression ? "targets" : "labels");
  }
  return opened;
}

}  // namespace

ReadTableOptions read_table_options(const KnownData& known) {
  ReadTableOptions csv{.as_float = known.as_float};
  if (known.columns) {
    csv.label_column = known.columns->names.label;
    csv.target_columns = known.columns->names.targets;
    if (!csv.target_columns.empty()) csv.task = Task::kRegression;
    const auto& names = known.columns->names;
    if (!names.values.empty() || names.form != TableForm{}) csv.columns = known.columns;
  }
  return csv;
}

std::optional<DataFolder> open_csv_folder(const fs::path& folder, const OpenOptions& options) {
  const auto files = files_ending_in(folder, kCsv);
  if (files.empty()) return std::nullopt;
  const auto splits = split_files(files, options.own_validation);
  if (splits.train.size() != 1 || splits.test.size() > 1 || splits.validation.size() > 1) {
    std::vector<std::string> names;
    names.reserve(files.size());
    for (const auto& file : files) names.push_back(file.filename().string());
    throw DataError(folder, std::nullopt,
                    "one CSV file to train on, and at most one to test and one to validate with",
                    fmt::format("{}", fmt::join(names, ", ")));
  }
  const auto only = [](const auto& found) { return found.empty() ? fs::path() : found[0]; };
  auto opened =
      open_csv_files(folder, splits.train[0], only(splits.test), only(splits.validation), options);
  opened.description += left_out_text(splits.left_out);
  return opened;
}

std::optional<DataFolder> open_csv_file(const fs::path& path, const OpenOptions& options) {
  if (!plain_file_name(path).ends_with(kCsv)) return std::nullopt;
  return open_csv_files(path, path, {}, {}, options);
}

}  // namespace millrace
