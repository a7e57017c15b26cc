#include "compute/chunk.h"

#include <algorithm>

namespace millrace {

Chunk Chunk::slice(std::uint32_t first, std::uint32_t n) const noexcept {
  const auto begin =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(count, std::uint64_t{first} * batch));
  const auto end = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(count, (std::uint64_t{first} + n) * batch));
  Chunk part = *this;
  part.count = end - begin;
  if (!learning_rates.empty())
    part.learning_rates = learning_rates.subspan(begin / batch, part.batches());
  if (packed()) {
    const auto part_of = [&](auto all) {
      const std::size_t each = count == 0 ? 0 : all.size() / count;
      return all.subspan(begin * each, part.count * each);
    };
    part.samples = part_of(samples);
    part.labels = part_of(labels);
  } else {
    part.indices = indices.subspan(begin, part.count);
  }
  return part;
}

}  // namespace millrace
