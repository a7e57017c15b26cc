#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace millrace {

/// Calls `work(i)` for each i below `count`, begun in that order on `threads` threads, until `stop`
/// is set. Every 50 ms, and in the end, the caller's own thread calls `look`, which may set it.
///
/// What `work` or `look` throws sets it too, and is thrown when all that was begun is done: of
/// several the first to come. Throws std::system_error where no thread can be made.
void side_by_side(std::uint64_t count, std::uint32_t threads, std::atomic<bool>& stop,
                  const std::function<void(std::uint64_t)>& work,
                  const std::function<void()>& look);

}  // namespace millrace
