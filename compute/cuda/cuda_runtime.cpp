#include "compute/cuda/cuda_runtime.h"

#include <cuda_runtime_api.h>
#include <nvtx3/nvToolsExt.h>
#include <nvtx3/nvToolsExtCudaRt.h>

#include <map>
#include <new>
#include <utility>

#include "compute/cuda/capability.h"
#include "compute/cuda/launch.h"
#include "compute/cuda/lt_product.h"
#include "compute/cuda/owned.h"
#include "compute/cuda/status.h"
#include "compute/engine.h"

namespace millrace::cuda {
namespace {

// What NVIDIA advises for Hopper; products of this project's shapes want less.
constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20U;

cudaStream_t native(StreamHandle stream) { return static_cast<cudaStream_t>(stream.value); }
cudaEvent_t native(EventHandle event) { return static_cast<cudaEvent_t>(event.value); }
cudaGraphExec_t native(GraphHandle graph) { return static_cast<cudaGraphExec_t>(graph.value); }

class CudaRuntime final : public Runtime {
 public:
  explicit CudaRuntime(int index) : index_(index) {
    CudaRuntime::make_current();
    MILLRACE_CHECK(load_kernels());
    MILLRACE_CHECK(cublasLtCreate(&blas_));
  }
  // Statuses are ignored here and in destroy(): a dead context fails everything.
  ~CudaRuntime() override {
    cudaSetDevice(index_);
    cublasLtDestroy(blas_);
    for (const auto& [stream, workspace] : workspaces_) cudaFree(workspace.value);
  }
  CudaRuntime(const CudaRuntime&) = delete;
  CudaRuntime& operator=(const CudaRuntime&) = delete;

  void make_current() override { MILLRACE_CHECK(cudaSetDevice(index_)); }

  std::string device_name() override {
    cudaDeviceProp properties{};
    MILLRACE_CHECK(cudaGetDeviceProperties(&properties, index_));
    return std::string(properties.name) + ", compute capability " + capability().text();
  }
  Capability capability() override {
    Capability found;
    MILLRACE_CHECK(cudaDeviceGetAttribute(&found.major, cudaDevAttrComputeCapabilityMajor, index_));
    MILLRACE_CHECK(cudaDeviceGetAttribute(&found.minor, cudaDevAttrComputeCapabilityMinor, index_));
    return found;
  }

  void stage(const char* name) noexcept override {
    stage_.value = name;
    nvtxMarkA(name);
  }

  DeviceHandle allocate(std::size_t bytes, const char* what) override {
    DeviceHandle memory;
    const cudaError_t status = cudaMalloc(&memory.value, bytes);
    if (status == cudaErrorMemoryAllocation) {
      static_cast<void>(cudaGetLastError());
      std::size_t free = 0;
      std::size_t total = 0;
      MILLRACE_CHECK(cudaMemGetInfo(&free, &total));
      throw DeviceError("cuda: out of memory for " + std::string(what) + ": asked for " +
                        std::to_string(bytes) + " bytes, " + std::to_string(free) + " of " +
                        std::to_string(total) + " are free");
    }
    check(status, "cudaMalloc", __FILE__, __LINE__, stage_);
    return memory;
  }
  void destroy(DeviceHandle memory) noexcept override { cudaFree(memory.value); }

  PinnedHandle allocate_pinned(std::size_t bytes) override {
    PinnedHandle memory;
    // In every 64-bit process on Linux devices address it by the same pointer, whatever the flags:
    // https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__UNIFIED.html
    const cudaError_t status = cudaHostAlloc(&memory.value, bytes, cudaHostAllocPortable);
    if (status == cudaErrorMemoryAllocation) {
      static_cast<void>(cudaGetLastError());
      throw std::bad_alloc();
    }
    check(status, "cudaHostAlloc", __FILE__, __LINE__, stage_);
    return memory;
  }
  void destroy(PinnedHandle memory) noexcept override { cudaFreeHost(memory.value); }

  StreamHandle create_stream(const char* name) override {
    cudaStream_t stream = nullptr;
    // Not ordered by the legacy default stream, which others in the process may use.
    MILLRACE_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    nvtxNameCudaStreamA(stream, name);
    return {stream};
  }
  void destroy(StreamHandle stream) noexcept override { cudaStreamDestroy(native(stream)); }

  EventHandle create_event() override {
    cudaEvent_t event = nullptr;
    MILLRACE_CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    return {event};
  }
  EventHandle create_timing_event() override {
    cudaEvent_t event = nullptr;
    MILLRACE_CHECK(cudaEventCreate(&event));
    return {event};
  }
  double seconds_between(EventHandle begin, EventHandle end) override {
    float milliseconds = 0.0F;
    MILLRACE_CHECK(cudaEventElapsedTime(&milliseconds, native(begin), native(end)));
    return double{milliseconds} / 1000.0;
  }
  void destroy(EventHandle event) noexcept override { cudaEventDestroy(native(event)); }
  void record(EventHandle event, StreamHandle stream) override {
    MILLRACE_CHECK(cudaEventRecord(native(event), native(stream)));
  }
  void wait(StreamHandle stream, EventHandle event) override {
    MILLRACE_CHECK(cudaStreamWaitEvent(native(stream), native(event), 0));
  }
  void synchronize(EventHandle event) override {
    MILLRACE_CHECK(cudaEventSynchronize(native(event)));
  }
  void synchronize(StreamHandle stream) override {
    MILLRACE_CHECK(cudaStreamSynchronize(native(stream)));
  }
  void synchronize_quietly(StreamHandle stream) noexcept override {
    cudaSetDevice(index_);
    cudaStreamSynchronize(native(stream));
  }

