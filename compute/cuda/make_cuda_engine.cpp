#include <utility>

#include "compute/cuda/capability.h"
#include "compute/cuda/cuda_runtime.h"
#include "compute/cuda/device_engine.h"
#include "compute/cuda_engine.h"

namespace millrace {

bool cuda_built() noexcept { return true; }

std::string cuda_obstacle() { return cuda::device_obstacle(0); }

std::unique_ptr<Engine> make_cuda_engine(const MlpSpec& model, const TrainSpec& train,
                                         const Device& device) {
  const std::string obstacle = cuda::device_obstacle(device.index);
  if (!obstacle.empty()) throw DeviceError("device cuda: " + obstacle);
  cuda::Arithmetic arithmetic;
  if (train.precision == Precision::kBFloat16) arithmetic.storage = cuda::ElementType::kBFloat16;
  arithmetic.one_kernel = true;
  arithmetic.tf32 = train.precision == Precision::kTf32;
  auto runtime = cuda::make_cuda_runtime(device.index);
  arithmetic.fused_backward = cuda::fuses_backward(runtime->capability());
  return cuda::make_device_engine(std::move(runtime), model, train, arithmetic, device.index);
}

}  // namespace millrace
