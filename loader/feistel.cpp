#include "loader/feistel.h"

#include <cstddef>

// Vectors of a length that only the processor knows cannot be members of arrays and structs: there
// NEON is used.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "loader/feistel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace millrace::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_SCALAR

// Without vectors there is no product of 32-bit lanes; the plain function is as good.
void range(const Feistel& feistel, std::uint64_t first, std::uint64_t* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = feistel(first + i);
}
void apply(const Feistel& feistel, std::uint64_t* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) values[i] = feistel(values[i]);
}
void invert(const Feistel& feistel, std::uint64_t* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) values[i] = feistel.inverse(values[i]);
}

#else

namespace hn = hwy::HWY_NAMESPACE;
using Lanes = hn::ScalableTag<std::uint64_t>;
using Halves = hn::Repartition<std::uint32_t, Lanes>;
using Vector = hn::Vec<Lanes>;

// The 64-bit products of the lanes' low halves.
HWY_INLINE Vector multiply_low(Vector a, Vector b) {
  const Halves halves;
  return hn::MulEven(hn::BitCast(halves, a), hn::BitCast(halves, b));
}

HWY_INLINE Vector hash(Vector half, const Feistel::RoundKey& key) {
  const Lanes lanes;
  const Vector product = multiply_low(hn::Xor(half, hn::Set(lanes, key.before)),
                                      hn::Set(lanes, std::uint64_t{Philox::kMultiplier0}));
  const Vector mixed =
      hn::Add(hn::Xor(product, hn::ShiftRight<32>(product)), hn::Set(lanes, key.between));
  return multiply_low(mixed, hn::Set(lanes, std::uint64_t{Philox::kMultiplier1}));
}

struct Constants {
  Vector columns, row_mask;
  int row_bits;
};

HWY_INLINE Vector permute_domain(const Feistel& feistel, const Constants& c, Vector index) {
  const Lanes lanes;
  const Halves halves;
  Vector column = hn::ShiftRightSame(index, c.row_bits);
  Vector row = hn::And(index, c.row_mask);
  for (std::size_t round = 0; round < 2 * feistel.round_pairs; round += 2) {
    const Vector step = hash(row, feistel.keys[round]);
    column = hn::Add(column, hn::ShiftRight<32>(multiply_low(step, c.columns)));
    // column < 2 * columns ≤ 2^32, so the smaller of the two unsigned values is the one in range.
    const Vector wrapped = hn::Sub(column, c.columns);
    column = hn::BitCast(lanes, hn::Min(hn::BitCast(halves, column), hn::BitCast(halves, wrapped)));
    const Vector flip = hn::ShiftRightSame(hash(column, feistel.keys[round + 1]), 32 - c.row_bits);
    row = hn::Xor(row, hn::And(flip, c.row_mask));
  }
  return hn::Or(hn::ShiftLeftSame(column, c.row_bits), row);
}

HWY_INLINE Vector unpermute_domain(const Feistel& feistel, const Constants& c, Vector index) {
  const Lanes lanes;
  const Halves halves;
  Vector column = hn::ShiftRightSame(index, c.row_bits);
  Vector row = hn::And(index, c.row_mask);
  for (std::size_t round = 2 * feistel.round_pairs; round > 0; round -= 2) {
    const Vector flip = hn::ShiftRightSame(hash(column, feistel.keys[round - 1]), 32 - c.row_bits);
    row = hn::Xor(row, hn::And(flip, c.row_mask));
    const Vector step = hash(row, feistel.keys[round - 2]);
    const Vector before = hn::Sub(column, hn::ShiftRight<32>(multiply_low(step, c.columns)));
    // Both lie below 2^31: of a difference below 0 either half is the larger unsigned value.
    const Vector wrapped = hn::Add(before, c.columns);
    column = hn::BitCast(lanes, hn::Min(hn::BitCast(halves, before), hn::BitCast(halves, wrapped)));
  }
  return hn::Or(hn::ShiftLeftSame(column, c.row_bits), row);
}

// Writes the images of `index`, or what it is the image of. Those outside [0, size) are rare and
// walk on one by one.
template <bool kInverse>
HWY_INLINE void permute(const Feistel& feistel, const Constants& c, Vector index,
                        std::uint64_t* out) {
  const Lanes lanes;
  const hn::RebindToSigned<Lanes> signed_lanes;
  const Vector image =
      kInverse ? unpermute_domain(feistel, c, index) : permute_domain(feistel, c, index);
  hn::StoreU(image, lanes, out);
  const auto last = hn::Set(signed_lanes, static_cast<std::int64_t>(feistel.size - 1));
  const auto outside = hn::Gt(hn::BitCast(signed_lanes, image), last);
  if (HWY_LIKELY(hn::AllFalse(signed_lanes, outside))) return;
  for (std::size_t i = 0; i < hn::Lanes(lanes); ++i) {
    if (out[i] >= feistel.size) out[i] = kInverse ? feistel.inverse(out[i]) : feistel(out[i]);
  }
}

HWY_INLINE Constants constants(const Feistel& feistel) {
  const Lanes lanes;
  return {hn::Set(lanes, feistel.columns),
          hn::Set(lanes, (std::uint64_t{1} << feistel.row_bits) - 1),
          static_cast<int>(feistel.row_bits)};
}

void range(const Feistel& feistel, std::uint64_t first, std::uint64_t* out, std::size_t count) {
  const Lanes lanes;
  const Constants c = constants(feistel);
  const std::size_t width = hn::Lanes(lanes);
  std::size_t i = 0;
  Vector index = hn::Iota(lanes, first);
  const Vector step = hn::Set(lanes, width);
  for (; i + width <= count; i += width) {
    permute<false>(feistel, c, index, out + i);
    index = hn::Add(index, step);
  }
  for (; i < count; ++i) out[i] = feistel(first + i);
}

template <bool kInverse>
HWY_INLINE void permute_all(const Feistel& feistel, std::uint64_t* values, std::size_t count) {
  const Lanes lanes;
  const Constants c = constants(feistel);
  const std::size_t width = hn::Lanes(lanes);
  std::size_t i = 0;
  for (; i + width <= count; i += width) {
    permute<kInverse>(feistel, c, hn::LoadU(lanes, values + i), values + i);
  }
  for (; i < count; ++i) values[i] = kInverse ? feistel.inverse(values[i]) : feistel(values[i]);
}

void apply(const Feistel& feistel, std::uint64_t* values, std::size_t count) {
  permute_all<false>(feistel, values, count);
}

void invert(const Feistel& feistel, std::uint64_t* values, std::size_t count) {
  permute_all<true>(feistel, values, count);
}

#endif

}  // namespace
}  // namespace millrace::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millrace {

HWY_EXPORT(range);
HWY_EXPORT(apply);
HWY_EXPORT(invert);

void feistel_range(const Feistel& feistel, std::uint64_t first,
                   std::span<std::uint64_t> out) noexcept {
  HWY_DYNAMIC_DISPATCH(range)(feistel, first, out.data(), out.size());
}

void feistel_apply(const Feistel& feistel, std::span<std::uint64_t> values) noexcept {
  HWY_DYNAMIC_DISPATCH(apply)(feistel, values.data(), values.size());
}

void feistel_invert(const Feistel& feistel, std::span<std::uint64_t> values) noexcept {
  HWY_DYNAMIC_DISPATCH(invert)(feistel, values.data(), values.size());
}

}  // namespace millrace
#endif
