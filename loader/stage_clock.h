#pragma once

#include <chrono>
#include <cstdint>

#include "loader/stats.h"

namespace millrace {

/// Adds up where time went in a stage of `threads` threads: told of every change, it charges the
/// time since the last one to what held until then. Not thread-safe.
class StageClock {
 public:
  using Clock = std::chrono::steady_clock;

  /// What the threads are doing; those in none of the three are not counted.
  struct State {
    std::uint32_t busy = 0;
    std::uint32_t starved = 0;
    std::uint32_t blocked = 0;
  };

  explicit StageClock(Clock::time_point start) noexcept : since_(start) {}

  void change(Clock::time_point now, const State& state) noexcept {
    times_ = times_at(now);
    since_ = now;
    state_ = state;
  }

  StageTimes times_at(Clock::time_point now) const noexcept {
    const double elapsed = std::chrono::duration<double>(now - since_).count();
    return {times_.busy + elapsed * state_.busy, times_.starved + elapsed * state_.starved,
            times_.blocked + elapsed * state_.blocked};
  }

 private:
  Clock::time_point since_;
  State state_;
  StageTimes times_;
};

}  // namespace millrace
