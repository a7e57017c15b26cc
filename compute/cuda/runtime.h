#pragma once

#include <cstddef>
#include <string>

#include "compute/cuda/capability.h"
#include "compute/cuda/kernel.h"
#include "compute/cuda/matmul.h"

namespace millrace::cuda {

template <class Tag>
struct Handle {
  void* value = nullptr;
  explicit operator bool() const noexcept { return value != nullptr; }
};
using StreamHandle = Handle<struct StreamTag>;
using EventHandle = Handle<struct EventTag>;
using GraphHandle = Handle<struct GraphTag>;
using MatmulHandle = Handle<struct MatmulTag>;
struct DeviceTag;
struct PinnedTag;
using DeviceHandle = Handle<DeviceTag>;  ///< device memory
using PinnedHandle = Handle<PinnedTag>;  ///< page-locked host memory

/// The calls of the CUDA runtime and cuBLASLt that the engine is made of, and no more, so that its
/// logic is tested against another implementation on machines without a GPU. Everything with a
/// stream is enqueued and returns; only synchronize() waits. Throws DeviceError with place,
/// expression and the stage last told to stage(); destroy() and synchronize_quietly() never throw.
class Runtime {
 public:
  virtual ~Runtime() = default;

  /// Makes this runtime's device the calling thread's.
  virtual void make_current() = 0;
  virtual std::string device_name() = 0;
  virtual Capability capability() = 0;
  /// What is being enqueued now; errors that show later name it. A literal.
  virtual void stage(const char* name) noexcept = 0;

  /// Aligned to 256 bytes, contents unspecified. Throws DeviceError naming `what`, the bytes asked
  /// for and the bytes free.
  virtual DeviceHandle allocate(std::size_t bytes, const char* what) = 0;
  virtual void destroy(DeviceHandle memory) noexcept = 0;
  /// Kernels may write there too; the host sees it when it has waited for them. Throws
  /// std::bad_alloc.
  virtual PinnedHandle allocate_pinned(std::size_t bytes) = 0;
  virtual void destroy(PinnedHandle memory) noexcept = 0;

  /// `name` shows in profilers.
  virtual StreamHandle create_stream(const char* name) = 0;
  virtual void destroy(StreamHandle stream) noexcept = 0;
  virtual EventHandle create_event() = 0;
  /// One that also knows when it was reached.
  virtual EventHandle create_timing_event() = 0;
  /// Between two timing events that were reached; of a resolution of about a microsecond.
  virtual double seconds_between(EventHandle begin, EventHandle end) = 0;
  virtual void destroy(EventHandle event) noexcept = 0;
  /// The event now stands for all that is enqueued on `stream` so far.
  virtual void record(EventHandle event, StreamHandle stream) = 0;
  /// What is enqueued on `stream` from now on starts after what `event` stands for now.
  virtual void wait(StreamHandle stream, EventHandle event) = 0;
  virtual void synchronize(EventHandle event) = 0;
  virtual void synchronize(StreamHandle stream) = 0;
  virtual void synchronize_quietly(StreamHandle stream) noexcept = 0;

  /// `from` and `to` stay as they are until it is done.
  virtual void copy_to_device(void* to, const void* from, std::size_t bytes,
                              StreamHandle stream) = 0;
  virtual void copy_to_host(void* to, const void* from, std::size_t bytes, StreamHandle stream) = 0;
  virtual void fill_zero(void* to, std::size_t bytes, StreamHandle stream) = 0;
  virtual void launch(const Kernel& kernel, StreamHandle stream) = 0;
  /// To be called before kernels of this shape are launched. False if the device cannot run all of
  /// one's blocks at the same time.
  virtual bool prepare(const SmallTraining& kernel) = 0;

  /// Searches an algorithm for this product, the same each time on one kind of device, and tries it
  /// on `stream`, whatever the inputs are: its outputs are overwritten. It may run on streams on
  /// which some product was tried, and be captured. An empty handle where there is none (an
  /// epilogue that this type or shape does not have).
  virtual MatmulHandle plan(const Matmul& matmul, StreamHandle stream) = 0;
  virtual void destroy(MatmulHandle matmul) noexcept = 0;
  virtual void run(MatmulHandle matmul, StreamHandle stream) = 0;

  /// What is enqueued on `stream` until end_capture() is recorded, not run; so is what is enqueued
  /// on a stream that waits for an event recorded in the capture. In the end `stream` has to have
  /// waited for all of them.
  virtual void begin_capture(StreamHandle stream) = 0;
  virtual GraphHandle end_capture(StreamHandle stream) = 0;
  virtual void abandon_capture(StreamHandle stream) noexcept = 0;
  virtual void launch(GraphHandle graph, StreamHandle stream) = 0;
  virtual void destroy(GraphHandle graph) noexcept = 0;
};

}  // namespace millrace::cuda
