#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "compute/cuda/elements.h"
#include "compute/cuda/owned.h"

namespace millrace::cuda::test {

/// What kernels read and write, on the host or on a device: a test that makes its kernels with one
/// of each has both work on the same. Throws what the Runtime does.
class Arrays {
 public:
  enum class Numbers : std::uint8_t { kFloat32, kBFloat16, kWhole, kReadOnly };
  struct Array {
    Numbers numbers = Numbers::kReadOnly;
    std::vector<std::byte> bytes;  ///< where it is on the host; of a device's: what fetch() found
    DeviceBuffer device;
    PinnedBuffer pinned;
  };

  Arrays() = default;
  /// In the memory of a device, brought there on `stream`.
  Arrays(Runtime& runtime, StreamHandle stream) : runtime_(&runtime), stream_(stream) {}

  /// What kernels only read.
  template <class T>
  const T* input(const std::vector<T>& values) {
    return static_cast<const T*>(place(Numbers::kReadOnly, values));
  }
  /// What they write, and may read before.
  template <class T>
  T* output(const std::vector<T>& values) {
    return static_cast<T*>(place(Numbers::kWhole, values));
  }
  float* output(const std::vector<float>& values) {
    return static_cast<float*>(place(Numbers::kFloat32, values));
  }
  Elements output(const std::vector<float>& values, ElementType type) {
    if (type == ElementType::kFloat32) return {output(values), type};
    std::vector<std::uint16_t> rounded(values.size());
    std::transform(values.begin(), values.end(), rounded.begin(), float_to_bfloat16);
    return {place(Numbers::kBFloat16, rounded), type};
  }
  /// The same in page-locked memory of the host.
  template <class T>
  T* pinned_output(const std::vector<T>& values) {
    if (runtime_ == nullptr) return output(values);
    Array& array = added(Numbers::kWhole, values);
    array.pinned = pinned_buffer(*runtime_, array.bytes.size());
    std::memcpy(array.pinned.data(), array.bytes.data(), array.bytes.size());
    return array.pinned.as<T>();
  }

  /// Waits for the stream, and brings from the device what was written there.
  void fetch() {
    for (Array& array : arrays_) {
      if (array.numbers == Numbers::kReadOnly || array.device.bytes() == 0) continue;
      runtime_->copy_to_host(array.bytes.data(), array.device.data(), array.bytes.size(), stream_);
    }
    runtime_->synchronize(stream_);
    for (Array& array : arrays_) {
      if (array.pinned.bytes() == 0) continue;
      std::memcpy(array.bytes.data(), array.pinned.data(), array.bytes.size());
    }
  }
  const std::vector<Array>& all() const { return arrays_; }

 private:
  template <class T>
  Array& added(Numbers numbers, const std::vector<T>& values) {
    Array& array = arrays_.emplace_back();
    array.numbers = numbers;
    array.bytes.resize(values.size() * sizeof(T));
    std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
    return array;
  }
  template <class T>
  void* place(Numbers numbers, const std::vector<T>& values) {
    Array& array = added(numbers, values);
    if (runtime_ == nullptr) return array.bytes.data();  // the allocator aligns to 16 bytes
    array.device = device_buffer(*runtime_, array.bytes.size(), "an array of a test");
    runtime_->copy_to_device(array.device.data(), array.bytes.data(), array.bytes.size(), stream_);
    return array.device.data();
  }

  Runtime* runtime_ = nullptr;
  StreamHandle stream_;
  std::vector<Array> arrays_;
};

}  // namespace millrace::cuda::test
