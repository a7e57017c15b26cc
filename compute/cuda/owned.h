#pragma once

#include <cstddef>
#include <utility>

#include "compute/cuda/runtime.h"

namespace millrace::cuda {

/// Owns one thing of a Runtime, which outlives it. Move-only.
template <class H>
class Owned {
 public:
  Owned() noexcept = default;
  Owned(Runtime& runtime, H handle) noexcept : runtime_(&runtime), handle_(handle) {}
  Owned(Owned&& other) noexcept
      : runtime_(std::exchange(other.runtime_, nullptr)),
        handle_(std::exchange(other.handle_, {})) {}
  Owned& operator=(Owned&& other) noexcept {
    Owned moved(std::move(other));
    std::swap(runtime_, moved.runtime_);
    std::swap(handle_, moved.handle_);
    return *this;
  }
  ~Owned() {
    if (handle_) runtime_->destroy(handle_);
  }

  H get() const noexcept { return handle_; }
  explicit operator bool() const noexcept { return static_cast<bool>(handle_); }

 private:
  Runtime* runtime_ = nullptr;
  H handle_;
};

using Stream = Owned<StreamHandle>;
using Event = Owned<EventHandle>;
using Graph = Owned<GraphHandle>;
using MatmulPlan = Owned<MatmulHandle>;

/// Memory with its size.
template <class H>
class OwnedMemory {
 public:
  OwnedMemory() noexcept = default;
  OwnedMemory(Runtime& runtime, H handle, std::size_t bytes) noexcept
      : memory_(runtime, handle), bytes_(bytes) {}

  std::byte* data() const noexcept { return static_cast<std::byte*>(memory_.get().value); }
  template <class T>
  T* as() const noexcept {
    return static_cast<T*>(memory_.get().value);
  }
  std::size_t bytes() const noexcept { return memory_ ? bytes_ : 0; }

 private:
  Owned<H> memory_;
  std::size_t bytes_ = 0;
};
using DeviceBuffer = OwnedMemory<DeviceHandle>;
using PinnedBuffer = OwnedMemory<PinnedHandle>;

inline DeviceBuffer device_buffer(Runtime& runtime, std::size_t bytes, const char* what) {
  return {runtime, runtime.allocate(bytes, what), bytes};
}
/// The same where there is none yet.
inline void make_missing(Runtime& runtime, DeviceBuffer& buffer, std::size_t bytes,
                         const char* what) {
  if (buffer.bytes() == 0) buffer = device_buffer(runtime, bytes, what);
}
inline PinnedBuffer pinned_buffer(Runtime& runtime, std::size_t bytes) {
  return {runtime, runtime.allocate_pinned(bytes), bytes};
}

}  // namespace millrace::cuda
