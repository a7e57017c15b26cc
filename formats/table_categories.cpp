#include "formats/table_categories.h"

#include <fmt/format.h>

#include "formats/csv_cells.h"
#include "formats/json_text.h"
#include "formats/table_labels.h"

namespace millrace {

std::optional<std::int32_t> CategoryReader::read(std::size_t column, std::string_view cell) {
  auto& of = columns_[column];
  if (!of.found.empty() && cell == of.last) return of.last_number;
  if (is_csv_missing(cell)) return gaps_ ? std::optional(kNoCategory) : std::nullopt;
  const auto known = of.numbers.find(cell);
  if (known != of.numbers.end()) {
    of.last = known->first;
    of.last_number = known->second;
    return known->second;
  }
  const bool too_much = cell.size() > kLongestCategory || of.found.size() == kMostCategories;
  if (too_much && !known_) return std::nullopt;
  const auto number = static_cast<std::int32_t>(of.found.size());
  of.numbers.emplace(cell, number);
  of.found.push_back(cell);
  of.last = cell;
  of.last_number = number;
  return number;
}

std::string CategoryReader::expected() const {
  return fmt::format("a category (of up to {} bytes, and {} of them)", kLongestCategory,
                     kMostCategories);
}

std::string category_name(std::string_view cell) { return utf8_text(class_name_of(cell)); }

}  // namespace millrace
