#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace {

/// Element types of stored samples and tensors, in host byte order once opened.
enum class DType : std::uint8_t {
  kUInt8,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat16,
  kBFloat16,
  kFloat32,
  kFloat64,
  kBool,  ///< one byte, 0 or 1
  kUInt16,
  kUInt32,
  kUInt64,
};

/// Bytes of one element.
std::size_t size_of(DType type) noexcept;
/// The field's short name: "uint8", "float32", …
std::string_view name_of(DType type) noexcept;

}  // namespace millrace
