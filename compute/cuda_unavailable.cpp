// Compiled in place of compute/cuda/ where the build has no CUDA toolkit.
#include "compute/cuda_engine.h"

namespace millrace {

bool cuda_built() noexcept { return false; }

std::string cuda_obstacle() { return "this build has no CUDA support"; }

std::unique_ptr<Engine> make_cuda_engine(const MlpSpec&, const TrainSpec&, const Device&) {
  throw DeviceError("device cuda: " + cuda_obstacle());
}

StageListener* cuda_profiler() noexcept { return nullptr; }

}  // namespace millrace
