#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

// The arithmetic of every kernel is a functor that compiles as plain C++ too, so that it is tested
// on machines without a GPU.
#ifdef __CUDACC__
#define MILLRACE_HOST_DEVICE __host__ __device__
/// For what the compiler has to see with its caller's constants.
#define MILLRACE_INLINE __host__ __device__ __forceinline__
#else
#define MILLRACE_HOST_DEVICE
#define MILLRACE_INLINE inline
#endif

namespace millrace::cuda {

enum class ElementType : std::uint8_t { kFloat32, kBFloat16 };

MILLRACE_HOST_DEVICE constexpr std::size_t size_of(ElementType type) noexcept {
  return type == ElementType::kFloat32 ? 4 : 2;
}

/// The upper half of a float32, which is what bfloat16 is.
MILLRACE_HOST_DEVICE inline float bfloat16_to_float(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16U;
  float value = 0.0F;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

/// Rounds to nearest, ties to even; a NaN stays one.
MILLRACE_HOST_DEVICE inline std::uint16_t float_to_bfloat16(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
    // Rounding could carry a NaN's only bits away: keep the upper ones and make it quiet.
    return static_cast<std::uint16_t>((bits >> 16U) | 0x40U);
  }
  bits += 0x7FFFU + ((bits >> 16U) & 1U);
  return static_cast<std::uint16_t>(bits >> 16U);
}

/// Two of them in a word, the first in its lower half.
MILLRACE_HOST_DEVICE inline std::uint32_t floats_to_bfloat16(float first, float second) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  // One instruction. (Of a NaN's bits it keeps none, but it stays one.)
  std::uint32_t word = 0;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
  return word;
#else
  return float_to_bfloat16(first) | static_cast<std::uint32_t>(float_to_bfloat16(second)) << 16U;
#endif
}

/// Four floats, or as many bytes, in one access. The address is aligned to 16 bytes. (Of a memcpy()
/// of 16 aligned bytes nvcc makes three accesses at times.)
MILLRACE_HOST_DEVICE inline void load_four(const void* from, float* values) {
#ifdef __CUDA_ARCH__
  const float4 four = *static_cast<const float4*>(from);
  values[0] = four.x;
  values[1] = four.y;
  values[2] = four.z;
  values[3] = four.w;
#else
  std::memcpy(values, from, 4 * sizeof *values);
#endif
}
MILLRACE_HOST_DEVICE inline void store_four(void* to, const float* values) {
#ifdef __CUDA_ARCH__
  *static_cast<float4*>(to) = make_float4(values[0], values[1], values[2], values[3]);
#else
  std::memcpy(to, values, 4 * sizeof *values);
#endif
}

/// A view of numbers of either type. The type is the same for all threads of a kernel, so that the
/// branches on it cost next to nothing.
struct Elements {
  void* data = nullptr;
  ElementType type = ElementType::kFloat32;

  MILLRACE_HOST_DEVICE float load(std::size_t i) const {
    return type == ElementType::kFloat32
               ? static_cast<const float*>(data)[i]
               : bfloat16_to_float(static_cast<const std::uint16_t*>(data)[i]);
  }
  MILLRACE_HOST_DEVICE void store(std::size_t i, float value) const {
    if (type == ElementType::kFloat32) {
      static_cast<float*>(data)[i] = value;
    } else {
      static_cast<std::uint16_t*>(data)[i] = float_to_bfloat16(value);
    }
  }

  /// Elements i … i + 7, in as few accesses as there are. i: a multiple of 8; data: aligned to 16
  /// bytes.
  static constexpr std::uint32_t kGroup = 8;
  MILLRACE_HOST_DEVICE void load_group(std::size_t i, float (&values)[kGroup]) const {
    const auto* from = static_cast<const std::byte*>(data) + i * size_of(type);
    if (type == ElementType::kFloat32) {
      load_four(from, values);
      load_four(from + 16, values + 4);
      return;
    }
    float words[kGroup / 2];  // two elements each
    load_four(from, words);
    for (std::uint32_t k = 0; k < kGroup; ++k) {
      std::uint32_t word = 0;
      std::memcpy(&word, words + k / 2, sizeof word);
      values[k] = bfloat16_to_float(static_cast<std::uint16_t>(word >> (16U * (k % 2))));
    }
  }
  MILLRACE_HOST_DEVICE void store_group(std::size_t i, const float (&values)[kGroup]) const {
    auto* to = static_cast<std::byte*>(data) + i * size_of(type);
    if (type == ElementType::kFloat32) {
      store_four(to, values);
      store_four(to + 16, values + 4);
      return;
    }
    std::uint32_t words[kGroup / 2];
    for (std::uint32_t w = 0; w < kGroup / 2; ++w) {
      words[w] = floats_to_bfloat16(values[2 * w], values[2 * w + 1]);
    }
    std::memcpy(__builtin_assume_aligned(to, 16), words, sizeof words);
  }
};

}  // namespace millrace::cuda
