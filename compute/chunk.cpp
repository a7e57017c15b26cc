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
    const std::size_t sample_bytes = count == 0 ? 0 : samples.size() / count;
    part.samples = samples.subspan(begin * sample_bytes, part.count * sample_bytes);
    part.labels = labels.subspan(begin, part.count);
  } else {
    part.indices = indices.subspan(begin, part.count);
  }
  return part;
}

}  // namespace millrace
