#include "compute/cuda/launch.h"

#include <cooperative_groups.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

namespace millrace::cuda {
namespace {

constexpr unsigned kWarp = 32;
constexpr unsigned kThreads = 256;
// Enough blocks to fill any device; each thread then takes several elements.
constexpr std::size_t kMostBlocks = 4096;

/// The group of SoftmaxLoss: one warp. Each sum has one order.
struct Warp {
  __device__ static std::uint32_t lane() { return threadIdx.x % kWarp; }
  __device__ static std::uint32_t size() { return kWarp; }
  __device__ static float max(float value) {
    for (unsigned step = kWarp / 2; step > 0; step /= 2) {
      const float other = __shfl_xor_sync(0xFFFFFFFFU, value, static_cast<int>(step));
      if (other > value) value = other;
    }
    return value;
  }
  __device__ static float sum(float value) {
    for (unsigned step = kWarp / 2; step > 0; step /= 2) {
      value += __shfl_xor_sync(0xFFFFFFFFU, value, static_cast<int>(step));
    }
    return value;
  }
  __device__ static void sync() { __syncwarp(); }
  __device__ static bool any(bool value) { return __any_sync(0xFFFFFFFFU, value ? 1 : 0) != 0; }
};

template <class Elementwise>
__global__ void __launch_bounds__(kThreads) each_element(Elementwise kernel, std::size_t count) {
  const std::size_t stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += stride) {
    kernel(i);
  }
}

__global__ void __launch_bounds__(kThreads) each_row(SoftmaxLoss kernel) {
  const std::uint32_t row = blockIdx.x * (kThreads / kWarp) + threadIdx.x / kWarp;
  if (row < kernel.rows) kernel(Warp{}, row);  // the same for a whole warp
}

// threadIdx.x: column, threadIdx.y: lane. The sum over the lanes of each column, for all of them.
// Called by all threads of a block of kWarp columns.
template <std::uint32_t kLanes>
__device__ float column_sum(float part) {
  __shared__ float parts[kWarp][kLanes + 1];
  float* mine = parts[threadIdx.x];
  __syncthreads();  // a sum of before has been read
  mine[threadIdx.y] = part;
  for (std::uint32_t half = kLanes / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.y < half) tree_add(mine, threadIdx.y, half);
  }
  __syncthreads();
  return mine[0];
}

// The three kernels below: threadIdx.x: column, threadIdx.y: lane.
__global__ void __launch_bounds__(kWarp* ColumnSums::kLanes) each_column(ColumnSums kernel) {
  const std::uint32_t column = blockIdx.x * kWarp + threadIdx.x;
  const bool inside = column < kernel.width;
  const float sum =
      column_sum<ColumnSums::kLanes>(inside ? kernel.part(column, threadIdx.y) : 0.0F);
  if (threadIdx.y == 0 && inside) kernel.sums.store(column, sum);
}

__global__ void __launch_bounds__(kWarp* NormStatistics::kLanes)
    norm_statistics(NormStatistics kernel) {
  const std::uint32_t column = blockIdx.x * kWarp + threadIdx.x;
  const bool inside = column < kernel.width;
  const float sum =
      column_sum<NormStatistics::kLanes>(inside ? kernel.sum_part(column, threadIdx.y) : 0.0F);
  const float mean = kernel.mean_of(sum);
  const float squares = column_sum<NormStatistics::kLanes>(
      inside ? kernel.squares_part(column, threadIdx.y, mean) : 0.0F);
  if (threadIdx.y == 0 && inside) kernel.finish(column, mean, squares);
}

__global__ void __launch_bounds__(kWarp* NormGradientSums::kLanes)
    norm_gradient_sums(NormGradientSums kernel) {
  const std::uint32_t column = blockIdx.x * kWarp + threadIdx.x;
  const bool inside = column < kernel.width;
  NormGradientSums::Part part;
  if (inside) part = kernel.part(column, threadIdx.y);
  part.factor = column_sum<NormGradientSums::kLanes>(part.factor);
  part.shift = column_sum<NormGradientSums::kLanes>(part.shift);
  if (threadIdx.y == 0 && inside) kernel.finish(column, part);
}

// The sum of the parts of all threads of a block of kLanes, in its first thread.
template <std::uint32_t kLanes>
__device__ double block_sum(double part) {
  __shared__ double parts[kLanes];
  parts[threadIdx.x] = part;
  for (std::uint32_t half = kLanes / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) tree_add(parts, threadIdx.x, half);
  }
  return threadIdx.x == 0 ? parts[0] : 0.0;  // the others may come here before it is the sum
}

__global__ void __launch_bounds__(SquareSums::kLanes) square_sums(SquareSums kernel) {
  const double sum = block_sum<SquareSums::kLanes>(kernel.part(blockIdx.x, threadIdx.x));
  if (threadIdx.x == 0) kernel.sums[blockIdx.x] = sum;
}

__global__ void __launch_bounds__(ClipFactor::kLanes) clip_factor(ClipFactor kernel) {
  const double sum = block_sum<ClipFactor::kLanes>(kernel.part(threadIdx.x));
  if (threadIdx.x == 0) kernel.finish(sum);
}

