#pragma once

#include <cstdint>

namespace millrace {

/// Where a stage's time went, in seconds. `busy`: working. `starved`: waiting for the stage before
/// it. `blocked`: waiting for the stage after it to make room.
struct StageTimes {
  double busy = 0.0;
  double starved = 0.0;
  double blocked = 0.0;
};

struct LoaderStats {
  /// The workers, summed over them. busy: gather, read and decode, convert into slots; blocked: no
  /// slot was free; starved: there was work, but no processor to start on it.
  StageTimes fill;
  StageTimes consumer;  ///< whoever calls next(): starved while it waited there, busy while it held
                        ///< a lease
  std::uint64_t chunks = 0;   ///< delivered
  std::uint64_t samples = 0;  ///< delivered
  std::uint64_t bytes = 0;    ///< written into slots
  std::uint32_t workers = 0;
  std::uint32_t slots = 0;
};

}  // namespace millrace
