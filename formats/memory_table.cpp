#include "formats/memory_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <deque>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include "formats/csv_cells.h"
#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/table_columns.h"
#include "formats/table_formed.h"
#include "formats/table_layout.h"
#include "formats/table_read.h"
#include "formats/text_numbers.h"

namespace millrace {
namespace {

using Kind = MemoryColumn::Kind;

constexpr std::uint64_t kAll = ~std::uint64_t{0};

/// A number as a table of text would have it.
std::string text_of(double number, Kind kind) {
  if (std::isnan(number)) return {};
  if (kind == Kind::kBools) return number != 0.0 ? "True" : "False";
  return kind == Kind::kNumbers ? float_text(number) : fmt::format("{}", number);
}

/// Text of a column, whatever it holds; empty where a cell is missing.
std::vector<std::string> texts_of(const MemoryColumn& column) {
  std::vector<std::string> texts;
  if (column.kind == Kind::kText) {
    for (auto& text : column.texts(kAll)) texts.push_back(std::move(text).value_or(std::string()));
  } else {
    for (const auto number : column.numbers()) texts.push_back(text_of(number, column.kind));
  }
  return texts;
}

/// Numbers of a column: NaN for what is missing, infinite for what is none.
std::vector<float> numbers_of(const MemoryColumn& column) {
  std::vector<float> numbers;
  if (column.kind != Kind::kText) {
    for (const auto number : column.numbers()) numbers.push_back(static_cast<float>(number));
    return numbers;
  }
  for (const auto& text : column.texts(kAll)) {
    const auto cell = text ? without_blanks(*text) : std::string_view();
    numbers.push_back(is_csv_missing(cell)
                          ? std::numeric_limits<float>::quiet_NaN()
                          : csv_float(cell).value_or(std::numeric_limits<float>::infinity()));
  }
  return numbers;
}

/// A table's columns.
struct Found {
  TableLayout layout;
  std::vector<std::size_t> asked;  ///< see form_of()
};

/// Fills a table's samples and labels.
class MemoryReading {
 public:
  MemoryReading(const MemoryTable& table, const Found& found, const ReadTableOptions& options)
      : table_(table), layout_(found.layout), asked_(found.asked), options_(options) {}

  ReadTable read() {
    const auto rows = static_cast<std::size_t>(table_.rows);
    const std::uint64_t stored = table_.rows * layout_.cells * sizeof(double);
    TableContent content{.samples = {},
                         .asked = asked_,
                         .readers = {label_reader(layout_, options_)},
                         .labels = {.values = std::vector<std::int32_t>(rows * layout_.words()),
                                    .targets = static_cast<std::uint32_t>(layout_.targets.size())}};
    read_labels(content);
    if (layout_.is_formed()) {
      content.words.columns = layout_.values();
      content.words.words.resize(rows * layout_.values());
      content.words.readers.emplace_back(layout_.categories.size(), layout_.gaps,
                                         layout_.form_known);
      texts_.resize(layout_.categories.size());
      read_values(content.words.words.data(), &content.words.readers[0]);
    } else {
      auto bytes = Bytes::allocate(rows * layout_.values() * sizeof(float));
      const std::span values(reinterpret_cast<float*>(bytes.writable().data()),
                             rows * layout_.values());
      read_values(values.data(), nullptr);
      if (are_bytes(values)) {
        content.dtype = DType::kUInt8;
        content.samples = Bytes::allocate(values.size());
        auto* to = reinterpret_cast<std::uint8_t*>(content.samples.writable().data());
        for (const auto value : values) *to++ = static_cast<std::uint8_t>(value);
      } else {
        content.samples = std::move(bytes);
      }
    }
    const TablePart all{.first_row = 0, .rows = table_.rows};
    return finish_table(table_.name, layout_, options_, {&all, 1}, stored, std::move(content));
  }

 private:
  void read_labels(TableContent& content) {
    if (options_.unlabelled_values) return;
    if (layout_.label < layout_.cells) read_label(layout_.label, 0, content);
    for (std::size_t i = 0; i < layout_.targets.size(); ++i) {
      read_label(layout_.targets[i], i, content);
    }
  }

  void read_label(std::size_t number, std::size_t word, TableContent& content) {
    const auto& column = table_.columns[number];
    auto& reader = content.readers[0];
    const auto put = [&](std::uint64_t row, std::optional<std::int32_t> label,
                         const std::string& found) {
      if (label) {
        content.labels.values[row * layout_.words() + word] = *label;
        return;
      }
      const auto* other =
          number == layout_.label && layout_.label_guessed ? " (--label-column names another)" : "";
      throw sample_error(
          table_.name, row,
          fmt::format("{} in {}{}", reader.expected(), layout_.text_of(number), other),
          cell_in_words(found) + std::string(reader.advice(found)));
    };
    if (column.kind == Kind::kText) {
      const auto texts = texts_of(column);
      for (std::uint64_t row = 0; row < texts.size(); ++row) {
        put(row,
            label_texts_.number_of(texts[row],
                                   [&](std::string_view cell) { return reader.read(cell); }),
            texts[row]);
      }
    } else {
      const auto numbers = column.numbers();
      for (std::uint64_t row = 0; row < numbers.size(); ++row) {
        put(row, reader.read(numbers[row]), text_of(numbers[row], column.kind));
      }
    }
  }

