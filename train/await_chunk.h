#pragma once

#include <atomic>
#include <chrono>

#include "compute/stage.h"
#include "loader/loader.h"

namespace millrace {

/// Waits for the loader's next chunk, or its error, or for `stop`: true if next() has something at
/// once, false if it has not and `stop` is set. Storage may take minutes over a read; whoever asks
/// the run to stop should not wait so long.
inline bool await_chunk(Loader& loader, const std::atomic<bool>& stop) {
  // Long enough to cost nothing, short enough for a person.
  constexpr std::chrono::milliseconds kLook{50};
  if (loader.wait_for(std::chrono::milliseconds(0))) return true;
  const StageSpan span(Stage::kWait);
  while (!loader.wait_for(kLook)) {
    if (stop.load(std::memory_order_relaxed)) return false;
  }
  return true;
}

}  // namespace millrace
