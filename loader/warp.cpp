#include "loader/warp.h"

#include <algorithm>
#include <bit>
#include <cstring>

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "loader/warp.cpp"
#include "hwy/foreach_target.h"

// After foreach_target, which includes this file once for each instruction set.
#include "hwy/highway.h"

#ifndef MILLRACE_WARP_LAYOUT
#define MILLRACE_WARP_LAYOUT
namespace millrace {
namespace {

constexpr std::size_t kMostLanes = 16;

// Words of neighbours lie in rows of a power of two, for a shift is quicker than a product.
std::size_t word_stride_bits(std::size_t width) {
  return static_cast<std::size_t>(std::bit_width(width + 2));
}
// With room for a vector's overhang.
std::size_t word_count(std::size_t height, std::size_t width) {
  return ((height + 3) << word_stride_bits(width)) + kMostLanes;
}
// Bytes of a row of the padded copy: two zeros before, two after, and what a vector reads beyond.
std::size_t padded_stride(std::size_t width) { return width + 4 + kMostLanes; }

}  // namespace
}  // namespace millrace
#endif

HWY_BEFORE_NAMESPACE();
namespace millrace::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<std::int32_t, 16>;
constexpr std::size_t kLanes = hn::MaxLanes(D());

// The four neighbours of each place, from two before the plane's edge on, as one word: pixel, right
// of it, below it, right below. One gather then fetches all that an output pixel needs.
void gather_neighbours(const Plane& plane, std::uint32_t* words) {
  const D d;
  const hn::Rebind<std::uint8_t, D> d8;
  const std::size_t stride = std::size_t{1} << word_stride_bits(plane.width);
  const std::size_t padded = padded_stride(plane.width);
  // A copy with zeros around it.
  auto* copy = reinterpret_cast<std::uint8_t*>(words + word_count(plane.height, plane.width));
  std::memset(copy, 0, padded * (plane.height + 4));
  for (std::size_t y = 0; y < plane.height; ++y) {
    const std::uint8_t* from = plane.pixels + y * plane.width * plane.step;
    std::uint8_t* to = copy + (y + 2) * padded + 2;
    if (plane.step == 1) {
      std::memcpy(to, from, plane.width);
    } else {
      for (std::size_t x = 0; x < plane.width; ++x) to[x] = from[x * plane.step];
    }
  }
  for (std::size_t y = 0; y < plane.height + 3; ++y) {
    const std::uint8_t* row = copy + y * padded;
    // Beyond the row's end goes what the next row then overwrites, or nobody asks for.
    for (std::size_t x = 0; x < plane.width + 3; x += kLanes) {
      const auto at = [&](const std::uint8_t* from)
                          HWY_ATTR { return hn::PromoteTo(d, hn::LoadU(d8, from + x)); };
      const auto upper = hn::Or(at(row), hn::ShiftLeft<8>(at(row + 1)));
      const auto lower = hn::Or(at(row + padded), hn::ShiftLeft<8>(at(row + padded + 1)));
      hn::StoreU(hn::Or(upper, hn::ShiftLeft<16>(lower)), d,
                 reinterpret_cast<std::int32_t*>(words + y * stride + x));
    }
  }
}

// How far a vector of pixels of row y is moved, from their sums on.
HWY_INLINE hn::Vec<D> moved(const Displacement& by, const Displacement::Taps& taps,
                            const std::int16_t* sums) {
  const D d;
  const hn::Rebind<std::int16_t, D> d16;
  auto sum = hn::Zero(d16);
  for (std::size_t t = 0; t < Displacement::kTaps; ++t) {
    const auto weight = hn::Set(d16, taps.weights[t]);
    sum = hn::Add(sum, hn::MulFixedPoint15(hn::LoadU(d16, sums + t * by.stride), weight));
  }
  const auto product = hn::Mul(hn::PromoteTo(d, sum), hn::Set(d, by.factor));
  return hn::ShiftRightSame(hn::Add(product, hn::Set(d, 1 << (by.shift - 1))), by.shift);
}

