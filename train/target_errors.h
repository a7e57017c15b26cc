#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compute/spec.h"

namespace millrace {

/// How far a model's targets are from the true ones, each by itself and in its own unit.
class TargetErrors {
 public:
  /// `names`: of all targets, or none.
  explicit TargetErrors(std::size_t targets, std::vector<std::string> names = {});

  /// Of one sample: [targets] each.
  void add(std::span<const float> truth, std::span<const float> predicted);

  std::size_t targets() const noexcept { return each_.size(); }
  std::uint64_t samples() const noexcept { return samples_; }
  bool named() const noexcept { return !names_.empty(); }
  /// Its name, or its number.
  std::string name(std::size_t target) const;

  /// The root of the mean squared error, the mean absolute error, and the largest; 0 without
  /// samples.
  double rmse(std::size_t target) const;
  double mae(std::size_t target) const;
  double largest(std::size_t target) const { return each_.at(target).largest; }
  /// Of the true ones.
  double mean(std::size_t target) const { return each_.at(target).mean; }
  double deviation(std::size_t target) const;
  /// See r2() in target_scales.h.
  double r2(std::size_t target) const;
  /// Of all targets together, each in the unit of its scale, in which a network is trained (empty:
  /// as they are): what Metrics and target_spread() say of these samples, but for rounding.
  double pooled_r2(std::span<const TargetScale> scales) const;

 private:
  struct Sums {
    double squares = 0.0;  // of errors
    double sizes = 0.0;    // of errors
    double largest = 0.0;
    double mean = 0.0;    // of the targets so far (Welford 1962)
    double spread = 0.0;  // the sum of their squared distances from it
  };
  double variance(std::size_t target) const;

  std::vector<Sums> each_;
  std::vector<std::string> names_;
  std::uint64_t samples_ = 0;
};

}  // namespace millrace
