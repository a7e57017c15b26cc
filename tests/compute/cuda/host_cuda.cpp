#include "tests/compute/cuda/host_cuda.h"

#include <cuda_runtime_api.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "compute/cuda/launch.h"
#include "compute/engine.h"

// Names and signatures are those of cuda_runtime_api.h.
// NOLINTBEGIN(bugprone-easily-swappable-parameters, readability-identifier-naming)

namespace millrace::cuda::test {
namespace {

HostCuda* instance = nullptr;

StreamHandle handle(cudaStream_t stream) { return {stream}; }
EventHandle handle(cudaEvent_t event) { return {event}; }

cudaError_t failed(cudaError_t error) {
  HostCuda::get().last_error = error;
  return error;
}

// A call on the current device.
template <class F>
cudaError_t call(const char* name, const F& f) {
  HostCuda& host = HostCuda::get();
  ++host.calls[name];
  if (host.current_gpu != host.expected_gpu) {
    host.violation(std::string(name) + ": on GPU " + std::to_string(host.current_gpu));
  }
  try {
    f(host);
    return cudaSuccess;
  } catch (const DeviceError&) {
    return failed(cudaErrorLaunchFailure);
  } catch (const std::logic_error& error) {
    host.violation(std::string(name) + ": " + error.what());
    return failed(cudaErrorInvalidValue);
  }
}

// Not while a stream of this thread is being captured.
template <class F>
cudaError_t unsafe_call(const char* name, const F& f) {
  return call(name, [&](HostCuda& host) {
    if (host.capturing) throw std::logic_error("while capturing");
    f(host);
  });
}

// Work on a stream that is neither the legacy default one nor ordered by it.
template <class F>
cudaError_t enqueue(const char* name, cudaStream_t stream, const F& f) {
  return call(name, [&](HostCuda& host) {
    if (stream == nullptr) throw std::logic_error("on the legacy default stream");
    f(host);
  });
}

// Of a graph that is not executable yet.
struct Captured {
  GraphHandle graph;
};

}  // namespace

HostCuda::HostCuda() { instance = this; }
HostCuda::~HostCuda() { instance = nullptr; }
HostCuda& HostCuda::get() {
  if (instance == nullptr) throw std::logic_error("a call of CUDA outside of a test");
  return *instance;
}

}  // namespace millrace::cuda::test

using millrace::cuda::test::call;
using millrace::cuda::test::Captured;
using millrace::cuda::test::enqueue;
using millrace::cuda::test::failed;
using millrace::cuda::test::handle;
using millrace::cuda::test::HostCuda;
using millrace::cuda::test::unsafe_call;