template <bool kMoved>
HWY_INLINE void WarpPlane(const Plane& plane, const AffineMap& map, const Displacement& by,
                          std::uint32_t* scratch) {
  const D d;
  const hn::Rebind<std::uint8_t, D> d8;
  gather_neighbours(plane, scratch);
  const auto* words = reinterpret_cast<const std::int32_t*>(scratch);
  const int stride_bits = static_cast<int>(word_stride_bits(plane.width));
  // The words begin at place (-2, -2).
  const auto low = hn::Zero(d);
  const auto most_u = hn::Set(d, static_cast<std::int32_t>(plane.width + 2));
  const auto most_v = hn::Set(d, static_cast<std::int32_t>(plane.height + 2));
  const auto byte = hn::Set(d, 255);
  const auto half = hn::Set(d, 1 << 15);
  HWY_ALIGN std::uint8_t pixels[16];
  const bool whole = plane.step == 1 && plane.width >= kLanes;
  for (std::size_t begin = 0; begin < plane.width; begin += kLanes) {
    // The last vector overlaps the one before where that saves going pixel by pixel.
    const std::size_t x = whole ? std::min(begin, plane.width - kLanes) : begin;
    const std::size_t count = std::min(kLanes, plane.width - x);
    const auto column = hn::Iota(d, static_cast<std::int32_t>(x));
    const auto two = hn::Set(d, 2 << 16);
    const auto u_column = hn::Add(hn::Mul(column, hn::Set(d, map.ux)), two);
    const auto v_column = hn::Add(hn::Mul(column, hn::Set(d, map.vx)), two);
    std::uint8_t* row = plane.pixels;
    for (std::size_t y = 0; y < plane.height; ++y, row += plane.width * plane.step) {
      const auto line = static_cast<std::int32_t>(y);
      auto u = hn::Add(u_column, hn::Set(d, map.u0 + line * map.uy));
      auto v = hn::Add(v_column, hn::Set(d, map.v0 + line * map.vy));
      if constexpr (kMoved) {
        const Displacement::Taps& taps = by.taps[y];
        const std::size_t sums = taps.first * by.stride + x;
        u = hn::Add(u, moved(by, taps, by.x_sums + sums));
        v = hn::Add(v, moved(by, taps, by.y_sums + sums));
      }
      const auto at_u = hn::Min(hn::Max(hn::ShiftRight<16>(u), low), most_u);
      const auto at_v = hn::Min(hn::Max(hn::ShiftRight<16>(v), low), most_v);
      const auto four =
          hn::GatherIndex(d, words, hn::Add(hn::ShiftLeftSame(at_v, stride_bits), at_u));
      const auto right = hn::And(hn::ShiftRight<8>(u), byte);
      const auto down = hn::And(hn::ShiftRight<8>(v), byte);
      const auto p00 = hn::And(four, byte);
      const auto p01 = hn::And(hn::ShiftRight<8>(four), byte);
      const auto p10 = hn::And(hn::ShiftRight<16>(four), byte);
      const auto p11 = hn::And(hn::ShiftRight<24>(four), byte);
      const auto top = hn::Add(hn::ShiftLeft<8>(p00), hn::Mul(right, hn::Sub(p01, p00)));
      const auto bottom = hn::Add(hn::ShiftLeft<8>(p10), hn::Mul(right, hn::Sub(p11, p10)));
      const auto sum = hn::Add(hn::ShiftLeft<8>(top), hn::Mul(down, hn::Sub(bottom, top)));
      const auto value = hn::DemoteTo(d8, hn::ShiftRight<16>(hn::Add(sum, half)));
      if (whole) {
        hn::StoreU(value, d8, row + x);
        continue;
      }
      hn::StoreU(value, d8, pixels);
      for (std::size_t i = 0; i < count; ++i) row[(x + i) * plane.step] = pixels[i];
    }
  }
}

void Warp(const Plane& plane, const AffineMap& map, std::uint32_t* scratch) {
  WarpPlane<false>(plane, map, {}, scratch);
}

void WarpMoved(const Plane& plane, const AffineMap& map, const Displacement& displacement,
               std::uint32_t* scratch) {
  WarpPlane<true>(plane, map, displacement, scratch);
}

}  // namespace millrace::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millrace {

HWY_EXPORT(Warp);
HWY_EXPORT(WarpMoved);

std::size_t warp_scratch(std::size_t height, std::size_t width) {
  return word_count(height, width) + (padded_stride(width) * (height + 4) + 3) / 4;
}

void warp(const Plane& plane, const AffineMap& map, std::uint32_t* scratch) {
  HWY_DYNAMIC_DISPATCH(Warp)(plane, map, scratch);
}

void warp(const Plane& plane, const AffineMap& map, const Displacement& displacement,
          std::uint32_t* scratch) {
  HWY_DYNAMIC_DISPATCH(WarpMoved)(plane, map, displacement, scratch);
}

}  // namespace millrace
#endif
