#include "formats/parquet.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/parquet_cells.h"
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
  return std::ranges::find(names, name) != names.end();
}

void ParquetTable::find_cells() {
  const auto& footer = columns_.files.front()->footer();
  for (std::size_t leaf = 0; leaf < footer.leaves.size(); ++leaf) {
    const auto& name = footer.leaves[leaf].name;
    columns_.widths.push_back(0);
    if (std::ranges::find(footer.index_columns, name) != footer.index_columns.end()) {
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

/// What is asked of a list, asked of its places.
ReadTableOptions ParquetTable::options_of_lists() const {
  auto options = columns_.options;
  const auto& leaves = columns_.files.front()->footer().leaves;
  const auto places_of = [&](std::string_view name) {
    std::vector<std::string> places;
    for (std::size_t leaf = 0; leaf < leaves.size(); ++leaf) {
      if (columns_.widths[leaf] < 2 || leaves[leaf].name != name) continue;
      for (std::size_t i = 0; i < columns_.widths[leaf]; ++i)
        places.push_back(place_name(leaves[leaf].name, i));
    }
    return places;
  };
  const auto spread = [&](std::vector<std::string>& names) {
    std::vector<std::string> all;
    for (const auto& name : names) {
      const auto places = places_of(name);
      if (places.empty()) all.push_back(name);
      all.insert(all.end(), places.begin(), places.end());
    }
    names = std::move(all);
  };
  spread(options.table.one_hot);
  if (options.task == Task::kRegression && options.target_columns.empty()) {
    if (!options.label_column.empty()) {
      options.target_columns = places_of(options.label_column);
    } else {
      for (std::size_t leaf = 0; leaf < leaves.size(); ++leaf) {
        if (!is_label_name(leaves[leaf].name)) continue;
        options.target_columns = places_of(leaves[leaf].name);
        break;
      }
    }
  }
  return options;
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
  for (const auto& cell : columns_.cells)
    sample.emplace_back(cells.emplace_back(first_text(*columns_.files.front(), cell.leaf)));
  find_columns(path, 0, columns_.options, &sample, columns_.layout);
  refuse_types();
  columns_.asked = columns_.layout.categories;
  if (columns_.layout.text_columns) {
    // What text says is of no interest: the file knows what is text.
    const auto others = columns_.layout.other_columns();
    for (std::size_t column = 0; column < columns_.cells.size(); ++column) {
      const auto& leaf = columns_.files.front()->footer().leaves[columns_.cells[column].leaf];
      if (leaf.meaning == ParquetMeaning::kText &&
          std::ranges::find(others, column) == others.end() &&
          std::ranges::find(columns_.layout.categories, column) ==
              columns_.layout.categories.end()) {
        columns_.layout.categories.push_back(column);
      }
    }
    std::ranges::sort(columns_.layout.categories);
  }
  if (columns_.layout.label < columns_.layout.cells) {
    const auto& leaf =
        columns_.files.front()->footer().leaves[columns_.cells[columns_.layout.label].leaf];
    for (const auto& classes : columns_.files.front()->footer().classes) {
      if (is_whole_leaf(leaf) && classes.column == leaf.name) columns_.class_names = classes.names;
    }
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
  std::vector<bool> dropped(columns_.widths.size());
  for (const auto column : columns_.layout.dropped) dropped[columns_.cells[column].leaf] = true;
  for (const auto& file : columns_.files) {
    auto& numbers = columns_.leaves.emplace_back();
    const auto& leaves = file->footer().leaves;
    for (std::size_t leaf = 0; leaf < columns_.widths.size(); ++leaf) {
      const auto& name = first.footer().leaves[leaf].name;
      // Two columns of one name are told apart by their places.
      const bool here = leaf < leaves.size() && leaves[leaf].name == name;
      const auto found = here ? leaves.begin() + static_cast<std::ptrdiff_t>(leaf)
                              : std::ranges::find(leaves, name, &ParquetLeaf::name);
      numbers.push_back(static_cast<std::size_t>(found - leaves.begin()));
      if (columns_.widths[leaf] == 0) continue;
      if (found == leaves.end()) {
        throw DataError(file->path(), std::nullopt,
                        fmt::format("the columns of {}", first.path().string()),
                        fmt::format("none called {}", in_quotes(name)));
      }
      // What is left out may be anything.
      if (dropped[leaf]) continue;
      const auto width = width_of(file->footer(), numbers.back());
      if (width == columns_.widths[leaf] && is_table_leaf(*found)) continue;
      if (!is_table_leaf(first.footer().leaves[leaf])) continue;  // labels that nobody looks at
      throw DataError(file->path(), std::nullopt,
                      fmt::format("{} value{} of {} in each row, as {} has", columns_.widths[leaf],
                                  columns_.widths[leaf] == 1 ? "" : "s", in_quotes(name),
                                  first.path().string()),
                      is_table_leaf(*found) ? fmt::format("{}", width) : describe(*found));
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
  const ParquetCells cells(of, read_column(file, of, footer.groups.front().chunks[leaf], 1));
  return cells.size() == 0 ? std::string() : std::string(without_blanks(cells.text_of(0)));
}

ReadTable read_parquet(const std::vector<std::filesystem::path>& files,
                       const ReadTableOptions& options) {
  return ParquetTable(files, options).read();
}

}  // namespace millrace