extern "C" {

cudaError_t cudaGetLastError() {
  return static_cast<cudaError_t>(std::exchange(HostCuda::get().last_error, 0));
}
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorLaunchFailure ? "unspecified launch failure" : "some error";
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = HostCuda::get().driver;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  const HostCuda& host = HostCuda::get();
  *count = host.gpus;
  if (host.driver / 1000 < CUDART_VERSION / 1000) return failed(cudaErrorInsufficientDriver);
  return host.gpus == 0 ? failed(cudaErrorNoDevice) : cudaSuccess;
}
cudaError_t cudaSetDevice(int index) {
  HostCuda& host = HostCuda::get();
  if (index < 0 || index >= host.gpus) return failed(cudaErrorInvalidDevice);
  host.current_gpu = index;
  return host.device->dead ? failed(cudaErrorLaunchFailure) : cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int /*index*/) {
  *properties = {};
  std::strcpy(properties->name, "Host GPU");  // NOLINT(clang-analyzer-security.insecureAPI.strcpy)
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int index) {
  const HostCuda& host = HostCuda::get();
  if (index < 0 || index >= host.gpus) return failed(cudaErrorInvalidDevice);
  const auto& capability = host.device->capability;
  if (attribute == cudaDevAttrComputeCapabilityMajor) return *value = capability.major, cudaSuccess;
  if (attribute == cudaDevAttrComputeCapabilityMinor) return *value = capability.minor, cudaSuccess;
  return failed(cudaErrorInvalidValue);
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  if (bytes > HostCuda::get().device->memory - HostCuda::get().device->used) {
    ++HostCuda::get().calls["cudaMalloc"];
    return failed(cudaErrorMemoryAllocation);
  }
  return unsafe_call("cudaMalloc",
                     [&](HostCuda& host) { *memory = host.runtime.allocate(bytes, "").value; });
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return call("cudaMemGetInfo", [&](HostCuda& host) {
    *total = host.device->memory;
    *free = *total - host.device->used;
  });
}
cudaError_t cudaFree(void* memory) {
  if (memory == nullptr) return cudaSuccess;
  return unsafe_call("cudaFree", [&](HostCuda& host) {
    host.workspaces.erase(memory);
    host.runtime.destroy(millrace::cuda::DeviceHandle{memory});
  });
}
cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned int flags) {
  return unsafe_call("cudaHostAlloc", [&](HostCuda& host) {
    if (flags != cudaHostAllocPortable) throw std::logic_error("for the current device alone");
    *memory = host.runtime.allocate_pinned(bytes).value;
  });
}
cudaError_t cudaFreeHost(void* memory) {
  return unsafe_call("cudaFreeHost", [&](HostCuda& host) {
    host.runtime.destroy(millrace::cuda::PinnedHandle{memory});
  });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags) {
  return unsafe_call("cudaStreamCreateWithFlags", [&](HostCuda& host) {
    if (flags != cudaStreamNonBlocking) throw std::logic_error("ordered by the default stream");
    *stream = static_cast<cudaStream_t>(host.runtime.create_stream("stream").value);
  });
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return unsafe_call("cudaStreamDestroy",
                     [&](HostCuda& host) { host.runtime.destroy(handle(stream)); });
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return enqueue("cudaStreamSynchronize", stream, [&](HostCuda& host) {
    if (host.device->dead) host.runtime.synchronize_quietly(handle(stream));
    host.runtime.synchronize(handle(stream));
  });
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int flags) {
  return enqueue("cudaStreamWaitEvent", stream, [&](HostCuda& host) {
    if (flags != cudaEventWaitDefault) throw std::logic_error("flags");
    host.runtime.wait(handle(stream), handle(event));
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int flags) {
  return call("cudaEventCreateWithFlags", [&](HostCuda& host) {
    if (flags != cudaEventDisableTiming) throw std::logic_error("flags");
    *event = static_cast<cudaEvent_t>(host.runtime.create_event().value);
  });
}
cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return call("cudaEventCreate", [&](HostCuda& host) {
    *event = static_cast<cudaEvent_t>(host.runtime.create_timing_event().value);
  });
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return call("cudaEventDestroy", [&](HostCuda& host) { host.runtime.destroy(handle(event)); });
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return enqueue("cudaEventRecord", stream,
                 [&](HostCuda& host) { host.runtime.record(handle(event), handle(stream)); });
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return unsafe_call("cudaEventSynchronize",
                     [&](HostCuda& host) { host.runtime.synchronize(handle(event)); });
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  return call("cudaEventElapsedTime", [&](HostCuda& host) {
    const double seconds = host.runtime.seconds_between(handle(begin), handle(end));
    *milliseconds = static_cast<float>(1000.0 * seconds);
  });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return enqueue("cudaMemcpyAsync", stream, [&](HostCuda& host) {
    if (kind == cudaMemcpyHostToDevice) {
      host.runtime.copy_to_device(to, from, bytes, handle(stream));
    } else if (kind == cudaMemcpyDeviceToHost) {
      host.runtime.copy_to_host(to, from, bytes, handle(stream));
    } else {
      throw std::logic_error("kind");
    }
  });
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  return enqueue("cudaMemsetAsync", stream, [&](HostCuda& host) {
    if (value != 0) throw std::logic_error("value");
    host.runtime.fill_zero(to, bytes, handle(stream));
  });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return enqueue("cudaStreamBeginCapture", stream, [&](HostCuda& host) {
    if (mode != cudaStreamCaptureModeThreadLocal) {
      throw std::logic_error("a mode that forbids other threads to allocate, or nobody");
    }
    host.runtime.begin_capture(handle(stream));
    host.capturing = true;
  });
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return enqueue("cudaStreamEndCapture", stream, [&](HostCuda& host) {
    host.capturing = false;
    auto captured = std::make_unique<Captured>(Captured{host.runtime.end_capture(handle(stream))});
    *graph = reinterpret_cast<cudaGraph_t>(captured.release());
  });
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long flags) {  // NOLINT(google-runtime-int)
  return unsafe_call("cudaGraphInstantiate", [&](HostCuda&) {
    if (flags != 0) throw std::logic_error("flags");
    auto& captured = *reinterpret_cast<Captured*>(graph);
    *executable = static_cast<cudaGraphExec_t>(std::exchange(captured.graph, {}).value);
  });
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return call("cudaGraphDestroy", [&](HostCuda& host) {
    const std::unique_ptr<Captured> captured(reinterpret_cast<Captured*>(graph));
    if (captured->graph) host.runtime.destroy(captured->graph);
  });
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  return enqueue("cudaGraphLaunch", stream, [&](HostCuda& host) {
    host.runtime.launch(millrace::cuda::GraphHandle{graph}, handle(stream));
  });
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  return unsafe_call("cudaGraphExecDestroy", [&](HostCuda& host) {
    host.runtime.destroy(millrace::cuda::GraphHandle{graph});
  });
}

}  // extern "C"

// In place of launch.cu.
namespace millrace::cuda {

cudaError_t load_kernels() {
  return test::HostCuda::get().kernels ? cudaSuccess
                                       : test::failed(cudaErrorNoKernelImageForDevice);
}
cudaError_t launch_kernel(const Kernel& kernel, cudaStream_t stream) {
  return test::enqueue("launch_kernel", stream, [&](test::HostCuda& host) {
    host.runtime.launch(kernel, test::handle(stream));
  });
}
cudaError_t prepare_small_training(const SmallTraining& kernel, int /*device*/, bool* runs) {
  return test::unsafe_call("prepare_small_training",
                           [&](test::HostCuda& host) { *runs = host.runtime.prepare(kernel); });
}

}  // namespace millrace::cuda
// NOLINTEND(bugprone-easily-swappable-parameters, readability-identifier-naming)
