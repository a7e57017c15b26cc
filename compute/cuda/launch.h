#pragma once

#include <cuda_runtime_api.h>

#include "compute/cuda/kernel.h"

namespace millrace::cuda {

/// Enqueues a kernel. Returns the status of the launch, not of what it does.
cudaError_t launch_kernel(const Kernel& kernel, cudaStream_t stream);

}  // namespace millrace::cuda
