#include "train/target_errors.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "train/target_scales.h"

namespace millrace {

TargetErrors::TargetErrors(std::size_t targets, std::vector<std::string> names)
    : each_(targets), names_(std::move(names)) {}

void TargetErrors::add(std::span<const float> truth, std::span<const float> predicted) {
  ++samples_;
  for (std::size_t t = 0; t < each_.size(); ++t) {
    Sums& sums = each_[t];
    const double error = double{predicted[t]} - double{truth[t]};
    sums.squares += error * error;
    sums.sizes += std::abs(error);
    if (!(std::abs(error) <= sums.largest) && !std::isnan(sums.largest)) {
      sums.largest = std::abs(error);  // a NaN stays one
    }
    const double away = double{truth[t]} - sums.mean;
    sums.mean += away / static_cast<double>(samples_);
    sums.spread += away * (double{truth[t]} - sums.mean);
  }
}

std::string TargetErrors::name(std::size_t target) const {
  return names_.empty() ? std::to_string(target) : names_.at(target);
}

double TargetErrors::rmse(std::size_t target) const {
  return samples_ == 0 ? 0.0 : std::sqrt(each_.at(target).squares / static_cast<double>(samples_));
}

double TargetErrors::mae(std::size_t target) const {
  return samples_ == 0 ? 0.0 : each_.at(target).sizes / static_cast<double>(samples_);
}

double TargetErrors::variance(std::size_t target) const {
  return samples_ == 0 ? 0.0 : each_.at(target).spread / static_cast<double>(samples_);
}

double TargetErrors::deviation(std::size_t target) const { return std::sqrt(variance(target)); }

double TargetErrors::r2(std::size_t target) const {
  const double root = rmse(target);
  return millrace::r2(root * root, variance(target));
}

double TargetErrors::pooled_r2(std::span<const TargetScale> scales) const {
  double errors = 0.0;
  double spread = 0.0;
  for (std::size_t t = 0; t < each_.size(); ++t) {
    const double unit = scales.empty() ? 1.0 : double{scales[t].deviation};
    errors += each_[t].squares / (unit * unit);
    spread += each_[t].spread / (unit * unit);
  }
  return millrace::r2(errors, spread);
}

}  // namespace millrace
