#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

// Text of tables that is no CSV. Users want parquet.h or memory_table.h.

namespace millrace {

/// Text without the blanks around it, which are no part of a cell.
constexpr std::string_view without_blanks(std::string_view text) noexcept {
  constexpr std::string_view kBlanks = " \t";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return text.substr(0, 0);
  return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

/// Text as a cell of a CSV file within quotes has it, which is what readers of labels and
/// categories take.
inline std::string doubled_quotes(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    cell.push_back(c);
    if (c == '"') cell.push_back(c);
  }
  return cell;
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
