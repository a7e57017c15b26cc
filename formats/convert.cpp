#include "formats/convert.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace millrace {
namespace {

template <typename T>
T load(const std::byte* in, std::size_t index) noexcept {
  T value;
  std::memcpy(&value, in + index * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void convert(const std::byte* in, std::span<float> out) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(load<T>(in, i));
}

// IEEE 754 binary16. Moves exponent and fraction into place and rebiases the exponent by a
// multiplication, which makes subnormal numbers right as well; infinity and NaN need the largest
// exponent.
float float_of_half(std::uint16_t half) noexcept {
  const std::uint32_t magnitude = (half & 0x7FFFU) << 13U;
  const std::uint32_t sign = (half & 0x8000U) << 16U;
  const float rebiased = std::bit_cast<float>(magnitude) * 0x1p112F;
  const std::uint32_t special = (half & 0x7C00U) == 0x7C00U ? 0x7F800000U | magnitude : 0U;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(rebiased) | sign | special);
}

float float_of_bfloat16(std::uint16_t value) noexcept {
  return std::bit_cast<float>(std::uint32_t{value} << 16U);
}

}  // namespace

void to_float32(DType type, std::span<const std::byte> bytes, std::span<float> out) noexcept {
  const std::byte* const in = bytes.data();
  switch (type) {
    case DType::kBool:
    case DType::kUInt8:
      return convert<std::uint8_t>(in, out);
    case DType::kInt8:
      return convert<std::int8_t>(in, out);
    case DType::kInt16:
      return convert<std::int16_t>(in, out);
    case DType::kInt32:
      return convert<std::int32_t>(in, out);
    case DType::kInt64:
      return convert<std::int64_t>(in, out);
    case DType::kUInt16:
      return convert<std::uint16_t>(in, out);
    case DType::kUInt32:
      return convert<std::uint32_t>(in, out);
    case DType::kUInt64:
      return convert<std::uint64_t>(in, out);
    case DType::kFloat64:
      return convert<double>(in, out);
    case DType::kFloat32:
      if (!out.empty()) std::memcpy(out.data(), in, out.size_bytes());
      return;
    case DType::kFloat16:
      for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = float_of_half(load<std::uint16_t>(in, i));
      return;
    case DType::kBFloat16:
      for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = float_of_bfloat16(load<std::uint16_t>(in, i));
      return;
  }
}

}  // namespace millrace
