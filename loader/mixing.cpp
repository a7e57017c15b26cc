#include "loader/mixing.h"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace millrace {
namespace {

// Ordered pairs of different samples among `count`. In double: 2^32 samples have 2^64 pairs.
double pairs(std::uint64_t count) noexcept {
  const auto n = static_cast<double>(count);
  return count == 0 ? 0.0 : n * (n - 1.0);
}

}  // namespace

double mixing_score(std::span<const std::int32_t> labels, std::uint32_t batch,
                    std::span<const std::uint64_t> class_sizes) {
  if (batch == 0) throw std::invalid_argument("batch size 0: a batch holds at least one sample");
  std::uint64_t samples = 0;
  double alike = 0.0;
  for (const auto size : class_sizes) {
    samples += size;
    alike += pairs(size);
  }
  std::vector<std::uint64_t> counts(class_sizes.size());
  double batch_pairs = 0.0;
  double batch_alike = 0.0;
  for (std::size_t first = 0; first < labels.size(); first += batch) {
    const auto part = labels.subspan(first, std::min<std::size_t>(batch, labels.size() - first));
    std::ranges::fill(counts, 0);
    for (const auto label : part) {
      if (label < 0 || std::cmp_greater_equal(label, counts.size())) {
        throw std::out_of_range("label " + std::to_string(label) + " of " +
                                std::to_string(counts.size()) + " classes");
      }
      ++counts[static_cast<std::size_t>(label)];
    }
    batch_pairs += pairs(part.size());
    for (const auto count : counts) batch_alike += pairs(count);
  }
  if (samples < 2 || batch_pairs == 0.0) return 1.0;
  const double expected = alike / pairs(samples);
  if (expected >= 1.0) return 1.0;
  return std::clamp(1.0 - (batch_alike / batch_pairs - expected) / (1.0 - expected), 0.0, 1.0);
}

}  // namespace millrace
