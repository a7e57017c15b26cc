#pragma once

#include <memory>
#include <string>

#include "compute/cuda/runtime.h"

namespace millrace::cuda {

/// Why GPU `index` of this machine cannot be used, in one clause; empty where it can, and then it
/// is started and the calling thread's.
std::string device_obstacle(int index);

/// The Runtime of a GPU. Throws DeviceError.
std::unique_ptr<Runtime> make_cuda_runtime(int index);

}  // namespace millrace::cuda
