#include "compute/chunk.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

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

void check_learning_rate(float rate) {
  if (std::isfinite(rate) && rate >= 0.0F) return;
  throw std::invalid_argument("learning rate: expected a finite number of at least 0, found " +
                              std::to_string(rate));
}

void check_learning_rates(const Chunk& chunk) {
  for (const float rate : chunk.learning_rates) check_learning_rate(rate);
  if (!chunk.learning_rates.empty() && chunk.learning_rates.size() < chunk.batches()) {
    throw std::invalid_argument("chunk: expected " + std::to_string(chunk.batches()) +
                                " learning rates, found " +
                                std::to_string(chunk.learning_rates.size()));
  }
}

}  // namespace millrace
