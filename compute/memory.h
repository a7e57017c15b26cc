#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace millrace {

/// Where host buffers that feed an engine come from: ordinary memory for the CPU engine,
/// page-locked memory for an engine that copies it to a device. Outlives every buffer it hands out.
/// Thread-safe.
class HostMemory {
 public:
  virtual ~HostMemory() = default;
  /// At least `bytes` bytes, 64-byte aligned, contents unspecified. Throws std::bad_alloc.
  virtual std::byte* allocate(std::size_t bytes) = 0;
  virtual void deallocate(std::byte* data, std::size_t bytes) noexcept = 0;
};

/// Ordinary pageable memory.
HostMemory& pageable_memory() noexcept;

/// Owns one buffer of a HostMemory.
class HostBuffer {
 public:
  HostBuffer() noexcept = default;
  HostBuffer(HostMemory& memory, std::size_t bytes);
  HostBuffer(HostBuffer&& other) noexcept;
  HostBuffer& operator=(HostBuffer&& other) noexcept;
  ~HostBuffer();

  std::span<std::byte> bytes() const noexcept { return {data_, size_}; }
  std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  HostMemory* memory_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace millrace
