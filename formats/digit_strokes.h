#pragma once

#include <cstdint>
#include <span>

// How people write the ten digits, as pen strokes. Used by synthetic_digits.cpp alone.

namespace millrace::strokes {

/// A point that the pen passes, x to the right and y down, in a box of 100 by 100. The pen draws a
/// smooth curve through the points; a point given twice is a corner, kLift ends a stroke.
struct Waypoint {
  std::int8_t x;
  std::int8_t y;
  bool operator==(const Waypoint&) const = default;
};
inline constexpr Waypoint kLift{-1, -1};

/// One way to write a digit; how often is relative to the digit's other ways.
struct Style {
  std::uint32_t weight;
  std::span<const Waypoint> path;
};

/// Styles of `digit`, 0 to 9.
std::span<const Style> styles_of(std::uint32_t digit) noexcept;

/// No style has more waypoints (lifts included).
inline constexpr std::size_t kMaxWaypoints = 24;

}  // namespace millrace::strokes
