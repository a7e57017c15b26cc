#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
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
#include "formats/memory_table.h"
#include "formats/parquet.h"
#include "formats/parquet_images.h"
#include "formats/split_names.h"
#include "formats/table_texts.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCsv = ".csv";
constexpr std::string_view kParquet = ".parquet";

using Files = std::vector<fs::path>;

/// The files of one table.
struct TableFiles {
  Files train;
  Files test;
  Files validation;
};

/// What files say of their columns.
struct TableFacts {
  TableLayout layout;
  std::vector<std::string> class_names = {};    ///< of labels that are numbers
  std::vector<std::string> index_columns = {};  ///< which are none of the layout's
};

/// What reads them.
class TableFormat {
 public:
  TableFormat() = default;
  TableFormat(const TableFormat&) = delete;
  TableFormat& operator=(const TableFormat&) = delete;
  virtual ~TableFormat() = default;

  /// Their columns.
  virtual TableFacts facts(const Files& files, const ReadTableOptions& options) const = 0;
  virtual ReadTable read(const Files& files, const ReadTableOptions& options) const = 0;
  /// Whether the labels in a column are all -1, as those of a test set may be that nobody is to
  /// see.
  virtual bool unlabelled(const Files& /*files*/, const std::string& /*column*/) const {
    return false;
  }
  /// "a CSV file", and what keeps numbers in it from being taken for pixels.
  virtual std::string_view what() const noexcept = 0;
  virtual std::string_view float_advice() const noexcept = 0;
};

using ParquetFiles = std::vector<std::shared_ptr<const ParquetFile>>;

ParquetFiles open_files(const Files& files) {
  ParquetFiles opened;
  opened.reserve(files.size());
  for (const auto& file : files) opened.push_back(std::make_shared<const ParquetFile>(file));
  return opened;
}

class CsvFormat final : public TableFormat {
 public:
  TableFacts facts(const Files& files, const ReadTableOptions& options) const override {
    return {.layout = read_csv_layout(files[0], options)};
  }
  ReadTable read(const Files& files, const ReadTableOptions& options) const override {
    return read_csv(files[0], options);
  }
  std::string_view what() const noexcept override { return "a CSV file"; }
  std::string_view float_advice() const noexcept override { return "7.0 in place of a 7"; }
};

class ParquetFormat final : public TableFormat {
 public:
  /// `files` are open already.
  ParquetFormat(const Files& files, ParquetFiles open) { opened_.emplace(files, std::move(open)); }

  TableFacts facts(const Files& files, const ReadTableOptions& options) const override {
    const ParquetTable table(opened(files), options);
    return {.layout = table.layout(),
            .class_names = table.class_names(),
            .index_columns = table.index_columns()};
  }
  ReadTable read(const Files& files, const ReadTableOptions& options) const override {
    return ParquetTable(opened(files), options).read();
  }
  bool unlabelled(const Files& files, const std::string& column) const override {
    const auto& all = opened(files);
    const auto& leaves = all.front()->footer().leaves;
    return std::ranges::find(leaves, column, &ParquetLeaf::name) != leaves.end() &&
           !has_labels(all, column);
  }
  std::string_view what() const noexcept override { return "a Parquet file of a table"; }
  std::string_view float_advice() const noexcept override { return "a column of floats"; }

 private:
  const ParquetFiles& opened(const Files& files) const {
    auto& all = opened_[files];
    if (all.empty()) all = open_files(files);
    return all;
  }

  mutable std::map<Files, ParquetFiles> opened_;  // of one thread
};

/// Tables in memory, whose names stand for files.
class MemoryFormat final : public TableFormat {
 public:
  void add(const MemoryTable& table, Files& files) {
    files.emplace_back(table.name);
    tables_.push_back(&table);
  }
  TableFacts facts(const Files& files, const ReadTableOptions& options) const override {
    return {.layout = memory_table_layout(table_called(files[0]), options)};
  }
  ReadTable read(const Files& files, const ReadTableOptions& options) const override {
    return read_memory_table(table_called(files[0]), options);
  }
  std::string_view what() const noexcept override { return "a table in memory"; }
  std::string_view float_advice() const noexcept override { return "a column of floats"; }

 private:
  const MemoryTable& table_called(const fs::path& name) const {
    return **std::ranges::find(tables_, name.string(), &MemoryTable::name);
  }

  std::vector<const MemoryTable*> tables_;
};

