#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace millrace {

/// Objects that take long to make, decoders with their buffers, of which a thread uses one at a
/// time: made where all others are in use. The one that came back last goes out first. Thread-safe;
/// outlives its leases. T may be incomplete where the pool is a member.
template <class T>
class Pool {
 public:
  /// One of them, for as long as the lease lives.
  class Lease {
   public:
    /// Throws std::bad_alloc and what T() throws.
    explicit Lease(Pool& pool) : pool_(pool), object_(pool.take()) {}
    ~Lease() { pool_.put_back(std::move(object_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    T& operator*() const noexcept { return *object_; }
    T* operator->() const noexcept { return object_.get(); }

   private:
    Pool& pool_;
    std::unique_ptr<T> object_;
  };

 private:
  std::unique_ptr<T> take() {
    {
      const std::scoped_lock lock(mutex_);
      if (!idle_.empty()) {
        auto object = std::move(idle_.back());
        idle_.pop_back();
        return object;
      }
      // Room for it to come back, so that the end of a lease cannot fail.
      idle_.reserve(++most_);
    }
    return std::make_unique<T>();
  }

  void put_back(std::unique_ptr<T> object) noexcept {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(object));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> idle_;
  std::size_t most_ = 0;  // no more were made
};

}  // namespace millrace
