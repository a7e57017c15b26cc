#pragma once

#include <memory>

#include "compute/engine.h"
#include "compute/stage.h"

namespace millrace {

/// Whether this build can run CUDA where the machine can.
bool cuda_built() noexcept;

/// Why this build or this machine cannot run CUDA, in one clause ("this build has no CUDA
/// support"); empty where it can.
std::string cuda_obstacle();

/// Throws DeviceError with cuda_obstacle() where there is one.
std::unique_ptr<Engine> make_cuda_engine(const MlpSpec& model, const TrainSpec& train,
                                         const Device& device);

/// Shows stages as ranges to NVIDIA's profilers; null in a build without CUDA. Costs next to
/// nothing where no profiler is attached. Lives as long as the process.
StageListener* cuda_profiler() noexcept;

}  // namespace millrace
