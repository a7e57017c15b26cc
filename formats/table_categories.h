#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// The categories in a table's columns. Users want csv.h or parquet.h.

namespace millrace {

/// A category of a cell is this word in its place; missing ones are kNoCategory.
inline constexpr std::int32_t kNoCategory = -1;
/// Of a column: more would hardly be categories.
inline constexpr std::size_t kMostCategories = 65536;
/// Bytes of one, as of a class's name.
inline constexpr std::size_t kLongestCategory = 255;

/// Numbers the categories of each column as they come. One thread. Cells must stay where they are:
/// they are not copied.
class CategoryReader {
 public:
  /// `gaps`: cells may be missing. `known`: what categories there are is known, so that others may
  /// be as many and as long as they are.
  CategoryReader(std::size_t columns, bool gaps, bool known = false)
      : columns_(columns), gaps_(gaps), known_(known) {}

  /// The number of a cell in the `column`-th column of categories; nullopt for one that is no
  /// category.
  std::optional<std::int32_t> read(std::size_t column, std::string_view cell);
  /// What is one: "a category (of up to 255 bytes, …)".
  std::string expected() const;

  /// Those that came, by their numbers.
  std::span<const std::string_view> found(std::size_t column) const {
    return columns_[column].found;
  }

 private:
  struct Column {
    std::unordered_map<std::string_view, std::int32_t> numbers;
    std::vector<std::string_view> found;
    std::string_view last;  // mostly they come in runs, or are few
    std::int32_t last_number = kNoCategory;
  };
  std::vector<Column> columns_;
  bool gaps_;
  bool known_;
};

/// A category as the cell has it, in UTF-8.
std::string category_name(std::string_view cell);

}  // namespace millrace
