#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "compute/cuda/dropout.h"
#include "compute/cuda/elements.h"
#include "compute/cuda/norm.h"
#include "compute/spec.h"

namespace millrace::cuda {

/// A hidden unit's output and the derivative there.
struct Point {
  float y = 0.0F;
  float slope = 0.0F;
};

/// An activation of a sum, by its definition in compute/spec.h. A NaN gives one.
MILLRACE_HOST_DEVICE inline Point activated(Activation kind, float z) {
  switch (kind) {
    case Activation::kGelu: {
      // The complement keeps the tail below zero exact.
      const float share = 0.5F * std::erfc(z * -0.707106781F);
      const float density = 0.398942280F * std::exp(-0.5F * z * z);
      return {z * share, share + z * density};
    }
    case Activation::kTanh: {
      const float y = std::tanh(z);
      return {y, 1.0F - y * y};
    }
    case Activation::kSigmoid: {
      const float e = std::exp(-std::fabs(z));
      const float upper = 1.0F / (1.0F + e);
      const float lower = e * upper;
      return {z < 0.0F ? lower : upper, upper * lower};
    }
    case Activation::kLeakyRelu: {
      const float slope = z > 0.0F ? 1.0F : kLeakySlope;
      return {z * slope, slope};
    }
    case Activation::kRelu:
      break;
  }
  // Not "z > 0": neither a NaN nor its gradient may vanish.
  return {z < 0.0F ? 0.0F : z, z <= 0.0F ? 0.0F : 1.0F};
}

/// y = dropout(activation(norm(sums))), and `slopes` what the gradient of y is multiplied by to
/// become that of the activation's argument. Zero in columns from `width` on, whatever the
/// activation of zero is. sums, y, slopes: [rows, padded], padded a multiple of 8; y may be the
/// sums. A call does eight columns of a row.
struct Activate {
  static constexpr std::uint32_t kColumns = Elements::kGroup;

  Elements sums;
  Elements y;
  Elements slopes;  ///< null: not wanted
  std::uint32_t rows = 0;
  std::uint32_t width = 0;
  std::uint32_t padded = 0;
  Activation kind = Activation::kRelu;
  Keeping keeping;
  Normalise norm;

  MILLRACE_HOST_DEVICE std::size_t count() const { return std::size_t{rows} * (padded / kColumns); }
  MILLRACE_HOST_DEVICE void operator()(std::size_t i) const {
    const std::uint32_t groups = padded / kColumns;
    const auto group = static_cast<std::uint32_t>(i % groups);
    float values[kColumns];
    float factors[kColumns];
    float times[kColumns] = {1.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F};
    sums.load_group(i * kColumns, values);
    if (keeping.step != nullptr) keeping.draw(static_cast<std::uint32_t>(i / groups), group, times);
    for (std::uint32_t c = 0; c < kColumns; ++c) {
      const std::uint32_t column = group * kColumns + c;
      const float z = norm.mean != nullptr ? norm(values[c], column) : values[c];
      const Point point = activated(kind, z);
      const bool counts = column < width && times[c] != 0.0F;
      values[c] = counts ? point.y * times[c] : 0.0F;
      factors[c] = counts ? point.slope * times[c] : 0.0F;
    }
    y.store_group(i * kColumns, values);
    if (slopes.data != nullptr) slopes.store_group(i * kColumns, factors);
  }
};

}  // namespace millrace::cuda
