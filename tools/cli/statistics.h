#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "formats/dtype.h"

namespace millrace {

/// Range, mean and spread of numbers that come in pieces. Every piece is summed around its own mean
/// and then merged (Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
/// computing sample variances", 1979), so that nothing cancels.
class Statistics {
 public:
  void add(std::span<const float> values);
  /// Whole elements of `type`.
  void add(DType type, std::span<const std::byte> bytes);

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t nonfinite() const noexcept { return nonfinite_; }  ///< not in any of the following
  double min() const noexcept { return min_; }                     ///< 0 without values, as all
  double max() const noexcept { return max_; }
  double mean() const noexcept { return mean_; }
  /// Of the values as they are: divided by their number, not by one less.
  double standard_deviation() const noexcept;

 private:
  std::uint64_t count_ = 0;
  std::uint64_t nonfinite_ = 0;
  double min_ = 0.0;
  double max_ = 0.0;
  double mean_ = 0.0;
  double squares_ = 0.0;  // of the differences from the mean
};

}  // namespace millrace
