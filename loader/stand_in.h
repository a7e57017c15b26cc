#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "loader/bad_sample.h"

namespace millrace {

/// Finds the place whose sample takes the place of a bad one. What it tries, and in which order, is
/// a pure function of seed, epoch, position and the arguments of find().
///
/// kSkip tries the places after the bad one, one after the other and from the last on to the first.
/// kSubstitute draws places from Philox, at most 64 times, and then goes on from the last one drawn
/// as kSkip does. Both give up once they have met more bad samples in a row than `budget`.
class StandIn {
 public:
  StandIn(OnBad on_bad, std::uint64_t seed, std::uint64_t budget)
      : on_bad_(on_bad), seed_(seed), budget_(budget) {}

  struct Bad {
    std::uint64_t epoch = 0;
    std::uint64_t position = 0;  ///< in that epoch
    std::uint64_t place = 0;     ///< the same among the places to choose from
  };

  /// A place below `count` for which `good` says so; nullopt if it gave up. What `good` throws goes
  /// on to the caller.
  std::optional<std::uint64_t> find(const Bad& bad, std::uint64_t count,
                                    const std::function<bool(std::uint64_t place)>& good) const;

 private:
  OnBad on_bad_;
  std::uint64_t seed_;
  std::uint64_t budget_;
};

}  // namespace millrace
