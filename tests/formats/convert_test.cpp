#include "formats/convert.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace millrace {
namespace {

// Through memory that is not aligned for T.
template <typename T>
std::vector<float> converted(DType type, const std::vector<T>& values) {
  const auto stored = std::as_bytes(std::span(values));
  std::vector<std::byte> bytes{std::byte{0}};
  bytes.insert(bytes.end(), stored.begin(), stored.end());
  std::vector<float> out(values.size());
  to_float32(type, std::span(bytes).subspan(1), out);
  return out;
}

template <typename T>
void expect_cast(DType type) {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values{T{0}, T{1}, T{2}, T{100}, Limits::lowest(), Limits::max()};
  for (T value = Limits::max(); value > T{1}; value = static_cast<T>(value / 3))
    values.push_back(value);
  const auto out = converted(type, values);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(out[i], static_cast<float>(values[i]));
}

TEST(Convert, IntegersRoundToTheNearestFloat) {
  expect_cast<std::uint8_t>(DType::kUInt8);
  expect_cast<std::uint8_t>(DType::kBool);
  expect_cast<std::int8_t>(DType::kInt8);
  expect_cast<std::int16_t>(DType::kInt16);
  expect_cast<std::uint16_t>(DType::kUInt16);
  expect_cast<std::int32_t>(DType::kInt32);
  expect_cast<std::uint32_t>(DType::kUInt32);
  expect_cast<std::int64_t>(DType::kInt64);
  expect_cast<std::uint64_t>(DType::kUInt64);
  EXPECT_EQ(converted<std::int32_t>(DType::kInt32, {16'777'217, -7}),
            (std::vector<float>{16'777'216.0F, -7.0F}));
}

TEST(Convert, Float64RoundsAndFloat32Stays) {
  const double tie = 1.0 + std::ldexp(1.0, -24);
  EXPECT_EQ(converted<double>(DType::kFloat64, {0.1, tie, -1e300, 1e-300}),
            (std::vector<float>{0.1F, 1.0F, -std::numeric_limits<float>::infinity(), 0.0F}));
  EXPECT_EQ(converted<float>(DType::kFloat32, {0.1F, -3.0F}), (std::vector<float>{0.1F, -3.0F}));
  EXPECT_TRUE(converted<float>(DType::kFloat32, {}).empty());
}

// IEEE 754-2008, 3.4: value of a binary16 from its fields.
float half_value(std::uint16_t bits) {
  const float sign = (bits & 0x8000U) != 0 ? -1.0F : 1.0F;
  const int exponent = (bits >> 10U) & 0x1F;
  const auto fraction = static_cast<float>(bits & 0x3FFU);
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  if (exponent == 31) return fraction == 0 ? sign * std::numeric_limits<float>::infinity() : NAN;
  return sign * std::ldexp(1024.0F + fraction, exponent - 25);
}

TEST(Convert, EveryFloat16AndBFloat16) {
  std::vector<std::uint16_t> all(65'536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  const auto halves = converted(DType::kFloat16, all);
  const auto brains = converted(DType::kBFloat16, all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const float expected = half_value(all[i]);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(halves[i])) << i;
    } else {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(halves[i]), std::bit_cast<std::uint32_t>(expected))
          << i;
    }
    ASSERT_EQ(std::bit_cast<std::uint32_t>(brains[i]), static_cast<std::uint32_t>(i) << 16U);
  }
}

}  // namespace
}  // namespace millrace
