#include "loader/warp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace millrace {
namespace {

constexpr std::int32_t kOne = 1 << 16;
constexpr AffineMap kIdentity{0, kOne, 0, 0, 0, kOne};

std::vector<std::uint8_t> noise(std::size_t count) {
  std::vector<std::uint8_t> pixels(count);
  std::uint32_t state = 1;
  for (auto& pixel : pixels)
    pixel = static_cast<std::uint8_t>((state = state * 1664525U + 1013904223U) >> 24U);
  return pixels;
}

void warp_plane(std::vector<std::uint8_t>& pixels, std::size_t height, std::size_t width,
                const AffineMap& map) {
  std::vector<std::uint32_t> scratch(warp_scratch(height, width));
  warp({pixels.data(), height, width, 1}, map, scratch.data());
}

TEST(Warp, ByTheIdentityChangesNothing) {
  for (const std::size_t width : {1U, 7U, 16U, 28U, 33U}) {
    for (const std::size_t height : {1U, 5U, 28U}) {
      const auto before = noise(height * width);
      auto after = before;
      warp_plane(after, height, width, kIdentity);
      EXPECT_EQ(after, before) << height << "x" << width;
    }
  }
}

TEST(Warp, TurnsByNinetyDegrees) {
  constexpr std::size_t kSide = 9;
  const auto before = noise(kSide * kSide);
  auto after = before;
  // u = y, v = 8 - x
  warp_plane(after, kSide, kSide, {0, 0, kOne, 8 * kOne, -kOne, 0});
  for (std::size_t y = 0; y < kSide; ++y) {
    for (std::size_t x = 0; x < kSide; ++x) {
      EXPECT_EQ(after[y * kSide + x], before[(8 - x) * kSide + y]);
    }
  }
}

TEST(Warp, IsZeroOutside) {
  auto pixels = std::vector<std::uint8_t>(20 * 20, 255);
  warp_plane(pixels, 20, 20, {-5 * kOne, kOne, 0, 300 * kOne, 0, kOne});
  EXPECT_EQ(pixels, std::vector<std::uint8_t>(400, 0));
  pixels.assign(400, 200);
  warp_plane(pixels, 20, 20, {-5 * kOne - kOne / 2, kOne, 0, 0, 0, kOne});
  EXPECT_EQ(pixels[4], 0);
  EXPECT_EQ(pixels[5], 100);  // half of it is outside
  EXPECT_EQ(pixels[6], 200);
}

TEST(Warp, InterpolatesAsDoublesDo) {
  constexpr std::size_t kHeight = 23;
  constexpr std::size_t kWidth = 31;
  const auto before = noise(kHeight * kWidth);
  const AffineMap map{-123456, 60123, 12345, 98765, -9876, 70001};
  auto after = before;
  warp_plane(after, kHeight, kWidth, map);
  const auto at = [&](int y, int x) {
    const bool inside =
        y >= 0 && y < static_cast<int>(kHeight) && x >= 0 && x < static_cast<int>(kWidth);
    return inside ? static_cast<double>(
                        before[static_cast<std::size_t>(y) * kWidth + static_cast<std::size_t>(x)])
                  : 0.0;
  };
  for (std::size_t y = 0; y < kHeight; ++y) {
    for (std::size_t x = 0; x < kWidth; ++x) {
      const auto column = static_cast<double>(x);
      const auto row = static_cast<double>(y);
      const double u = (map.u0 + column * map.ux + row * map.uy) / kOne;
      const double v = (map.v0 + column * map.vx + row * map.vy) / kOne;
      const int iu = static_cast<int>(std::floor(u));
      const int iv = static_cast<int>(std::floor(v));
      const double fu = u - iu;
      const double fv = v - iv;
      const double top = at(iv, iu) * (1 - fu) + at(iv, iu + 1) * fu;
      const double bottom = at(iv + 1, iu) * (1 - fu) + at(iv + 1, iu + 1) * fu;
      // Weights have 8 bits: up to 1/256 of the range off in each direction.
      EXPECT_NEAR(after[y * kWidth + x], top * (1 - fv) + bottom * fv, 2.5) << y << ", " << x;
    }
  }
}

// One interpolation, at the place that the map and the displacement give together.
TEST(Warp, AddsTheDisplacementToThePlace) {
  for (const std::size_t width : {9U, 16U, 28U, 37U}) {
    constexpr std::size_t kHeight = 21;
    const auto before = noise(kHeight * width);
    const AffineMap map{-123456, 60123, 12345, 98765, -9876, 70001};
    const ElasticField elastic(60.0F, 3.0F, kHeight, width);
    std::vector<std::int16_t> field(elastic.scratch());
    const Displacement by = elastic.draw(3, 1, 4, field.data());
    auto after = before;
    std::vector<std::uint32_t> scratch(warp_scratch(kHeight, width));
    warp({after.data(), kHeight, width, 1}, map, by, scratch.data());
    const auto moved = [&](const std::int16_t* sums, std::size_t y, std::size_t x) {
      std::int32_t sum = 0;
      for (std::size_t t = 0; t < Displacement::kTaps; ++t) {
        const int value = sums[(by.taps[y].first + t) * by.stride + x];
        sum += (value * by.taps[y].weights[t] + (1 << 14)) >> 15;
      }
      return (sum * by.factor + (1 << (by.shift - 1))) >> by.shift;
    };
    bool anything = false;
    for (std::size_t y = 0; y < kHeight; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        const auto column = static_cast<std::int32_t>(x);
        const auto row = static_cast<std::int32_t>(y);
        // A map that has this place at (0, 0) fetches the pixel there.
        AffineMap here;
        here.u0 = map.u0 + column * map.ux + row * map.uy + moved(by.x_sums, y, x);
        here.v0 = map.v0 + column * map.vx + row * map.vy + moved(by.y_sums, y, x);
        auto one = before;
        warp_plane(one, kHeight, width, here);
        ASSERT_EQ(after[y * width + x], one[0]) << y << ", " << x;
        anything = anything || one[0] != 0;
      }
    }
    EXPECT_TRUE(anything);
  }
}

TEST(Warp, TakesChannelsApart) {
  constexpr std::size_t kSide = 17;
  const auto before = noise(kSide * kSide * 3);
  const AffineMap map{40000, 61000, 9000, -30000, -8000, 66000};
  auto together = before;
  std::vector<std::uint32_t> scratch(warp_scratch(kSide, kSide));
  for (std::size_t c = 0; c < 3; ++c) {
    std::vector<std::uint8_t> plane(kSide * kSide);
    for (std::size_t i = 0; i < plane.size(); ++i) plane[i] = before[i * 3 + c];
    warp_plane(plane, kSide, kSide, map);
    warp({together.data() + c, kSide, kSide, 3}, map, scratch.data());
    for (std::size_t i = 0; i < plane.size(); ++i) EXPECT_EQ(together[i * 3 + c], plane[i]);
  }
}

}  // namespace
}  // namespace millrace
