#include "formats/table_fit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "formats/error.h"
#include "formats/on_all_cores.h"
#include "formats/table_categories.h"

namespace millrace {
namespace {

using Sources = std::vector<TableSource>;

/// Of the cells of a column.
struct Sum {
  double sum = 0.0;  // of numbers
  std::uint64_t missing = 0;
};

constexpr std::uint64_t kBlockRows = 4096;  // added up in one go

std::vector<Sum> sums_of(const TableWords& words, const Sources& sources, std::uint64_t first,
                         std::uint64_t last) {
  std::vector<Sum> sums(sources.size());
  for (auto row = first; row < last; ++row) {
    const auto* word = words.row(row);
    for (std::size_t i = 0; i < sums.size(); ++i, ++word) {
      if (sources[i].categories) {
        sums[i].missing += std::bit_cast<std::int32_t>(*word) == kNoCategory ? 1 : 0;
      } else if (std::isnan(*word)) {
        ++sums[i].missing;
      } else {
        sums[i].sum += double{*word};
      }
    }
  }
  return sums;
}

std::vector<Sum> sums_of(const TableWords& words, const Sources& sources) {
  const auto rows = words.rows();
  std::vector<std::vector<Sum>> blocks((rows + kBlockRows - 1) / kBlockRows);
  on_all_cores(blocks.size(), blocks.size(), [&] {
    return [&](std::size_t i) {
      const auto first = i * kBlockRows;
      blocks[i] = sums_of(words, sources, first, std::min(rows, first + kBlockRows));
    };
  });
  std::vector<Sum> all(sources.size());
  for (const auto& block : blocks) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].sum += block[i].sum;
      all[i].missing += block[i].missing;
    }
  }
  return all;
}

/// All that came to a column, sorted.
std::vector<std::string> categories_of(const TableWords& words, std::size_t number) {
  std::set<std::string> all;
  for (const auto& reader : words.readers) {
    for (const auto cell : reader.found(number)) all.insert(category_name(cell));
  }
  return {all.begin(), all.end()};
}

/// Whether each is hardly in two lines: any table may have a few such.
bool tell_lines_apart(std::size_t categories, std::uint64_t lines) {
  constexpr std::uint64_t kFew = 32;
  return categories > std::max(kFew, lines / 2);
}

}  // namespace

TableForm form_of(const std::filesystem::path& path, const TableLayout& layout,
                  const std::vector<std::size_t>& asked, const TableWords& words) {
  const auto sources = table_sources(layout);
  const auto sums = sums_of(words, sources);
  const auto rows = words.rows();
  TableForm form{.columns = {}, .dropped = {}, .fills = layout.gaps};
  std::vector<std::string> apart;
  std::vector<std::string> asked_as;  // those columns on a command line
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto column = sources[i].column;
    const auto cells = rows - sums[i].missing;
    if (cells == 0) {
      throw DataError(
          path, std::nullopt, fmt::format("a value in {}", layout.text_of(column)),
          fmt::format("none (--drop-columns {} leaves it out)", layout.asked_as(column)));
    }
    TableColumn made{.name = layout.columns.empty() ? std::to_string(column + 1)
                                                    : layout.columns[column]};
    made.flagged = sums[i].missing > 0;
    if (sources[i].categories) {
      made.categories = categories_of(words, *sources[i].categories);
      const auto count = made.categories.size();
      if (count > kMostCategories) {
        throw DataError(
            path, std::nullopt,
            fmt::format("at most {} categories in {}", kMostCategories, layout.text_of(column)),
            std::to_string(count));
      }
      if (tell_lines_apart(count, cells) && std::ranges::find(asked, column) == asked.end()) {
        apart.push_back(fmt::format("{} in {}", count, layout.text_of(column)));
        asked_as.push_back(layout.asked_as(column));
      }
    } else if (layout.gaps) {
      made.fill = static_cast<float>(sums[i].sum / static_cast<double>(cells));
    }
    form.columns.push_back(std::move(made));
  }
  if (!apart.empty()) {
    throw DataError(path, std::nullopt,
                    fmt::format("fewer categories than tell {} lines apart", rows),
                    fmt::format("{} (--drop-columns {} leaves out, --one-hot by name takes them)",
                                fmt::join(apart, ", "), fmt::join(asked_as, ",")));
  }
  return form;
}

}  // namespace millrace
