#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <span>

#include "compute/cuda/runtime.h"
#include "compute/memory.h"

namespace millrace::cuda {

/// Page-locked host memory, which a device copies from at full speed while the host goes on. Knows
/// its own, so that a chunk that lies in it is copied from where it is.
class PinnedMemory final : public HostMemory {
 public:
  explicit PinnedMemory(Runtime& runtime) noexcept : runtime_(runtime) {}

  std::byte* allocate(std::size_t bytes) override;
  void deallocate(std::byte* data, std::size_t bytes) noexcept override;
  /// True if all of `bytes` lies in one buffer handed out.
  bool contains(std::span<const std::byte> bytes) const;

 private:
  Runtime& runtime_;
  mutable std::mutex mutex_;
  std::map<const std::byte*, std::size_t, std::less<>> buffers_;  // guarded by mutex_
};

}  // namespace millrace::cuda
