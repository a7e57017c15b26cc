#include "formats/parquet.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/parquet_cells.h"
#include "formats/table_columns.h"
#include "formats/table_formed.h"
#include "formats/table_label_columns.h"
#include "formats/table_layout.h"
#include "formats/table_read.h"
#include "formats/text_numbers.h"

namespace millrace {
namespace {

std::vector<std::shared_ptr<const ParquetFile>> open(
    const std::vector<std::filesystem::path>& paths) {
  std::vector<std::shared_ptr<const ParquetFile>> files;
  files.reserve(paths.size());
  for (const auto& path : paths) files.push_back(std::make_shared<const ParquetFile>(path));
  return files;
}

/// How many cells of the leaf each row has; 0 where they are not as many.
std::uint64_t width_of(const ParquetFooter& footer, std::size_t leaf) {
  if (footer.leaves[leaf].repetition == 0) return 1;
  const auto& group = footer.groups.front();
  const auto cells = group.chunks[leaf].values;
  return cells % group.rows == 0 ? cells / group.rows : 0;
}

/// Of numbers in lists, each place is one.
constexpr std::uint64_t kMostColumns = std::uint64_t{1} << 20;

std::string place_name(const std::string& list, std::size_t index) {
  return fmt::format("{}[{}]", list, index);
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// Whether a name means a leaf: its own, or that of a struct around it.
bool means(std::string_view name, std::string_view leaf) {
  return leaf.starts_with(name) && (leaf.size() == name.size() || leaf[name.size()] == '.');
}

}  // namespace

ParquetTable::ParquetTable(const std::vector<std::filesystem::path>& files,
                           const ReadTableOptions& options)
    : ParquetTable(open(files), options) {}

ParquetTable::ParquetTable(std::vector<std::shared_ptr<const ParquetFile>> files,
                           const ReadTableOptions& options) {
  columns_.files = std::move(files);
  columns_.options = options;
  // What has no rows has no columns that anybody needs.
  std::erase_if(columns_.files, [this](const auto& file) {
    if (columns_.name.empty()) columns_.name = file->path().string();
    return file->footer().rows == 0;
  });
  if (columns_.files.empty())
    throw DataError(columns_.name, std::nullopt, "rows of a table", "none");
  columns_.name = columns_.files.size() == 1
                      ? columns_.files.front()->path().string()
                      : columns_.files.front()->path().parent_path().string();
  find_cells();
  // Before memory is taken for what footers say.
  std::uint64_t rows = 0;
  std::uint64_t stored = 0;
  for (const auto& file : columns_.files) {
    if (file->footer().rows > std::numeric_limits<std::int64_t>::max() - rows) {
      throw DataError(file->path(), std::nullopt, "fewer rows than 2^63", "more");
    }
    rows += file->footer().rows;
    stored += file->bytes().size();
  }
  check_table_size(columns_.name, stored, rows, std::max<std::size_t>(columns_.layout.cells, 1));
  find_layout();
  find_others();
}

bool ParquetTable::is_dropped(const std::string& name) const {
  const auto& options = columns_.options;
  const auto& names = options.columns ? options.columns->names.form.dropped : options.table.dropped;
  return std::ranges::any_of(names, [&](const std::string& one) { return means(one, name); });
}

/// An index is no column, unless somebody asks for it.
bool ParquetTable::is_index(const std::string& name) const {
  const auto& options = columns_.options;
  if (!has(columns_.files.front()->footer().index_columns, name)) return false;
  const bool asked = has(columns_in(options.label_column), name) ||
                     has(options.target_columns, name) || has(options.table.one_hot, name);
  if (!options.columns) return !asked && !is_dropped(name);
  const auto& names = options.columns->names;
  return !asked && !has(sources_of(names), name) && names.label != name &&
         !has(names.targets, name) && !has(names.form.dropped, name);
}

void ParquetTable::find_cells() {
  const auto& footer = columns_.files.front()->footer();
  for (std::size_t leaf = 0; leaf < footer.leaves.size(); ++leaf) {
    const auto& name = footer.leaves[leaf].name;
    columns_.widths.push_back(0);
    if (is_index(name)) {
      index_columns_.push_back(name);
      continue;
    }
    // A list that is left out is one column, however long it is.
    const auto width = is_dropped(name) ? 1 : std::max<std::uint64_t>(width_of(footer, leaf), 1);
    if (width > kMostColumns - columns_.cells.size()) {
      throw DataError(columns_.files.front()->path(), std::nullopt,
                      fmt::format("at most {} columns", kMostColumns),
                      fmt::format("lists of {} in {}", width, in_quotes(name)));
    }
    columns_.widths.back() = static_cast<std::size_t>(width);
    for (std::size_t index = 0; index < width; ++index) {
      columns_.cells.push_back({.leaf = leaf, .index = index});
      columns_.layout.columns.push_back(width > 1 ? place_name(name, index) : name);
    }
  }
  columns_.layout.cells = columns_.cells.size();
}

/// What is asked of a list or a struct, asked of what is in it.
ReadTableOptions ParquetTable::options_of_lists() const {
  auto options = columns_.options;
  const auto& leaves = columns_.files.front()->footer().leaves;
  const auto add_columns = [&](const std::string& name, std::vector<std::string>& to) {
    bool found = false;
    for (std::size_t leaf = 0; leaf < leaves.size(); ++leaf) {
      const auto& of = leaves[leaf].name;
      if (columns_.widths[leaf] == 0 || !means(name, of)) continue;
      found = true;
      for (std::size_t i = 0; i < columns_.widths[leaf]; ++i) {
        to.push_back(columns_.widths[leaf] > 1 ? place_name(of, i) : of);
      }
    }
    if (!found) to.push_back(name);
  };
  const auto spread = [&](std::vector<std::string>& names) {
    std::vector<std::string> all;
    for (const auto& name : names) add_columns(name, all);
    names = std::move(all);
  };
  spread(options.table.one_hot);
  spread(options.table.dropped);
  const bool lists =
      std::ranges::any_of(columns_.widths, [](std::size_t width) { return width > 1; });
  if (!lists) return options;
  if (options.task != Task::kRegression) {
    refuse_label_lists();
  } else if (options.target_columns.empty() && !options.label_column.empty()) {
    for (const auto& name : columns_in(options.label_column)) {
      add_columns(name, options.target_columns);
    }
  } else if (options.target_columns.empty()) {
    const auto list = std::ranges::find_if(
        leaves, [](const ParquetLeaf& leaf) { return is_label_name(leaf.name); });
    if (list != leaves.end()) add_columns(list->name, options.target_columns);
  }
  return options;
}

/// Lists that are called as labels are, and are no classes.
void ParquetTable::refuse_label_lists() const {
  const auto& options = columns_.options;
  if (options.unlabelled_values) return;
  const auto& leaves = columns_.files.front()->footer().leaves;
  for (std::size_t leaf = 0; leaf < leaves.size(); ++leaf) {
    const auto& name = leaves[leaf].name;
    const bool asked =
        options.label_column.empty() ? is_label_name(name) : options.label_column == name;
    if (columns_.widths[leaf] < 2 || !asked) continue;
    throw DataError(columns_.files.front()->path(), std::nullopt,
                    fmt::format("a class in column {}", in_quotes(name)),
                    fmt::format("lists of {} (of 0 and 1 for each label: --task multilabel; of "
                                "numbers to be learnt: --task regression; --label-column names "
                                "another)",
                                columns_.widths[leaf]));
  }
}

void ParquetTable::find_layout() {
  const auto& path = columns_.files.front()->path();
  columns_.options = options_of_lists();
  refuse_one_column(path, 0, columns_.options, columns_.layout);
  if (columns_.options.columns && columns_.options.columns->names.values.empty())
    columns_.layout.columns.clear();
  std::vector<std::string> cells;
  std::vector<std::string_view> sample;
  cells.reserve(columns_.cells.size());
  for (const auto& cell : columns_.cells) {
    const auto& file = *columns_.files.front();
    // All of a list is text, or none.
    if (cell.index > 0) {
      sample.push_back(sample.back());
      continue;
    }
    const bool dropped = is_dropped(file.footer().leaves[cell.leaf].name);
    sample.emplace_back(cells.emplace_back(dropped ? "0" : first_text(file, cell.leaf)));
  }
  find_columns(path, 0, columns_.options, &sample, columns_.layout);
  refuse_types();
  // What text says is of no interest: the file knows what is text.
  columns_.asked = take_text_columns(columns_.layout, [this](std::size_t column) {
    const auto& leaf = columns_.files.front()->footer().leaves[columns_.cells[column].leaf];
    return leaf.meaning == ParquetMeaning::kText;
  });
  if (columns_.layout.label < columns_.layout.cells) {
    const auto& leaf =
        columns_.files.front()->footer().leaves[columns_.cells[columns_.layout.label].leaf];
    if (is_whole_leaf(leaf)) columns_.class_names = class_names_in(columns_.files, leaf.name);
  }
}

void ParquetTable::refuse_types() const {
  const auto& file = *columns_.files.front();
  const auto labels = columns_.layout.label_columns();
  for (std::size_t column = 0; column < columns_.cells.size(); ++column) {
    const auto& leaf = file.footer().leaves[columns_.cells[column].leaf];
    const bool width = width_of(file.footer(), columns_.cells[column].leaf) > 0;
    if (std::ranges::find(columns_.layout.dropped, column) != columns_.layout.dropped.end() ||
        (is_table_leaf(leaf) && width)) {
      continue;
    }
    if (std::ranges::find(labels, column) != labels.end() && columns_.options.unlabelled_values)
      continue;
    throw DataError(
        file.path(), std::nullopt,
        fmt::format("{} in {}",
                    width ? "numbers, bools or text" : "lists that are as long in each row",
                    columns_.layout.text_of(column)),
        fmt::format("{} (--drop-columns {} leaves it out)",
                    width ? describe(leaf) : "some that are longer than others",
                    columns_.widths[columns_.cells[column].leaf] > 1
                        ? in_quotes(leaf.name)
                        : columns_.layout.asked_as(column)));
  }
}

void ParquetTable::find_others() {
  const auto& first = *columns_.files.front();
  // What is left out may be anything, and so may labels that nobody looks at.
  std::vector<bool> anything(columns_.widths.size());
  for (const auto column : columns_.layout.dropped) anything[columns_.cells[column].leaf] = true;
  if (columns_.options.unlabelled_values) {
    for (const auto column : columns_.layout.label_columns()) {
      anything[columns_.cells[column].leaf] = true;
    }
  }
  for (const auto& file : columns_.files) {
    auto& numbers = columns_.leaves.emplace_back();
    const auto& leaves = file->footer().leaves;
    // Those of one name are told apart by their order.
    std::map<std::string_view, std::deque<std::size_t>> named;
    for (std::size_t i = 0; i < leaves.size(); ++i) named[leaves[i].name].push_back(i);
    for (std::size_t leaf = 0; leaf < columns_.widths.size(); ++leaf) {
      const auto& name = first.footer().leaves[leaf].name;
      auto& found = named[name];
      if (found.empty()) {
        numbers.push_back(leaves.size());
        if (columns_.widths[leaf] == 0) continue;
        throw DataError(file->path(), std::nullopt,
                        fmt::format("the columns of {}", first.path().string()),
                        fmt::format("none called {}", in_quotes(name)));
      }
      numbers.push_back(found.front());
      found.pop_front();
      if (columns_.widths[leaf] == 0 || anything[leaf]) continue;
      const auto& of = leaves[numbers.back()];
      const auto width = width_of(file->footer(), numbers.back());
      if (width == columns_.widths[leaf] && is_table_leaf(of)) continue;
      throw DataError(file->path(), std::nullopt,
                      fmt::format("{} value{} of {} in each row, as {} has", columns_.widths[leaf],
                                  columns_.widths[leaf] == 1 ? "" : "s", in_quotes(name),
                                  first.path().string()),
                      is_table_leaf(of) ? fmt::format("{}", width) : describe(of));
    }
  }
}

ReadTable ParquetTable::read() const {
  refuse_unlabelled(columns_.files.front()->path(), columns_.layout, columns_.options);
  return read_rows(columns_);
}

std::string first_text(const ParquetFile& file, std::size_t leaf) {
  const auto& footer = file.footer();
  const auto& of = footer.leaves[leaf];
  if (of.meaning != ParquetMeaning::kText) return "0";
  const auto column = read_column(file, of, footer.groups.front().chunks[leaf], 1);
  // A missing one says nothing of what the others are.
  for (const auto text : std::get<std::vector<std::string_view>>(column.values)) {
    if (const auto cell = without_blanks(text); !cell.empty()) return std::string(cell);
  }
  return {};
}

std::vector<std::string> class_names_in(
    const std::vector<std::shared_ptr<const ParquetFile>>& files, const std::string& column) {
  const ParquetFile* first = nullptr;
  const std::vector<std::string>* names = nullptr;
  for (const auto& file : files) {
    const auto& classes = file->footer().classes;
    const auto found = std::ranges::find(classes, column, &ParquetFooter::Classes::column);
    if (found == classes.end()) continue;
    if (names != nullptr && *names != found->names) {
      throw DataError(file->path(), std::nullopt,
                      fmt::format("the classes of {}, in their order", first->path().string()),
                      fmt::format("others: {} and {} more", in_quotes(found->names.front()),
                                  found->names.size() - 1));
    }
    if (names == nullptr) {
      first = file.get();
      names = &found->names;
    }
  }
  return names == nullptr ? std::vector<std::string>{} : *names;
}

bool has_labels(const std::vector<std::shared_ptr<const ParquetFile>>& files,
                const std::string& column) {
  for (const auto& file : files) {
    const auto& footer = file->footer();
    const auto found = std::ranges::find(footer.leaves, column, &ParquetLeaf::name);
    if (found == footer.leaves.end()) continue;
    const auto leaf = static_cast<std::size_t>(found - footer.leaves.begin());
    if (!is_whole_leaf(*found) || found->repetition > 0) return true;
    for (const auto& group : footer.groups) {
      const ParquetCells cells(*found, read_column(*file, *found, group.chunks[leaf], 1));
      bool labels = false;
      cells.for_numbers(
          [&labels](std::uint64_t /*cell*/, double number) { labels = labels || number != -1.0; });
      if (labels) return true;
    }
  }
  return false;
}

ReadTable read_parquet(const std::vector<std::filesystem::path>& files,
                       const ReadTableOptions& options) {
  return ParquetTable(files, options).read();
}

}  // namespace millrace
