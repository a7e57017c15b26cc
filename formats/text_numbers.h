#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "formats/csv_cells.h"

// Text of tables that is no CSV. Users want parquet.h or memory_table.h.

namespace millrace {

/// A float as Python and most writers of CSV have it, 1.0 in place of 1; empty for NaN.
template <typename T>
std::string float_text(T number) {
  if (std::isnan(number)) return {};
  auto text = fmt::format("{}", number);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

/// Gives texts of a column their numbers, each of which is asked for once.
class TextNumbers {
 public:
  /// The number of `cell`, without blanks around it, by read(text) where it is new: nullopt where
  /// that is none. What a reader may keep of it lives as long as this.
  template <typename Read>
  std::optional<std::int32_t> number_of(std::string_view cell, Read read) {
    const auto text = without_blanks(cell);
    if (last_ && text == *last_) return last_number_;  // mostly they come in runs, or are few
    auto known = numbers_.find(text);
    if (known == numbers_.end()) {
      texts_.push_back(doubled_quotes(text));
      const std::optional<std::int32_t> number = read(std::string_view(texts_.back()));
      if (!number) return std::nullopt;
      texts_.emplace_back(text);
      known = numbers_.emplace(texts_.back(), *number).first;
    }
    last_ = known->first;
    last_number_ = known->second;
    return last_number_;
  }

 private:
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, std::int32_t> numbers_;
  std::optional<std::string_view> last_;
  std::int32_t last_number_ = 0;
};

}  // namespace millrace
