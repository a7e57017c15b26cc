#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace millrace {

/// What is asked of the columns of a table whose cells are no numbers, or missing.
struct TableOptions {
  /// Columns of categories, by their names or their numbers from 1; "text" stands for all that have
  /// text.
  std::vector<std::string> one_hot = {};
  /// Columns to leave out, likewise.
  std::vector<std::string> dropped = {};
  /// Cells may be missing: of numbers the column's mean stands for them, and where the training
  /// file misses some of a column, a value behind it says where.
  bool fill_missing = false;

  bool operator==(const TableOptions&) const = default;
};

/// What a column of a table is to a sample: one number; or a value for each of its categories, of
/// which one is 1 and the others are 0.
struct TableColumn {
  std::string name;                          ///< in the header; without one, its number from 1
  std::vector<std::string> categories = {};  ///< sorted by bytes, in UTF-8; none: numbers
  bool flagged = false;  ///< a value more, behind the others: 1 where the cell is missing, else 0
  std::optional<float> fill = {};  ///< of numbers: what stands for one that is missing

  /// How many values of a sample it is.
  std::size_t values() const noexcept {
    return (categories.empty() ? 1 : categories.size()) + (flagged ? 1 : 0);
  }
  bool operator==(const TableColumn&) const = default;
};

/// How lines of a table become samples, where that is more than their numbers in order.
struct TableForm {
  std::vector<TableColumn> columns = {};  ///< none: each is one number, which must be there
  std::vector<std::string> dropped = {};  ///< columns left out; without a header their numbers
  bool fills = false;                     ///< cells may be missing

  /// Of a sample.
  std::size_t values() const noexcept;
  /// What they are called: "age", "age missing", "sex=female", "sex=male".
  std::vector<std::string> value_names() const;
  /// By value: it is 0 or 1, of a category or of what is missing. Empty where columns is.
  std::vector<bool> indicators() const;
  bool operator==(const TableForm&) const = default;
};

}  // namespace millrace
