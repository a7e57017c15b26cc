#include "formats/table_read.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "formats/error.h"
#include "formats/idx_pair.h"
#include "formats/in_quotes.h"
#include "formats/table_fit.h"
#include "formats/table_formed.h"

namespace millrace {
namespace {

/// The names of classes, where labels are names; numbers of found ones become labels.
std::vector<std::string> settle_names(const std::filesystem::path& path,
                                      const ReadTableOptions& options,
                                      std::span<const TablePart> parts, TableContent& content) {
  if (!options.class_names.empty()) return options.class_names;
  const auto& readers = content.readers;
  const auto classes = classes_of(readers);
  if (classes.size() > kMostIdxClasses) {
    throw DataError(path, std::nullopt, fmt::format("at most {} classes", kMostIdxClasses),
                    fmt::format("{} names in the column of labels", classes.size()));
  }
  for (std::size_t i = 0; i < parts.size() && !classes.empty(); ++i) {
    std::vector<std::int32_t> label_of;
    for (const auto name : readers[i].names()) {
      label_of.push_back(classes.find(class_name_of(name))->second);
    }
    const auto values = std::span(content.labels.values).subspan(parts[i].first_row, parts[i].rows);
    for (auto& value : values) value = label_of[static_cast<std::size_t>(value)];
  }
  std::vector<std::string> names;
  names.reserve(classes.size());
  for (const auto& [name, label] : classes) names.push_back(name);
  return names;
}

/// To the columns of a file as they stand there.
void set_form(ColumnNames& names, TableForm form) {
  form.dropped = std::move(names.form.dropped);
  if (!names.values.empty()) names.values = form.value_names();
  names.form = std::move(form);
}

}  // namespace

LabelReader label_reader(const TableLayout& layout, const ReadTableOptions& options) {
  if (options.unlabelled_values) return LabelReader::of_anything();
  if (options.task == Task::kRegression) return LabelReader::of_targets();
  if (!options.class_names.empty() && options.classes)
    return LabelReader::of_numbers(*options.classes);
  if (!options.class_names.empty()) {
    auto classes = std::make_shared<ClassNumbers>();
    for (const auto& name : options.class_names) {
      classes->emplace(name, static_cast<std::int32_t>(classes->size()));
    }
    return LabelReader::of_classes(std::move(classes));
  }
  if (layout.named_classes && !options.classes) return LabelReader::of_names(kMostIdxClasses);
  return LabelReader::of_numbers(options.classes.value_or(kMostIdxClasses));
}

void refuse_unlabelled(const std::filesystem::path& path, const TableLayout& layout,
                       const ReadTableOptions& options) {
  if (layout.labelled || options.unlabelled_values) return;
  throw DataError(path, std::nullopt,
                  fmt::format("a column {} for {}", in_quotes(layout.missing),
                              options.task == Task::kRegression ? "targets" : "labels"),
                  "none of that name");
}

ReadTable finish_table(const std::filesystem::path& path, const TableLayout& layout,
                       const ReadTableOptions& options, std::span<const TablePart> parts,
                       std::uint64_t stored, TableContent content) {
  auto columns = columns_of(path, layout).names;
  if (options.columns) {
    columns.values = options.columns->names.values;
    columns.form = options.columns->names.form;
  }
  std::string unknown;
  const std::uint64_t rows = parts.back().first_row + parts.back().rows;
  if (layout.is_formed()) {
    if (!options.columns) set_form(columns, form_of(path, layout, content.asked, content.words));
    auto formed = apply_form(path, layout, parts, stored, content.words, columns.form);
    content.samples = std::move(formed.samples);
    unknown = std::move(formed.unknown);
  }
  auto names = settle_names(path, options, parts, content);
  auto labels = std::move(content.labels);
  if (options.unlabelled_values) labels = {.values = std::vector<std::int32_t>(rows)};
  if (!names.empty()) {
    labels.classes = static_cast<std::uint32_t>(names.size());
  } else if (labels.targets == 0) {
    labels.classes = options.classes.value_or(
        static_cast<std::uint32_t>(*std::ranges::max_element(labels.values)) + 1);
  }
  const auto width = layout.is_formed() ? columns.form.values() : layout.values();
  auto owner = std::make_shared<const Bytes>(std::move(content.samples));
  const auto data = owner->view();
  return {.samples = {.name = path.string(),
                      .dtype = content.dtype,
                      .dims = {rows, width},
                      .owner = std::move(owner),
                      .data = data},
          .labels = std::move(labels),
          .class_names = std::move(names),
          .columns = std::move(columns),
          .unknown = std::move(unknown)};
}

}  // namespace millrace
