#pragma once

#include <cstdint>
#include <functional>

namespace millrace {

/// Cuts [0, size) into blocks of `block` (the last may be smaller) and calls work(first, count) for
/// each, on the calling thread and on threads of its own, up to `threads` together; 0: one for each
/// core that this process may use. Waits for all. After an error no further block is begun; of
/// several errors the one of the lowest block is thrown. For work that takes long against starting
/// threads and that nothing runs beside.
void for_each_block(std::uint64_t size, std::uint64_t block, std::uint32_t threads,
                    const std::function<void(std::uint64_t first, std::uint64_t count)>& work);

}  // namespace millrace
