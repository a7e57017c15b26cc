#pragma once

#include <cstddef>
#include <cstdint>

#include "loader/elastic.h"

namespace millrace {

/// Where pixel (x, y) of an affine image of a plane comes from: column (u0 + x * ux + y * uy) /
/// 2^16, row likewise.
struct AffineMap {
  std::int32_t u0 = 0, ux = 0, uy = 0;
  std::int32_t v0 = 0, vx = 0, vy = 0;
};

/// One channel of an image, whose neighbours are `step` bytes apart; rows follow each other.
struct Plane {
  std::uint8_t* pixels = nullptr;
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t step = 1;
};

/// 32-bit words that warp() wants for a plane.
std::size_t warp_scratch(std::size_t height, std::size_t width);

/// Replaces the plane by its image under the map: bilinear interpolation with weights of 8 bits,
/// rounded to nearest, zero outside.
void warp(const Plane& plane, const AffineMap& map, std::uint32_t* scratch);

/// The same with each pixel's place in the plane moved by the displacement besides, in one
/// interpolation.
void warp(const Plane& plane, const AffineMap& map, const Displacement& displacement,
          std::uint32_t* scratch);

}  // namespace millrace