/// `unknown`: a text for a person about categories that the form does not know is added to it.
std::shared_ptr<const ArrayDataset> read_table(const TableFormat& format, const Files& files,
                                               const ReadTableOptions& options,
                                               std::string& unknown) {
  auto read = format.read(files, options);
  if (!read.unknown.empty())
    unknown += fmt::format("; {}: {}", files[0].filename().string(), read.unknown);
  return std::make_shared<const ArrayDataset>(std::move(read.samples), std::move(read.labels),
                                              std::move(read.class_names), std::move(read.columns));
}

/// How labels and columns are to be read by what is asked for and known.
ReadTableOptions table_options(const OpenOptions& options) {
  auto table = read_table_options(options.known);
  table.task = options.task;
  table.table = options.table;
  if (!options.label_column.empty()) {
    table.label_column = options.label_column;
    table.target_columns.clear();
  }
  return table;
}

std::string unlabelled_text(const Files& files, Task task) {
  return fmt::format("; {} has no {} and is left out ('trainer predict' takes it)",
                     files[0].filename().string(),
                     task == Task::kRegression ? "targets" : "labels");
}

DataFolder open_table(const fs::path& path, const TableFormat& format, const TableFiles& files,
                      const OpenOptions& options) {
  if (options.in_blocks) refuse_whole(path, files.train[0].string(), format.what());
  const auto& known = options.known;
  auto table = table_options(options);
  const auto facts = format.facts(files.train, table);
  const auto& layout = facts.layout;
  const bool numbered = !facts.class_names.empty();  // classes have names, and labels are numbers
  if (layout.named_classes || numbered) table.class_names = known.class_names;
  if (numbered && !table.class_names.empty()) {
    table.classes = static_cast<std::uint32_t>(table.class_names.size());
  }
  std::string unknown;
  auto train = read_table(format, files.train, table, unknown);
  // A model's columns may come in another order.
  const auto index = known.columns ? std::string() : index_text(layout, *train);
  const bool labelled_by_index = layout.label_guessed && labels_count(train->contiguous().labels);
  KnownColumns columns{.names = train->column_names(), .of = files.train[0]};
  table.label_column = columns.names.label;
  table.target_columns = columns.names.targets;
  if (!table.columns) table.columns = std::move(columns);
  if (train->class_names().empty() || numbered) table.classes = train->classes();
  table.class_names = train->class_names();
  table.as_float = train->dtype() == DType::kFloat32;
  std::shared_ptr<const Dataset> test;
  bool unlabelled = false;
  if (!files.test.empty()) {
    const auto test_layout = format.facts(files.test, table).layout;
    // As competitions publish it: the same columns without the labels.
    unlabelled = (!test_layout.labelled && test_layout.values() == layout.values()) ||
                 format.unlabelled(files.test, table.label_column);
    if (!unlabelled) test = read_table(format, files.test, table, unknown);
  }
  std::shared_ptr<const Dataset> validation;
  if (!files.validation.empty()) {
    validation = read_table(format, files.validation, table, unknown);
  }
  auto opened = data_folder(path, std::move(train), std::move(test), options, "samples",
                            std::move(validation));
  if (!known.columns) opened.description += bytes_text(*opened.train, format.float_advice());
  opened.description += labels_text(layout);
  if (labelled_by_index)
    opened.description += ", which counts the lines: --label-column names another";
  opened.description += index;
  if (!known.columns) opened.description += form_text(opened.train->column_names().form);
  if (!known.columns && layout.is_formed() && layout.columns.empty()) {
    opened.description += "; the first line is a sample, for it names no columns";
  }
  opened.description += unknown;
  opened.columns = DataFolder::Columns::kAll;
  if (!unknown.empty()) opened.unknown = unknown.substr(2);
  if (unlabelled) opened.description += unlabelled_text(files.test, options.task);
  for (const auto& column : facts.index_columns) {
    opened.description += fmt::format("; {}, an index, is left out", in_quotes(column));
  }
  return opened;
}

/// What is left of columns beside images, as left_out_text() has files.
std::string columns_left_out(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  constexpr std::size_t kShown = 4;
  const auto shown = std::min(kShown, names.size());
  std::vector<std::string> quoted;
  for (const auto& name : std::span(names).first(shown)) quoted.push_back(in_quotes(name));
  return fmt::format(
      "; columns left out: {}{}", fmt::join(quoted, ", "),
      names.size() > shown ? fmt::format(" and {} more", names.size() - shown) : std::string());
}

