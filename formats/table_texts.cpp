#include "formats/table_texts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "formats/in_quotes.h"

namespace millrace {
namespace {

/// The first column of values whose name in the header is empty.
std::optional<std::size_t> nameless_column(const TableLayout& layout) {
  const auto names = columns_of({}, layout).names.values;
  const auto nameless = std::ranges::find(names, std::string());
  if (nameless == names.end()) return std::nullopt;
  return layout.column_of(static_cast<std::size_t>(nameless - names.begin()));
}

/// The first column of values that count up by one from line to line, as numbers of the lines do.
template <typename T>
std::optional<std::size_t> counting_column(const ContiguousView& data, std::size_t width) {
  constexpr std::size_t kLeast = 10;  // fewer may come so by chance
  const std::span values(reinterpret_cast<const T*>(data.samples.data()),
                         data.samples.size() / sizeof(T));
  const auto rows = values.size() / width;
  for (std::size_t column = 0; rows >= kLeast && column < width; ++column) {
    std::size_t row = 1;
    while (row < rows && values[row * width + column] == values[(row - 1) * width + column] + 1) {
      ++row;
    }
    if (row == rows) return column;
  }
  return std::nullopt;
}

/// Which of a table's columns of values it comes from.
std::size_t column_of_value(const Dataset& data, std::size_t value) {
  std::size_t column = 0;
  for (const auto& of : data.column_names().form.columns) {
    if (value < of.values()) return column;
    value -= of.values();
    ++column;
  }
  return column + value;
}

}  // namespace

bool labels_count(std::span<const std::int32_t> labels) {
  constexpr std::size_t kLeast = 10;  // fewer may come so by chance
  return labels.size() >= kLeast &&
         std::ranges::adjacent_find(
             labels, [](std::int32_t a, std::int32_t b) { return b != a + 1; }) == labels.end();
}

std::string index_text(const TableLayout& layout, const ArrayDataset& data) {
  if (const auto index = nameless_column(layout)) {
    return fmt::format(
        "; column {} has no name: if it is an index, as pandas writes it, --drop-columns {} leaves "
        "it out",
        *index + 1, *index + 1);
  }
  const auto width = static_cast<std::size_t>(data.shape().elements());
  const auto counting = data.dtype() == DType::kUInt8
                            ? counting_column<std::uint8_t>(data.contiguous(), width)
                            : counting_column<float>(data.contiguous(), width);
  if (!counting) return {};
  const auto column = layout.column_of(column_of_value(data, *counting));
  return fmt::format("; {} counts the lines: if it is an index, --drop-columns {} leaves it out",
                     layout.text_of(column), layout.asked_as(column));
}

std::string form_text(const TableForm& form) {
  constexpr std::size_t kShown = 4;
  std::vector<std::string> shown;
  std::size_t formed = 0;
  for (const auto& column : form.columns) {
    const auto categories = column.categories.size();
    if (column.values() == 1 && categories == 0) continue;
    if (++formed > kShown) continue;
    auto text = in_quotes(column.name);
    if (categories > 0)
      text += fmt::format(" of {} categor{}", categories, categories == 1 ? "y" : "ies");
    if (column.flagged)
      text += categories > 0 ? ", some missing" : " filled in where it is missing";
    shown.push_back(std::move(text));
  }
  if (formed == 0) return {};
  return fmt::format(
      "; columns {}{}", fmt::join(shown, ", "),
      formed > kShown ? fmt::format(" and {} more", formed - kShown) : std::string());
}

std::string bytes_text(const Dataset& data, std::string_view advice) {
  constexpr std::uint64_t kFewestPixels = 64;
  if (data.dtype() != DType::kUInt8 || data.shape().elements() >= kFewestPixels) return {};
  return fmt::format(
      "; all values are whole numbers from 0 to 255 and divided by 255, as pixels are ({} keeps "
      "them as they are)",
      advice);
}

std::string labels_text(const TableLayout& layout) {
  constexpr std::size_t kShown = 3;
  const auto& targets = layout.targets;
  if (targets.empty()) return "; labels in " + layout.text_of(layout.label);
  std::vector<std::string> shown;
  for (const auto target : std::span(targets).first(std::min(kShown, targets.size()))) {
    shown.push_back(layout.text_of(target));
  }
  const auto more = targets.size() > kShown ? fmt::format(" and {} more", targets.size() - kShown)
                                            : std::string();
  return fmt::format("; target{} in {}{}", targets.size() == 1 ? "" : "s", fmt::join(shown, ", "),
                     more);
}

}  // namespace millrace
