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
  const std::uint64_t round = position < offset_ && order_ ? order_->size() : 0;
  return position + round >= offset_ && position + round - offset_ < size_;
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
  if (!order_) return;
  const std::uint64_t count = order_->size();
  if (offset_ + size_ > count) {
    for (std::uint64_t& id : ids) id -= id >= count ? count : 0;
  }
  order_->apply(ids);
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
  const Permutation order(count, seed, kSplitStream);
  const std::uint64_t kept = count - validation_size;
  split.train = Subset(order, 0, kept);
  split.validation = Subset(order, kept, validation_size);
  return split;
}

Split Split::folded(std::uint64_t count, Fold fold, std::uint64_t seed) {
  if (fold.count < 2 || fold.count > count) {
    throw std::invalid_argument("folds: expected 2 to " + std::to_string(count) +
                                ", a sample for each at least, found " +
                                std::to_string(fold.count));
  }
  if (fold.index >= fold.count) {
    throw std::invalid_argument("fold: expected one below " + std::to_string(fold.count) +
                                ", found " + std::to_string(fold.index));
  }
  // The first `longer` parts have a sample more.
  const std::uint64_t part = count / fold.count;
  const std::uint64_t longer = count % fold.count;
  const auto begin = [&](std::uint64_t index) { return index * part + std::min(index, longer); };
  const std::uint64_t first = begin(fold.index);
  const std::uint64_t end = begin(std::uint64_t{fold.index} + 1);
  const Permutation order(count, seed, kSplitStream);
  Split split;
  split.validation = Subset(order, first, end - first);
  split.train = Subset(order, end == count ? 0 : end, count - (end - first));
  return split;
}

}  // namespace millrace
