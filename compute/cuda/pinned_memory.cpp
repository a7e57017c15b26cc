#include "compute/cuda/pinned_memory.h"

#include <algorithm>
#include <iterator>

namespace millrace::cuda {

std::byte* PinnedMemory::allocate(std::size_t bytes) {
  runtime_.make_current();
  const PinnedHandle memory = runtime_.allocate_pinned(std::max<std::size_t>(bytes, 1));
  auto* data = static_cast<std::byte*>(memory.value);
  try {
    const std::lock_guard lock(mutex_);
    buffers_.emplace(data, bytes);
  } catch (...) {
    runtime_.destroy(memory);
    throw;
  }
  return data;
}

void PinnedMemory::deallocate(std::byte* data, std::size_t) noexcept {
  {
    const std::lock_guard lock(mutex_);
    buffers_.erase(data);
  }
  runtime_.destroy(PinnedHandle{data});
}

bool PinnedMemory::contains(std::span<const std::byte> bytes) const {
  const std::lock_guard lock(mutex_);
  auto next = buffers_.upper_bound(bytes.data());
  if (next == buffers_.begin()) return false;
  const auto& [data, size] = *std::prev(next);
  return bytes.data() + bytes.size() <= data + size;
}

}  // namespace millrace::cuda
