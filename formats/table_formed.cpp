#include "formats/table_formed.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/on_all_cores.h"

namespace millrace {
namespace {

/// A cell whose category is none of the form's.
struct UnknownCell {
  std::uint64_t sample = 0;
  std::size_t column = 0;  ///< in the file
  std::string_view text;
};

/// Writes the samples of one piece.
class PartWriter {
 public:
  PartWriter(const TableWords& words, const CategoryReader& reader, const TableForm& form,
             const std::vector<TableSource>& sources)
      : words_(words), reader_(reader), form_(form), sources_(sources), labels_(sources.size()) {
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (!sources[i].categories) continue;
      const auto& all = form.columns[i].categories;
      for (const auto cell : reader.found(*sources[i].categories)) {
        const auto name = category_name(cell);
        const auto at = std::ranges::lower_bound(all, name);
        const bool known = at != all.end() && *at == name;
        labels_[i].push_back(known ? static_cast<std::int32_t>(at - all.begin()) : kNoCategory);
      }
    }
  }

  /// `to`: [form.values()], zeros.
  void write(std::uint64_t row, float* to) {
    bool unknown = false;
    const auto* words = words_.row(row);
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const auto& column = form_.columns[i];
      const bool known = sources_[i].categories ? write_category(i, words[i], to)
                                                : write_number(column, words[i], to);
      if (!known && !unknown) tell(row, i, words[i]);
      unknown = unknown || !known;
      to += column.values();
    }
    samples_ += unknown ? 1 : 0;
  }

  std::uint64_t unknown_samples() const noexcept { return samples_; }
  const std::optional<UnknownCell>& first_unknown() const noexcept { return first_; }

 private:
  static bool write_number(const TableColumn& column, float number, float* to) {
    const bool missing = std::isnan(number);
    to[0] = missing ? column.fill.value_or(0.0F) : number;
    if (column.flagged) to[1] = missing ? 1.0F : 0.0F;
    return true;
  }

  bool write_category(std::size_t i, float word, float* to) {
    const auto& column = form_.columns[i];
    const auto number = std::bit_cast<std::int32_t>(word);
    if (number == kNoCategory) {
      if (column.flagged) to[column.categories.size()] = 1.0F;
      return column.flagged;
    }
    const auto label = labels_[i][static_cast<std::size_t>(number)];
    if (label == kNoCategory) return false;
    to[label] = 1.0F;
    return true;
  }

  void tell(std::uint64_t row, std::size_t i, float word) {
    if (first_) return;
    const auto number = std::bit_cast<std::int32_t>(word);
    const auto found = reader_.found(sources_[i].categories.value_or(0));
    first_ =
        UnknownCell{.sample = row,
                    .column = sources_[i].column,
                    .text = number == kNoCategory ? "" : found[static_cast<std::size_t>(number)]};
  }

  const TableWords& words_;
  const CategoryReader& reader_;
  const TableForm& form_;
  const std::vector<TableSource>& sources_;
  std::vector<std::vector<std::int32_t>> labels_;  // by source and the reader's numbers
  std::uint64_t samples_ = 0;
  std::optional<UnknownCell> first_;
};

/// What a piece met.
struct PartUnknown {
  std::uint64_t samples = 0;
  std::optional<UnknownCell> first;
};

std::string unknown_text(const TableLayout& layout, const std::vector<PartUnknown>& pieces) {
  std::uint64_t samples = 0;
  std::optional<UnknownCell> first;
  for (const auto& piece : pieces) {
    samples += piece.samples;
    if (!first) first = piece.first;
  }
  if (!first) return {};
  return fmt::format(
      "{} categories that are not known, which count as none: the first is {} in {} "
      "of sample {}",
      samples == 1 ? "1 sample has" : fmt::format("{} samples have", samples),
      first->text.empty() ? "an empty cell" : in_quotes(first->text), layout.text_of(first->column),
      first->sample);
}

std::uint64_t physical_memory() {
  const auto pages = ::sysconf(_SC_PHYS_PAGES);
  const auto page = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
}

}  // namespace

void check_table_size(const std::filesystem::path& path, std::uint64_t stored, std::uint64_t rows,
                      std::size_t width) {
  constexpr std::uint64_t kMostTimes = 1024;
  constexpr std::uint64_t kAllowed = std::uint64_t{1} << 30U;
  const auto times = std::min(stored, std::numeric_limits<std::uint64_t>::max() / kMostTimes);
  const auto most = std::min(std::max(kAllowed, times * kMostTimes), physical_memory());
  if (rows <= most / sizeof(float) / width) return;
  throw DataError(
      path, std::nullopt,
      fmt::format("samples of at most {} times the file's size (and 1 GiB), in memory", kMostTimes),
      fmt::format("{} of {} values", rows, width));
}

FormedSamples apply_form(const std::filesystem::path& path, const TableLayout& layout,
                         std::span<const TablePart> parts, std::uint64_t stored,
                         const TableWords& words, const TableForm& form) {
  const auto sources = table_sources(layout);
  const auto width = form.values();
  const auto rows = words.rows();
  check_table_size(path, stored, rows, width);
  FormedSamples formed{.samples = Bytes::allocate(rows * width * sizeof(float)), .unknown = {}};
  auto* samples = reinterpret_cast<float*>(formed.samples.writable().data());
  std::vector<PartUnknown> unknown(parts.size());
  on_all_cores(parts.size(), parts.size(), [&] {
    return [&](std::size_t i) {
      PartWriter writer(words, words.readers[i], form, sources);
      const auto first = parts[i].first_row;
      std::fill_n(samples + first * width, parts[i].rows * width, 0.0F);
      for (auto row = first; row < first + parts[i].rows; ++row) {
        writer.write(row, samples + row * width);
      }
      unknown[i] = {.samples = writer.unknown_samples(), .first = writer.first_unknown()};
    };
  });
  formed.unknown = unknown_text(layout, unknown);
  return formed;
}

}  // namespace millrace
