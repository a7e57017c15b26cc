#pragma once

#include <cuda_runtime_api.h>

#include "compute/cuda/kernel.h"

namespace millrace::cuda {

/// Loads all kernels for the calling thread's device: one that is loaded when it is first launched
/// may wait for what runs, and may not be captured. Success if this build has code for the device.
cudaError_t load_kernels();

/// Enqueues a kernel. Returns the status of the launch, not of what it does.
cudaError_t launch_kernel(const Kernel& kernel, cudaStream_t stream);

/// To be called before kernels of this shape are launched. Whether the device can run all of one's
/// blocks at the same time.
cudaError_t prepare_small_training(const SmallTraining& kernel, int device, bool* runs);

}  // namespace millrace::cuda
