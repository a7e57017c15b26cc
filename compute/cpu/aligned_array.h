#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace millrace::cpu {

/// A fixed number of zeros to begin with, on a cache line's boundary. Move-only.
template <class T>
class AlignedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedArray() noexcept = default;
  explicit AlignedArray(std::size_t count)
      : data_(
            static_cast<T*>(::operator new (count * sizeof(T) + kAlign, std::align_val_t{kAlign}))),
        size_(count) {
    std::memset(static_cast<void*>(data_.get()), 0, count * sizeof(T) + kAlign);
  }

  AlignedArray(AlignedArray&& other) noexcept
      : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  AlignedArray& operator=(AlignedArray&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  T* data() noexcept { return data_.get(); }
  const T* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T& operator[](std::size_t i) noexcept { return data_.get()[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_.get()[i]; }

 private:
  static constexpr std::size_t kAlign = 64;
  struct Free {
    void operator()(T* data) const noexcept { ::operator delete (data, std::align_val_t{kAlign}); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace millrace::cpu
