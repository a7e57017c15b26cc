#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "loader/permutation.h"

namespace millrace {

/// One of `count` parts of a data set, as cross-validation takes them in turn for validation.
struct Fold {
  std::uint32_t index = 0;
  std::uint32_t count = 0;  ///< 0: there are none

  bool operator==(const Fold&) const = default;
};

/// A part of a data set: positions [0, size()) mapped to sample ids, in O(1) memory.
class Subset {
 public:
  Subset() = default;
  /// All of `count` samples in their stored order.
  static Subset all(std::uint64_t count);

  std::uint64_t size() const noexcept { return size_; }
  /// No sample id reaches this.
  std::uint64_t bound() const noexcept { return order_ ? order_->size() : offset_ + size_; }
  /// Whether sample `id` is one of its samples, in O(1).
  bool contains(std::uint64_t id) const noexcept;
  /// The first one's id where its samples follow each other as they are stored; else nullopt.
  std::optional<std::uint64_t> begin_of_run() const noexcept;
  /// ids[i] = the sample at position positions[i]. Both spans have one length; they may be the same
  /// memory. Throws std::out_of_range for a position that is not below size().
  void map(std::span<const std::uint64_t> positions, std::span<std::uint64_t> ids) const;

 private:
  friend struct Split;
  // Of `size` positions from `offset` on, in an order that goes on from its end at its beginning.
  Subset(const Permutation& order, std::uint64_t offset, std::uint64_t size) noexcept
      : order_(order), offset_(offset), size_(size) {}
  std::optional<Permutation> order_;  ///< of the whole set; none: stored order
  std::uint64_t offset_ = 0;  ///< of its first sample in that order, which ends where it begins
  std::uint64_t size_ = 0;
};

/// Two disjoint parts that together are the whole set, drawn as torch.utils.data.random_split draws
/// them: a permutation of all samples seeded by `seed`, cut in two. With validation_size 0, `train`
/// keeps the stored order.
struct Split {
  Subset train;
  Subset validation;
  /// Throws std::invalid_argument if validation_size is not below `count`.
  static Split random(std::uint64_t count, std::uint64_t validation_size, std::uint64_t seed);
  /// That permutation cut in fold.count parts, whose sizes differ by one at most: one is
  /// `validation`, the others `train`. Each sample is validated in one fold. Throws
  /// std::invalid_argument for fewer than two parts, more than samples, and a fold that is none.
  static Split folded(std::uint64_t count, Fold fold, std::uint64_t seed);
  /// The one or the other: folded(), where there are folds.
  static Split of(std::uint64_t count, std::uint64_t validation_size, Fold fold,
                  std::uint64_t seed) {
    return fold.count != 0 ? folded(count, fold, seed) : random(count, validation_size, seed);
  }
};

}  // namespace millrace