  void read_values(float* to, CategoryReader* categories) {
    std::size_t next = 0;
    for (std::size_t value = 0; value < layout_.values(); ++value) {
      const auto number = layout_.column_of(value);
      const auto place = layout_.places.empty() ? value : layout_.places[value];
      if (next < layout_.categories.size() && layout_.categories[next] == number) {
        put_categories(number, next++, *categories, to + place);
      } else {
        put_numbers(number, to + place);
      }
    }
  }

  void put_numbers(std::size_t number, float* to) {
    const auto numbers = numbers_of(table_.columns[number]);
    for (std::uint64_t row = 0; row < numbers.size(); ++row, to += layout_.values()) {
      *to = numbers[row];
      if (!std::isinf(*to) && (layout_.gaps || !std::isnan(*to))) continue;
      const auto found = texts_of(table_.columns[number])[row];
      throw sample_error(table_.name, row,
                         fmt::format("a finite number in {}", layout_.text_of(number)),
                         cell_in_words(found) + cell_advice(found, number, layout_));
    }
  }

  void put_categories(std::size_t number, std::size_t index, CategoryReader& reader, float* to) {
    const auto texts = texts_of(table_.columns[number]);
    for (std::uint64_t row = 0; row < texts.size(); ++row, to += layout_.values()) {
      const auto category = texts_[index].number_of(
          texts[row], [&](std::string_view cell) { return reader.read(index, cell); });
      if (!category) {
        throw sample_error(
            table_.name, row, fmt::format("{} in {}", reader.expected(), layout_.text_of(number)),
            cell_in_words(texts[row]) + (is_csv_missing(without_blanks(texts[row]))
                                             ? cell_advice(texts[row], number, layout_)
                                             : ""));
      }
      *to = std::bit_cast<float>(*category);
    }
  }

  bool are_bytes(std::span<const float> values) const {
    if (options_.as_float) return false;
    for (std::size_t value = 0; value < layout_.values(); ++value) {
      const auto kind = table_.columns[layout_.column_of(value)].kind;
      if (kind != Kind::kWhole && kind != Kind::kBools) return false;
    }
    return std::ranges::all_of(values,
                               [](float value) { return value >= 0.0F && value <= 255.0F; });
  }

  const MemoryTable& table_;
  const TableLayout& layout_;
  const std::vector<std::size_t>& asked_;
  const ReadTableOptions& options_;
  TextNumbers label_texts_;
  std::vector<TextNumbers> texts_;  // of columns of categories
};

Found find(const MemoryTable& table, const ReadTableOptions& options) {
  if (table.rows == 0) throw DataError(table.name, std::nullopt, "rows of a table", "none");
  TableLayout layout;
  std::vector<std::string> cells;
  std::vector<std::string_view> sample;
  cells.reserve(table.columns.size());
  for (const auto& column : table.columns) {
    layout.columns.push_back(column.name);
    std::string first = "0";
    if (column.kind == Kind::kText) {
      first = without_blanks(column.texts(1)[0].value_or(std::string()));
    }
    sample.emplace_back(cells.emplace_back(std::move(first)));
  }
  layout.cells = table.columns.size();
  refuse_one_column(table.name, 0, options, layout);
  if (options.columns && options.columns->names.values.empty()) layout.columns.clear();
  find_columns(table.name, 0, options, &sample, layout);
  auto asked = take_text_columns(
      layout, [&table](std::size_t column) { return table.columns[column].kind == Kind::kText; });
  const auto labels = layout.label_columns();
  const auto has = [](const std::vector<std::size_t>& columns, std::size_t column) {
    return std::ranges::find(columns, column) != columns.end();
  };
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    const bool not_looked_at =
        has(layout.dropped, i) || (has(labels, i) && options.unlabelled_values);
    if (column.kind != Kind::kOther || not_looked_at) continue;
    throw DataError(
        table.name, std::nullopt, fmt::format("numbers, bools or text in {}", layout.text_of(i)),
        fmt::format("{} (--drop-columns {} leaves it out)", column.other, layout.asked_as(i)));
  }
  return {.layout = std::move(layout), .asked = std::move(asked)};
}

}  // namespace

TableLayout memory_table_layout(const MemoryTable& table, const ReadTableOptions& options) {
  return find(table, options).layout;
}

ReadTable read_memory_table(const MemoryTable& table, const ReadTableOptions& options) {
  const auto found = find(table, options);
  const auto& layout = found.layout;
  refuse_unlabelled(table.name, layout, options);
  check_table_size(table.name, table.rows * layout.cells * sizeof(double), table.rows,
                   std::max<std::size_t>(layout.cells, 1));
  return MemoryReading(table, found, options).read();
}

}  // namespace millrace