  void copy_to_device(void* to, const void* from, std::size_t bytes, StreamHandle stream) override {
    MILLRACE_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, native(stream)));
  }
  void copy_to_host(void* to, const void* from, std::size_t bytes, StreamHandle stream) override {
    MILLRACE_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, native(stream)));
  }
  void fill_zero(void* to, std::size_t bytes, StreamHandle stream) override {
    MILLRACE_CHECK(cudaMemsetAsync(to, 0, bytes, native(stream)));
  }
  void launch(const Kernel& kernel, StreamHandle stream) override {
    MILLRACE_CHECK(launch_kernel(kernel, native(stream)));
  }

  bool prepare(const SmallTraining& kernel) override {
    bool runs = false;
    MILLRACE_CHECK(prepare_small_training(kernel, index_, &runs));
    return runs;
  }

  MatmulHandle plan(const Matmul& matmul, StreamHandle stream) override {
    DeviceHandle& workspace = workspaces_[stream.value];
    if (!workspace) workspace = allocate(kWorkspaceBytes, "the workspace of matrix products");
    auto product = LtProduct::make(blas_, matmul, kWorkspaceBytes, stage_);
    if (product == nullptr) return {};
    // The heuristic may name an algorithm that then refuses the epilogue.
    const cublasStatus_t tried = run(*product, stream);
    if (LtProduct::refuses(matmul, tried)) {
      static_cast<void>(cudaGetLastError());  // or the next launch would be blamed for it
      return {};
    }
    check(tried, "cublasLtMatmul", __FILE__, __LINE__, stage_);
    return {product.release()};
  }
  void destroy(MatmulHandle matmul) noexcept override {
    const std::unique_ptr<LtProduct> owner(static_cast<LtProduct*>(matmul.value));
  }
  void run(MatmulHandle matmul, StreamHandle stream) override {
    MILLRACE_CHECK(run(*static_cast<const LtProduct*>(matmul.value), stream));
  }

  void begin_capture(StreamHandle stream) override {
    // Thread-local: loading threads may allocate page-locked memory meanwhile.
    MILLRACE_CHECK(cudaStreamBeginCapture(native(stream), cudaStreamCaptureModeThreadLocal));
  }
  GraphHandle end_capture(StreamHandle stream) override {
    cudaGraph_t graph = nullptr;
    MILLRACE_CHECK(cudaStreamEndCapture(native(stream), &graph));
    cudaGraphExec_t executable = nullptr;
    const cudaError_t status = cudaGraphInstantiate(&executable, graph, 0);
    cudaGraphDestroy(graph);
    check(status, "cudaGraphInstantiate", __FILE__, __LINE__, stage_);
    return {executable};
  }
  void abandon_capture(StreamHandle stream) noexcept override {
    cudaGraph_t graph = nullptr;
    cudaStreamEndCapture(native(stream), &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    static_cast<void>(cudaGetLastError());
  }
  void launch(GraphHandle graph, StreamHandle stream) override {
    MILLRACE_CHECK(cudaGraphLaunch(native(graph), native(stream)));
  }
  void destroy(GraphHandle graph) noexcept override { cudaGraphExecDestroy(native(graph)); }

 private:
  // A workspace serves products of one stream: they run one after the other.
  cublasStatus_t run(const LtProduct& product, StreamHandle stream) {
    return product.run(blas_, workspaces_.at(stream.value).value, kWorkspaceBytes, native(stream));
  }

  int index_;
  StageName stage_;
  cublasLtHandle_t blas_ = nullptr;
  std::map<const void*, DeviceHandle> workspaces_;  // by stream
};

}  // namespace

std::string device_obstacle(int index) {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  static_cast<void>(cudaGetLastError());
  if (status == cudaErrorInsufficientDriver) {
    int driver = 0;  // stays 0 without one
    static_cast<void>(cudaDriverGetVersion(&driver));
    if (driver == 0) return "this machine has no NVIDIA driver";
    return "this machine's NVIDIA driver knows CUDA up to " + std::to_string(driver / 1000) + "." +
           std::to_string(driver % 1000 / 10) + ", this build needs " +
           std::to_string(CUDART_VERSION / 1000);
  }
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) {
    return "this machine has no GPU that CUDA can use";
  }
  if (status != cudaSuccess)
    return std::string("CUDA does not start: ") + cudaGetErrorString(status);
  if (index >= count) {
    return "expected an index below " + std::to_string(count) + ", the number of GPUs, found " +
           std::to_string(index);
  }
  Capability capability;
  if (cudaDeviceGetAttribute(&capability.major, cudaDevAttrComputeCapabilityMajor, index) !=
          cudaSuccess ||
      cudaDeviceGetAttribute(&capability.minor, cudaDevAttrComputeCapabilityMinor, index) !=
          cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return "GPU " + std::to_string(index) + " does not say what it can do";
  }
  if (capability < kLeastCapability) {
    return "GPU " + std::to_string(index) + " has compute capability " + capability.text() +
           ", this build needs " + kLeastCapability.text();
  }
  cudaError_t started = cudaSetDevice(index);
  if (started == cudaSuccess) started = load_kernels();
  static_cast<void>(cudaGetLastError());
  // Runtimes differ in which of these they say.
  if (started == cudaErrorNoKernelImageForDevice || started == cudaErrorInvalidDeviceFunction) {
    return "GPU " + std::to_string(index) + " has compute capability " + capability.text() +
           ", for which this build has no kernels";
  }
  if (started != cudaSuccess) {
    return "GPU " + std::to_string(index) + " does not start: " + cudaGetErrorString(started);
  }
  return {};
}

std::unique_ptr<Runtime> make_cuda_runtime(int index) {
  return std::make_unique<CudaRuntime>(index);
}

}  // namespace millrace::cuda
