#pragma once

#include <chrono>

namespace millrace {

/// Sums up the wall time, in seconds, between start() and stop().
class Stopwatch {
 public:
  void start() noexcept { begin_ = Clock::now(); }
  /// Returns the seconds since start().
  double stop() noexcept {
    const double lap = std::chrono::duration<double>(Clock::now() - begin_).count();
    total_ += lap;
    return lap;
  }
  /// Of all laps that ended.
  double total() const noexcept { return total_; }
  /// With the one that is running.
  double now() const noexcept {
    return total_ + std::chrono::duration<double>(Clock::now() - begin_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
  double total_ = 0.0;
};

}  // namespace millrace
