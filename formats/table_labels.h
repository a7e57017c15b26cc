#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// The labels of a table: numbers, or names of classes. Users want csv.h or parquet.h.

namespace millrace {

/// Labels by the names of their classes.
using ClassNumbers = std::map<std::string, std::int32_t, std::less<>>;

/// Reads labels, cell by cell. One thread.
class LabelReader {
 public:
  /// Of numbers below `limit`.
  static LabelReader of_numbers(std::uint32_t limit);
  /// Of names that are known.
  static LabelReader of_classes(std::shared_ptr<const ClassNumbers> classes);
  /// Of any names, which are numbered as they come; at most `limit` of them. Cells must stay where
  /// they are: they are not copied.
  static LabelReader of_names(std::uint32_t limit);

  /// Of targets, by their bits.
  static LabelReader of_targets();
  /// Of whatever stands there, which counts as 0.
  static LabelReader of_anything();

  /// nullopt for a cell that is no such label.
  std::optional<std::int32_t> read(std::string_view cell);
  /// The same of a cell that is a number.
  std::optional<std::int32_t> read(double number) const;
  /// What is one: "a whole number in [0, 10) as the label".
  std::string expected() const;
  /// Behind what was found in its place, and what to do about it; empty where nothing is known.
  std::string_view advice(std::string_view cell) const;

  /// Of of_names: those that came, by their numbers.
  std::span<const std::string_view> names() const noexcept { return names_; }

 private:
  enum class Kind : std::uint8_t { kNumbers, kClasses, kNames, kTargets, kAnything };
  LabelReader(Kind kind, std::uint32_t limit) : kind_(kind), limit_(limit) {}

  Kind kind_;
  std::uint32_t limit_;
  std::shared_ptr<const ClassNumbers> classes_;
  std::unordered_map<std::string_view, std::int32_t> numbers_;
  std::vector<std::string_view> names_;
};

/// A class's or a column's name as the cell has it: with doubled quotes single.
std::string class_name_of(std::string_view cell);

/// All names that came to `readers`, sorted, and their labels.
ClassNumbers classes_of(std::span<const LabelReader> readers);

}  // namespace millrace
