#pragma once

#include <cstddef>

#include "compute/cuda/sums.h"

namespace millrace::cuda {

/// Hands the sums over to the host and begins new ones, in one thread: less than a copy of so few
/// bytes, for which the stream would wait for another engine of the device.
struct HandOverSums {
  DeviceMetrics* sums = nullptr;
  DeviceMetrics* host = nullptr;  ///< page-locked

  MILLRACE_HOST_DEVICE static std::size_t count() { return 1; }
  MILLRACE_HOST_DEVICE void operator()(std::size_t) const {
    const DeviceMetrics ended = *sums;
    *sums = {};
    *host = ended;
  }
};

}  // namespace millrace::cuda
