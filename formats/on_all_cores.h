#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "formats/seekable_zstd.h"

namespace millrace {

/// Calls work(0), …, work(count - 1) on several threads, the caller among them: at most one for
/// each core that the process may use, and at most `most_threads`. Each thread has a work of its
/// own, which make_work() makes. When all are done it throws the error of the lowest number that
/// had one; behind an error no new call begins.
template <typename MakeWork>
void on_all_cores(std::size_t count, std::size_t most_threads, const MakeWork& make_work) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> failed{count};
  std::mutex mutex;
  std::exception_ptr error;
  const auto run = [&] {
    std::size_t i = 0;
    try {
      auto work = make_work();
      while ((i = next.fetch_add(1)) < failed.load()) work(i);
    } catch (...) {
      const std::scoped_lock lock(mutex);
      if (!error || i < failed.load()) {
        failed = i;
        error = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> others;
    const auto threads = thread_count(0, std::min(count, most_threads));
    others.reserve(threads);
    try {
      for (unsigned i = 1; i < threads; ++i) others.emplace_back(run);
    } catch (const std::system_error&) {
      // The system has no more threads to give: those that there are do the work.
    }
    run();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace millrace
