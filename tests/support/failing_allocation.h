#pragma once

#include <cstdint>

namespace millrace::test {

/// While it lives, allocations of the process are counted and the one of this number, from 1 on,
/// fails with std::bad_alloc: those of operator new and of std::aligned_alloc(), on all threads but
/// those that are Uncounted; not what oneTBB allocates for itself. One at a time.
///
/// For programs that are linked with failing_allocation.cpp, which replaces operator new, and with
/// --wrap=aligned_alloc.
class FailingAllocation {
 public:
  explicit FailingAllocation(std::uint64_t number) noexcept;
  ~FailingAllocation();
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;

  /// Whether there were so many.
  bool reached() const noexcept;
};

/// While it lives, allocations of the thread that made it are not counted.
class Uncounted {
 public:
  Uncounted() noexcept;
  ~Uncounted();
  Uncounted(const Uncounted&) = delete;
  Uncounted& operator=(const Uncounted&) = delete;

 private:
  bool before_;
};

/// What operator new gave and operator delete did not take back, oneTBB's left out.
std::int64_t allocations_held() noexcept;

}  // namespace millrace::test
