#include "formats/class_sizes.h"

#include <fmt/format.h>

#include <cstddef>

namespace millrace {

std::vector<std::uint64_t> class_sizes(const Dataset& data) {
  const auto labels = data.labels();
  if (labels.empty() || data.task() == Task::kRegression) return {};
  std::vector<std::uint64_t> sizes(data.classes());
  for (const std::int32_t label : labels) ++sizes[static_cast<std::size_t>(label)];
  return sizes;
}

std::string empty_classes_text(std::span<const std::uint64_t> class_sizes) {
  constexpr std::size_t kMostRanges = 3;
  std::string ranges;
  std::size_t told = 0;
  std::uint64_t empty = 0;
  std::uint64_t untold = 0;
  for (std::size_t first = 0; first < class_sizes.size(); ++first) {
    if (class_sizes[first] != 0) continue;
    std::size_t last = first;
    while (last + 1 < class_sizes.size() && class_sizes[last + 1] == 0) ++last;
    const std::uint64_t count = last - first + 1;
    empty += count;
    if (told == kMostRanges) {
      untold += count;
    } else {
      ranges += (told == 0 ? "" : ", ") + std::to_string(first);
      if (last > first) ranges += " to " + std::to_string(last);
      ++told;
    }
    first = last;
  }
  if (empty == 0) return {};
  if (untold > 0) ranges += fmt::format(" and {} more", untold);
  return fmt::format("{} {} of {} {} no sample", empty == 1 ? "class" : "classes", ranges,
                     class_sizes.size(), empty == 1 ? "has" : "have");
}

}  // namespace millrace
