#include "loader/subset.h"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace millrace {

Subset Subset::all(std::uint64_t count) {
  Subset subset;
  subset.size_ = count;
  return subset;
}

bool Subset::contains(std::uint64_t id) const noexcept {
  if (id >= bound()) return false;
  const std::uint64_t position = order_ ? order_->inverse(id) : id;
  return position >= offset_ && position - offset_ < size_;
}

std::optional<std::uint64_t> Subset::begin_of_run() const noexcept {
  return order_ ? std::nullopt : std::optional(offset_);
}

void Subset::map(std::span<const std::uint64_t> positions, std::span<std::uint64_t> ids) const {
  if (positions.size() != ids.size()) {
    throw std::invalid_argument("Subset::map: " + std::to_string(positions.size()) +
                                " positions, but room for " + std::to_string(ids.size()) + " ids");
  }
  std::uint64_t largest = 0;
  for (const auto position : positions) largest = std::max(largest, position);
  if (!positions.empty() && largest >= size_) {
    throw std::out_of_range("position " + std::to_string(largest) + " of a subset of " +
                            std::to_string(size_) + " samples");
  }
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = offset_ + positions[i];
  if (order_) order_->apply(ids);
}

Split Split::random(std::uint64_t count, std::uint64_t validation_size, std::uint64_t seed) {
  if (validation_size >= count) {
    throw std::invalid_argument("validation size " + std::to_string(validation_size) +
                                " leaves nothing to train on: the data set has " +
                                std::to_string(count) + " samples");
  }
  Split split;
  if (validation_size == 0) {
    split.train = Subset::all(count);
    return split;
  }
  split.train.order_ = Permutation(count, seed, kSplitStream);
  split.train.size_ = count - validation_size;
  split.validation.order_ = split.train.order_;
  split.validation.offset_ = split.train.size_;
  split.validation.size_ = validation_size;
  return split;
}

}  // namespace millrace