DataFolder open_parquet_images(const fs::path& path, ParquetFiles train_files,
                               const TableFiles& files, const OpenOptions& options) {
  auto labels = table_options(options);
  labels.class_names = options.known.class_names;
  const auto headers =
      options.tolerant ? ParquetImages::Headers::kAnyReadable : ParquetImages::Headers::kAll;
  const auto train = std::make_shared<const ParquetImages>(std::move(train_files),
                                                           image_form(options), labels, headers);
  labels.label_column = train->column_names().label;
  labels.target_columns = train->column_names().targets;
  labels.class_names = train->class_names();
  if (train->targets() == 0 && (labels.class_names.empty() || train->numbered())) {
    labels.classes = train->classes();
  }
  std::string unlabelled;
  const auto beside = [&](const Files& of) -> std::shared_ptr<const Dataset> {
    if (of.empty()) return nullptr;
    auto opened = open_files(of);
    if (train->targets() == 0 && !has_labels(opened, labels.label_column)) {
      unlabelled += unlabelled_text(of, options.task);
      return nullptr;
    }
    return std::make_shared<const ParquetImages>(std::move(opened), *train, labels, headers);
  };
  auto test = beside(files.test);
  auto validation = beside(files.validation);
  auto opened = data_folder(path, train, std::move(test), options, "images", std::move(validation));
  opened.columns = DataFolder::Columns::kLabels;
  opened.description +=
      "; " + train->labels_text() + columns_left_out(train->left_out()) + unlabelled;
  return opened;
}

DataFolder open_parquet(const fs::path& path, const TableFiles& files, const OpenOptions& options) {
  auto train = open_files(files.train);
  const auto with_rows =
      std::ranges::find_if(train, [](const auto& file) { return file->footer().rows > 0; });
  // A model of tables has seen no images, whatever was left out beside its columns.
  const auto& known = options.known.columns;
  const bool of_table = known && !known->names.values.empty();
  if (with_rows != train.end() && !of_table && image_leaf(**with_rows, options.table.dropped)) {
    return open_parquet_images(path, std::move(train), files, options);
  }
  return open_table(path, ParquetFormat(files.train, std::move(train)), files, options);
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

DataFolder open_memory_tables(const MemoryTable& train, const MemoryTable* test,
                              const MemoryTable* validation, const OpenOptions& options) {
  MemoryFormat format;
  TableFiles files;
  format.add(train, files.train);
  if (test != nullptr) format.add(*test, files.test);
  if (validation != nullptr) format.add(*validation, files.validation);
  return open_table(train.name, format, files, options);
}

std::optional<DataFolder> open_csv_folder(const fs::path& folder, const OpenOptions& options) {
  const auto files = files_ending_in(folder, kCsv);
  if (files.empty()) return std::nullopt;
  auto splits = split_files(files, options.own_validation);
  if (splits.train.size() != 1 || splits.test.size() > 1 || splits.validation.size() > 1) {
    std::vector<std::string> names;
    names.reserve(files.size());
    for (const auto& file : files) names.push_back(file.filename().string());
    throw DataError(folder, std::nullopt,
                    "one CSV file to train on, and at most one to test and one to validate with",
                    fmt::format("{}", fmt::join(names, ", ")));
  }
  auto opened = open_table(folder, CsvFormat(),
                           {.train = std::move(splits.train),
                            .test = std::move(splits.test),
                            .validation = std::move(splits.validation)},
                           options);
  opened.description += left_out_text(splits.left_out);
  return opened;
}

std::optional<DataFolder> open_csv_file(const fs::path& path, const OpenOptions& options) {
  if (!plain_file_name(path).ends_with(kCsv)) return std::nullopt;
  return open_table(path, CsvFormat(), {.train = {path}, .test = {}, .validation = {}}, options);
}

std::optional<DataFolder> open_parquet_folder(const fs::path& folder, const OpenOptions& options) {
  auto splits = split_files(files_ending_in(folder, kParquet), options.own_validation);
  if (splits.train.empty()) return std::nullopt;
  auto opened = open_parquet(folder,
                             {.train = std::move(splits.train),
                              .test = std::move(splits.test),
                              .validation = std::move(splits.validation)},
                             options);
  opened.description += left_out_text(splits.left_out);
  return opened;
}

std::vector<fs::path> parquet_folders_below(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (!it->is_directory(ignored) || it->path().filename().string().starts_with('.')) continue;
    if (!files_ending_in(it->path(), kParquet).empty()) found.push_back(it->path());
  }
  std::ranges::sort(found);
  return found;
}

std::optional<DataFolder> open_parquet_file(const fs::path& path, const OpenOptions& options) {
  if (!plain_file_name(path).ends_with(kParquet)) return std::nullopt;
  return open_parquet(path, {.train = {path}, .test = {}, .validation = {}}, options);
}

}  // namespace millrace
