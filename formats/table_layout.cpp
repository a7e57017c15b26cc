#include "formats/table_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "formats/csv_cells.h"
#include "formats/error.h"
#include "formats/table_asked_columns.h"
#include "formats/table_columns.h"
#include "formats/table_label_columns.h"

namespace millrace {
namespace {

/// Of options.unlabelled_values: the columns that so many values come from.
std::optional<std::size_t> unlabelled_columns(const ReadTableOptions& options) {
  const auto known = known_form_columns(options);
  const auto& values = options.unlabelled_values;
  return values && known > 0 ? known : values;
}

[[noreturn]] void fail_unlabelled(const std::filesystem::path& path, std::uint64_t line,
                                  const ReadTableOptions& options, const TableLayout& layout) {
  const auto* labels = options.task == Task::kRegression ? "those of targets" : "one of labels";
  throw table_error(
      path, line,
      fmt::format("{} columns of values, and perhaps {}", *unlabelled_columns(options), labels),
      fmt::format("{} columns", layout.cells - layout.dropped.size()));
}

void refuse_dropped_labels(const std::filesystem::path& path, std::uint64_t line,
                           const TableLayout& layout) {
  for (const auto label : layout.label_columns()) {
    if (std::ranges::find(layout.dropped, label) == layout.dropped.end()) continue;
    throw table_error(path, line, "labels in a column that is not left out", layout.text_of(label));
  }
}

/// Without names, a form's columns are found by their places alone.
void check_width(const std::filesystem::path& path, std::uint64_t line,
                 const ReadTableOptions& options, const TableLayout& layout) {
  const auto expected = known_form_columns(options);
  if (expected == 0 || layout.values() == expected) return;
  if (!layout.labelled && !options.unlabelled_values) return;  // told when it is read
  throw table_error(
      path, line,
      fmt::format("{} columns of values, as {} has", expected, options.columns->of.string()),
      std::to_string(layout.values()));
}

/// Labels that are taken for some because nothing says that they are others.
void refuse_guess(const std::filesystem::path& path, std::uint64_t line,
                  const ReadTableOptions& options, const TableLayout& layout) {
  if (!layout.label_guessed || options.columns || options.table == TableOptions{}) return;
  throw table_error(
      path, line, "a column of labels (--label-column says which)",
      layout.columns.empty() ? "no header with names" : "none called label, class, target or y");
}

}  // namespace

std::vector<std::size_t> take_text_columns(TableLayout& layout,
                                           const std::function<bool(std::size_t)>& is_text) {
  auto asked = layout.categories;
  if (!layout.text_columns) return asked;
  const auto others = layout.other_columns();
  for (std::size_t column = 0; column < layout.cells; ++column) {
    const auto is_it = [column](std::size_t other) { return other == column; };
    if (std::ranges::any_of(others, is_it) || std::ranges::any_of(asked, is_it)) continue;
    if (is_text(column)) layout.categories.push_back(column);
  }
  std::ranges::sort(layout.categories);
  return asked;
}

std::size_t known_form_columns(const ReadTableOptions& options) {
  return options.columns ? options.columns->names.form.columns.size() : 0;
}

void refuse_one_column(const std::filesystem::path& path, std::uint64_t line,
                       const ReadTableOptions& options, const TableLayout& layout) {
  if (layout.cells >= 2 || unlabelled_columns(options) == 1U) return;
  // Whether it has what another file has is told of its names.
  if (layout.cells == 1 && options.columns && !layout.columns.empty()) return;
  throw table_error(path, line,
                    fmt::format("two or more columns, one of them of {}",
                                options.task == Task::kRegression ? "targets" : "labels"),
                    layout.cells == 1 ? "one" : "none");
}

void find_columns(const std::filesystem::path& path, std::uint64_t line,
                  const ReadTableOptions& options, const std::vector<std::string_view>* sample,
                  TableLayout& layout) {
  const auto& wanted = options.columns;
  const bool header = !layout.columns.empty();
  const bool regression = options.task == Task::kRegression;
  const auto unlabelled = unlabelled_columns(options);
  layout.label = layout.cells;
  const bool by_names = header && wanted;
  find_dropped(path, line, options, layout);
  const auto numbers_dropped = wanted && !header ? wanted->names.form.dropped.size() : 0;
  const auto cells = layout.cells - std::min(layout.cells, layout.dropped.size() + numbers_dropped);
  layout.labelled = unlabelled != cells;
  if (unlabelled && !by_names && layout.labelled) {
    const auto others =
        static_cast<std::ptrdiff_t>(cells) - static_cast<std::ptrdiff_t>(*unlabelled);
    if (regression ? others < 1 : others != 1) {
      fail_unlabelled(path, line, options, layout);
    }
  }
  if (layout.labelled && regression && unlabelled && !by_names) {
    // Nobody is asked which columns have what is of no interest.
    try {
      find_targets(path, line, options, layout);
    } catch (const DataError&) {
      fail_unlabelled(path, line, options, layout);
    }
  } else if (layout.labelled && regression) {
    find_targets(path, line, options, layout);
  } else if (layout.labelled) {
    find_label(path, line, options.label_column, sample, layout);
    refuse_guess(path, line, options, layout);
  }
  find_dropped_numbers(options, layout);
  refuse_dropped_labels(path, line, layout);
  if (unlabelled && !by_names && layout.labelled && layout.values() != *unlabelled) {
    fail_unlabelled(path, line, options, layout);
  }
  if (layout.values() == 0) {
    throw table_error(
        path, line,
        fmt::format("a column of values beside those of {}", regression ? "targets" : "labels"),
        layout.dropped.empty()
            ? fmt::format("{} columns, all of targets", layout.cells)
            : fmt::format("{} columns, of which {} {} left out", layout.cells,
                          layout.dropped.size(), layout.dropped.size() == 1 ? "is" : "are"));
  }
  if (by_names && (layout.labelled || unlabelled)) {
    layout.places = places_by_name(path, line, layout, *wanted);
  }
  check_width(path, line, options, layout);
  find_categories(path, line, options, layout);
  layout.named_classes =
      layout.label < layout.cells && sample != nullptr && is_csv_text((*sample)[layout.label]);
}

}  // namespace millrace
