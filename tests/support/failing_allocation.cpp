#include "tests/support/failing_allocation.h"

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

// The linker's --wrap makes two of aligned_alloc(): the one that is called, below, and this.
extern "C" void* __real_aligned_alloc(std::size_t alignment, std::size_t size);

namespace millrace::test {
namespace {

constexpr std::uint64_t kNone = 0;

std::atomic<std::uint64_t> failing{kNone};
std::atomic<std::uint64_t> counted{0};
std::atomic<std::int64_t> held{0};
thread_local bool aside = false;

bool is_tbb(const void* caller) noexcept {
  Dl_info from{};
  return ::dladdr(caller, &from) != 0 && from.dli_fname != nullptr &&
         std::strstr(from.dli_fname, "libtbb") != nullptr;
}

bool fails() noexcept {
  const std::uint64_t number = failing;
  return number != kNone && !aside && ++counted == number;
}

void* allocate(std::size_t size, std::size_t alignment, const void* caller) {
  const bool ours = !is_tbb(caller);
  if (ours && fails()) throw std::bad_alloc();
  const std::size_t whole = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment;
  void* const memory = __real_aligned_alloc(alignment, whole * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  if (ours) ++held;
  return memory;
}

void release(void* memory, const void* caller) noexcept {
  if (memory != nullptr && !is_tbb(caller)) --held;
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)
}

}  // namespace

FailingAllocation::FailingAllocation(std::uint64_t number) noexcept {
  counted = 0;
  failing = number;
}
FailingAllocation::~FailingAllocation() { failing = kNone; }
bool FailingAllocation::reached() const noexcept { return counted >= failing; }

Uncounted::Uncounted() noexcept : before_(aside) { aside = true; }
Uncounted::~Uncounted() { aside = before_; }

std::int64_t allocations_held() noexcept { return held; }

}  // namespace millrace::test

// All forms: a sanitizer would otherwise put its own beside ours.

#define MILLRACE_CALLER __builtin_return_address(0)

using millrace::test::allocate;
using millrace::test::release;

void* operator new(std::size_t size) {
  return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__, MILLRACE_CALLER);
}
void* operator new[](std::size_t size) {
  return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__, MILLRACE_CALLER);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment), MILLRACE_CALLER);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment), MILLRACE_CALLER);
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  try {
    return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__, MILLRACE_CALLER);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  try {
    return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__, MILLRACE_CALLER);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept { release(memory, MILLRACE_CALLER); }
void operator delete[](void* memory) noexcept { release(memory, MILLRACE_CALLER); }
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  release(memory, MILLRACE_CALLER);
}
void operator delete[](void* memory, std::size_t /*size*/) noexcept {
  release(memory, MILLRACE_CALLER);
}
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  release(memory, MILLRACE_CALLER);
}
void operator delete[](void* memory, std::align_val_t /*alignment*/) noexcept {
  release(memory, MILLRACE_CALLER);
}
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  release(memory, MILLRACE_CALLER);
}
void operator delete[](void* memory, std::size_t /*size*/,
                       std::align_val_t /*alignment*/) noexcept {
  release(memory, MILLRACE_CALLER);
}
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept {
  release(memory, MILLRACE_CALLER);
}
void operator delete[](void* memory, const std::nothrow_t& /*tag*/) noexcept {
  release(memory, MILLRACE_CALLER);
}

extern "C" void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
  return millrace::test::fails() ? nullptr : __real_aligned_alloc(alignment, size);
}
