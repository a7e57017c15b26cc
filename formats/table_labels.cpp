#include "formats/table_labels.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "formats/csv_cells.h"
#include "formats/dataset.h"
#include "formats/idx_pair.h"
#include "formats/targets.h"

namespace millrace {
namespace {

constexpr std::size_t kLongestName = 255;  // as a folder's

// A label is a name, or a number: where one is a number, another one is a mistake.
bool is_name(std::string_view cell) {
  return !cell.empty() && cell.size() <= kLongestName && !is_csv_number(cell);
}

}  // namespace

LabelReader LabelReader::of_numbers(std::uint32_t limit) { return {Kind::kNumbers, limit}; }

LabelReader LabelReader::of_classes(std::shared_ptr<const ClassNumbers> classes) {
  LabelReader reader(Kind::kClasses, static_cast<std::uint32_t>(classes->size()));
  reader.classes_ = std::move(classes);
  return reader;
}

LabelReader LabelReader::of_names(std::uint32_t limit) { return {Kind::kNames, limit}; }

LabelReader LabelReader::of_targets() { return {Kind::kTargets, 0}; }

LabelReader LabelReader::of_anything() { return {Kind::kAnything, 1}; }

std::optional<std::int32_t> LabelReader::read(std::string_view cell) {
  if (kind_ == Kind::kAnything) return 0;
  if (kind_ == Kind::kTargets) {
    const auto target = csv_float(cell);
    return target ? std::optional(target_word(*target)) : std::nullopt;
  }
  if (kind_ == Kind::kNumbers) return csv_label(cell, limit_);
  if (!is_name(cell)) return std::nullopt;
  if (kind_ == Kind::kClasses) {
    const bool quoted = cell.find('"') != std::string_view::npos;
    const auto found = quoted ? classes_->find(class_name_of(cell)) : classes_->find(cell);
    if (found == classes_->end()) return std::nullopt;
    return found->second;
  }
  const auto known = numbers_.find(cell);
  if (known != numbers_.end()) return known->second;
  if (names_.size() >= limit_) return std::nullopt;
  const auto number = static_cast<std::int32_t>(names_.size());
  numbers_.emplace(cell, number);
  names_.push_back(cell);
  return number;
}

std::optional<std::int32_t> LabelReader::read(double number) const {
  if (kind_ == Kind::kAnything) return 0;
  if (kind_ == Kind::kTargets) {
    const auto target = static_cast<float>(number);
    return std::isfinite(target) ? std::optional(target_word(target)) : std::nullopt;
  }
  const bool whole =
      number >= 0 && number < static_cast<double>(limit_) && number == std::floor(number);
  if (kind_ != Kind::kNumbers || !whole) return std::nullopt;
  return static_cast<std::int32_t>(number);
}

std::string LabelReader::expected() const {
  switch (kind_) {
    case Kind::kNumbers:
      return fmt::format("a whole number in [0, {}) as the label", limit_);
    case Kind::kClasses:
      return fmt::format("one of the {} classes of the training set as the label", limit_);
    case Kind::kTargets:
      return "a finite number (float32) as the target";
    case Kind::kAnything:  // refuses nothing
    case Kind::kNames:
      break;
  }
  return fmt::format(
      "a class's name (of up to {} bytes, {} of them) as the label, as in the first "
      "sample,",
      kLongestName, limit_);
}

std::string_view LabelReader::advice(std::string_view cell) const {
  if (kind_ == Kind::kTargets) return csv_number_advice(cell);
  // Where classes are known, others are a mistake.
  const bool classes = kind_ == Kind::kNumbers && limit_ == kMostIdxClasses;
  return classes && is_csv_number(cell) ? kRegressionAdvice : std::string_view();
}

std::string class_name_of(std::string_view cell) {
  std::string name;
  for (std::size_t i = 0; i < cell.size(); ++i) {
    name.push_back(cell[i]);
    if (cell.substr(i, 2) == "\"\"") ++i;
  }
  return name;
}

ClassNumbers classes_of(std::span<const LabelReader> readers) {
  ClassNumbers classes;
  for (const auto& reader : readers) {
    for (const auto name : reader.names()) classes.emplace(class_name_of(name), 0);
  }
  std::int32_t label = 0;
  for (auto& [name, number] : classes) number = label++;
  return classes;
}

}  // namespace millrace
