#include "compute/memory.h"

#include <new>
#include <utility>

namespace millrace {
namespace {

constexpr std::align_val_t kAlignment{64};

class PageableMemory final : public HostMemory {
 public:
  std::byte* allocate(std::size_t bytes) override {
    return static_cast<std::byte*>(::operator new(bytes, kAlignment));
  }
  void deallocate(std::byte* data, std::size_t) noexcept override {
    ::operator delete(data, kAlignment);
  }
};

}  // namespace

HostMemory& pageable_memory() noexcept {
  static PageableMemory memory;
  return memory;
}

HostBuffer::HostBuffer(HostMemory& memory, std::size_t bytes)
    : memory_(&memory), data_(memory.allocate(bytes)), size_(bytes) {}

HostBuffer::HostBuffer(HostBuffer&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

HostBuffer& HostBuffer::operator=(HostBuffer&& other) noexcept {
  HostBuffer moved(std::move(other));
  std::swap(memory_, moved.memory_);
  std::swap(data_, moved.data_);
  std::swap(size_, moved.size_);
  return *this;
}

HostBuffer::~HostBuffer() {
  if (data_ != nullptr) memory_->deallocate(data_, size_);
}

}  // namespace millrace