__global__ void __launch_bounds__(MetricsSums::kLanes) all_rows(MetricsSums kernel) {
  // Raw memory: shared variables have no constructors.
  __shared__ alignas(
      MetricsSums::Part) unsigned char memory[sizeof(MetricsSums::Part) * MetricsSums::kLanes];
  auto* parts = reinterpret_cast<MetricsSums::Part*>(memory);
  parts[threadIdx.x] = kernel.part(threadIdx.x);
  for (std::uint32_t half = MetricsSums::kLanes / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) tree_add(parts, threadIdx.x, half);
  }
  if (threadIdx.x == 0) kernel.finish(parts[0]);
}

/// The block of SmallTraining.
struct Threads {
  template <class F>
  __device__ void each(std::uint32_t count, const F& f) const {
    for (std::uint32_t i = threadIdx.x; i < count; i += SmallTraining::kThreads) f(i);
  }
  template <class F>
  __device__ void each_group(std::uint32_t count, const F& f) const {
    for (std::uint32_t i = threadIdx.x / kWarp; i < count; i += SmallTraining::kGroups) {
      f(Warp{}, i);
    }
  }
  __device__ void sync() const { __syncthreads(); }
};
static_assert(SmallTraining::kGroups * kWarp == SmallTraining::kThreads);

// Calls `meanwhile` while other blocks are still on their way to the meeting.
template <class F>
__device__ void meet(const cooperative_groups::grid_group& grid, const F& meanwhile) {
#if CUDART_VERSION >= 12020
  auto arrived = grid.barrier_arrive();
  meanwhile();
  grid.barrier_wait(std::move(arrived));
#else
  meanwhile();
  grid.sync();
#endif
}

__global__ void __launch_bounds__(SmallTraining::kThreads, 1) small_training(SmallTraining kernel) {
  extern __shared__ __align__(16) float small_training_memory[];
  float* memory = small_training_memory;
  const auto grid = cooperative_groups::this_grid();
  const Threads block;
  const std::uint32_t b = blockIdx.x;
  const std::uint32_t steps = kernel.steps();
  kernel.stage(block, b, 0, memory);
  for (std::uint32_t step = 0; step < steps; ++step) {
    kernel.forward(block, b, step, memory);
    meet(grid, [&] {
      if (step + 1 < steps) kernel.stage(block, b, step + 1, memory);
    });
    kernel.output(block, b, step, memory);
    grid.sync();
    kernel.update(block, b, step, memory);
  }
}

unsigned blocks(std::size_t items, std::size_t each) {
  return static_cast<unsigned>((items + each - 1) / each);
}

void start(const SoftmaxLoss& kernel, cudaStream_t stream) {
  each_row<<<blocks(kernel.rows, kThreads / kWarp), kThreads, 0, stream>>>(kernel);
}

// The launch's own status is that of cudaGetLastError() too.
void start(const SmallTraining& kernel, cudaStream_t stream) {
  SmallTraining copy = kernel;
  void* arguments[] = {&copy};
  cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(small_training), kernel.blocks(),
                              SmallTraining::kThreads, arguments, kernel.memory() * sizeof(float),
                              stream);
}

void start(const ColumnSums& kernel, cudaStream_t stream) {
  each_column<<<blocks(kernel.width, kWarp), dim3(kWarp, ColumnSums::kLanes), 0, stream>>>(kernel);
}

void start(const NormStatistics& kernel, cudaStream_t stream) {
  norm_statistics<<<blocks(kernel.width, kWarp), dim3(kWarp, NormStatistics::kLanes), 0, stream>>>(
      kernel);
}

void start(const NormGradientSums& kernel, cudaStream_t stream) {
  norm_gradient_sums<<<blocks(kernel.width, kWarp), dim3(kWarp, NormGradientSums::kLanes), 0,
                       stream>>>(kernel);
}

void start(const SquareSums& kernel, cudaStream_t stream) {
  square_sums<<<SquareSums::kBlocks, SquareSums::kLanes, 0, stream>>>(kernel);
}

void start(const ClipFactor& kernel, cudaStream_t stream) {
  clip_factor<<<1, ClipFactor::kLanes, 0, stream>>>(kernel);
}

void start(const MetricsSums& kernel, cudaStream_t stream) {
  all_rows<<<1, MetricsSums::kLanes, 0, stream>>>(kernel);
}

template <class Elementwise>
void start(const Elementwise& kernel, cudaStream_t stream) {
  const std::size_t count = kernel.count();
  const auto grid =
      static_cast<unsigned>(std::min<std::size_t>(blocks(count, kThreads), kMostBlocks));
  each_element<<<grid, kThreads, 0, stream>>>(kernel, count);
}

}  // namespace

cudaError_t find_kernels() {
  cudaFuncAttributes attributes{};
  return cudaFuncGetAttributes(&attributes, all_rows);
}

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
  status = cudaFuncSetAttribute(small_training, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                std::min(static_cast<int>(SmallTraining::kMostBytes), most_bytes));
  if (status != cudaSuccess) return status;
  status = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks_each, small_training,
                                                         SmallTraining::kThreads, bytes);
  if (status != cudaSuccess) return status;
  *runs = static_cast<unsigned>(blocks_each * processors) >= kernel.blocks();
  return cudaSuccess;
}

}  // namespace millrace::cuda
