#include "formats/bytes.h"

#include <sys/mman.h>

#include <cstdlib>
#include <limits>
#include <new>
#include <utility>

namespace millrace {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): the one owner of such
// memory
void Bytes::Free::operator()(std::byte* memory) const noexcept { std::free(memory); }

Bytes::Bytes(MappedFile file) noexcept : file_(std::move(file)), view_(file_.bytes()) {}

Bytes Bytes::allocate(std::size_t size, std::size_t aligned_at) {
  const std::size_t skipped = (kAlignment - aligned_at % kAlignment) % kAlignment;
  // Large data sets are gathered from at random: huge pages save most TLB misses and page faults.
  const std::size_t alignment = size >= 2 * kHugePage ? kHugePage : kAlignment;
  if (size > std::numeric_limits<std::size_t>::max() - skipped - alignment) throw std::bad_alloc();
  // aligned_alloc wants a multiple of the alignment, and not 0.
  const std::size_t total = (skipped + size + alignment) / alignment * alignment;
  Bytes bytes;
  bytes.memory_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, total)));
  if (!bytes.memory_) throw std::bad_alloc();
  if (alignment == kHugePage) ::madvise(bytes.memory_.get(), total, MADV_HUGEPAGE);
  bytes.view_ = {bytes.memory_.get() + skipped, size};
  return bytes;
}

// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)

std::span<std::byte> Bytes::writable() noexcept {
  if (!memory_) return {};
  return {const_cast<std::byte*>(view_.data()), view_.size()};
}

Bytes::Bytes(Bytes&& other) noexcept
    : file_(std::move(other.file_)),
      memory_(std::move(other.memory_)),
      view_(std::exchange(other.view_, {})) {}

Bytes& Bytes::operator=(Bytes&& other) noexcept {
  file_ = std::move(other.file_);
  memory_ = std::move(other.memory_);
  view_ = std::exchange(other.view_, {});
  return *this;
}

}  // namespace millrace
