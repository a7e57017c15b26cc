#include "loader/parallel_blocks.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "loader/worker_pool.h"

namespace millrace {

void for_each_block(std::uint64_t size, std::uint64_t block, std::uint32_t threads,
                    const std::function<void(std::uint64_t, std::uint64_t)>& work) {
  std::mutex mutex;
  std::uint64_t next = 0;
  std::uint64_t broken = std::numeric_limits<std::uint64_t>::max();
  std::exception_ptr error;

  const auto run = [&] {
    for (;;) {
      std::uint64_t first = 0;
      {
        const std::scoped_lock lock(mutex);
        if (next >= size || error) return;
        first = next;
        next += std::min(block, size - next);
      }
      try {
        work(first, std::min(block, size - first));
      } catch (...) {
        const std::scoped_lock lock(mutex);
        if (first >= broken) continue;
        broken = first;
        error = std::current_exception();
      }
    }
  };

  const std::uint64_t blocks = size / block + (size % block != 0 ? 1 : 0);
  const auto wanted = std::min<std::uint64_t>(blocks, WorkerPool::resolve(threads));
  {
    std::vector<std::jthread> others;
    try {
      for (std::uint64_t i = 1; i < wanted; ++i) {
        others.emplace_back([&] {
          name_loader_thread();
          run();
        });
      }
    } catch (const std::system_error&) {
      // Threads are refused where there are too many: those that are there do it all.
    }
    run();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace millrace
