#include "compute/cuda/launch.h"

#include <cooperative_groups.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>

#include "compute/cuda/thread_blocks.h"

namespace millrace::cuda {
namespace {

constexpr unsigned kWholeWarp = 0xFFFFFFFFU;

/// What thread_blocks.h asks of a thread. All that it is made of are registers of the device.
struct DeviceThread {
  __device__ static std::uint32_t x() { return threadIdx.x; }
  __device__ static std::uint32_t y() { return threadIdx.y; }
  __device__ static std::uint32_t block() { return blockIdx.x; }
  __device__ static std::uint32_t blocks() { return gridDim.x; }

  __device__ static void sync() { __syncthreads(); }
  __device__ static void sync_warp() { __syncwarp(); }
  __device__ static float exchange(float value, std::uint32_t mask) {
    return __shfl_xor_sync(kWholeWarp, value, static_cast<int>(mask));
  }
  __device__ static bool any(bool value) { return __any_sync(kWholeWarp, value ? 1 : 0) != 0; }

  // f() is called while other blocks are still on their way.
  template <class F>
  __device__ static void sync_all(const F& f) {
    const auto grid = cooperative_groups::this_grid();
#if CUDART_VERSION >= 12020
    auto arrived = grid.barrier_arrive();
    f();
    grid.barrier_wait(std::move(arrived));
#else
    f();
    grid.sync();
#endif
  }

  template <class T, std::uint32_t kCount>
  __device__ static T* shared() {
    // Raw memory: shared variables have no constructors.
    __shared__ alignas(T) unsigned char bytes[sizeof(T) * kCount];
    return reinterpret_cast<T*>(bytes);
  }
  __device__ static float* memory() {
    extern __shared__ __align__(16) float memory_of_block[];
    return memory_of_block;
  }
};

// At least so many blocks share a processor; 0: as the compiler sees fit. One of SmallTraining's
// has a processor's registers for itself, or some would be spilled in its inner loops.
template <class K>
constexpr unsigned kBlocksBeside = std::is_same_v<K, SmallTraining> ? 1 : 0;

template <class K>
__global__ void __launch_bounds__(kBlockThreads<K>, kBlocksBeside<K>) run_kernel(K kernel) {
  work(DeviceThread{}, kernel);
}

// The launch's own status is that of cudaGetLastError() too.
template <class K>
void start(const K& kernel, cudaStream_t stream) {
  const Layout shape = layout(kernel);
  const dim3 threads(shape.x, shape.y);
  if (shape.meeting == Meeting::kAll) {
    K copy = kernel;
    void* arguments[] = {&copy};
    cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(run_kernel<K>), shape.blocks, threads,
                                arguments, shape.memory, stream);
  } else {
    run_kernel<<<shape.blocks, threads, shape.memory, stream>>>(kernel);
  }
}

// https://docs.nvidia.com/cuda/cuda-programming-guide/04-special-topics/lazy-loading.html: a kernel
// is loaded when its attributes are asked for.
template <class... K>
cudaError_t load(std::in_place_type_t<std::variant<K...>>) {
  cudaFuncAttributes attributes{};
  cudaError_t status = cudaSuccess;
  ((status = status == cudaSuccess ? cudaFuncGetAttributes(&attributes, run_kernel<K>) : status),
   ...);
  return status;
}

}  // namespace

cudaError_t load_kernels() { return load(std::in_place_type<Kernel>); }

cudaError_t launch_kernel(const Kernel& kernel, cudaStream_t stream) {
  std::visit([stream](const auto& k) { start(k, stream); }, kernel);
  return cudaGetLastError();
}

cudaError_t prepare_small_training(const SmallTraining& kernel, int device, bool* runs) {
  *runs = false;
  const auto bytes = static_cast<int>(kernel.memory() * sizeof(float));
  int cooperative = 0;
  int processors = 0;
  int most_bytes = 0;
  int blocks_each = 0;
  cudaError_t status = cudaDeviceGetAttribute(&cooperative, cudaDevAttrCooperativeLaunch, device);
  if (status != cudaSuccess) return status;
  status = cudaDeviceGetAttribute(&most_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  if (status != cudaSuccess) return status;
  if (cooperative == 0 || bytes > most_bytes) return cudaSuccess;
  status = cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
  if (status != cudaSuccess) return status;
  // Of the function, and so of every engine of the process: the most that any may want.
  status =
      cudaFuncSetAttribute(run_kernel<SmallTraining>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           std::min(static_cast<int>(SmallTraining::kMostBytes), most_bytes));
  if (status != cudaSuccess) return status;
  status = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks_each, run_kernel<SmallTraining>,
                                                         SmallTraining::kThreads, bytes);
  if (status != cudaSuccess) return status;
  *runs = static_cast<unsigned>(blocks_each * processors) >= kernel.blocks();
  return cudaSuccess;
}

}  // namespace millrace::cuda
