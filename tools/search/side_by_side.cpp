#include "tools/search/side_by_side.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "compute/thread_name.h"

namespace millrace {
namespace {

constexpr std::chrono::milliseconds kLook{50};

class Crew {
 public:
  Crew(std::uint64_t count, std::atomic<bool>& stop, const std::function<void(std::uint64_t)>& work)
      : count_(count), stop_(stop), work_(work) {}

  ~Crew() {
    if (threads_.empty()) return;
    stop_.store(true);
    join();
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void start(std::uint32_t threads) {
    for (std::uint32_t i = 0; i < threads; ++i) {
      {
        const std::lock_guard lock(mutex_);
        ++at_work_;
      }
      try {
        threads_.emplace_back([this] { run(); });
      } catch (...) {
        leave();
        throw;
      }
      name_thread(threads_.back().native_handle(), "trials");
    }
  }

  void wait(const std::function<void()>& look) {
    std::unique_lock lock(mutex_);
    while (!done_.wait_for(lock, kLook, [this] { return at_work_ == 0; })) {
      lock.unlock();
      look();
      lock.lock();
    }
    lock.unlock();
    join();
    look();
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void run() noexcept {
    try {
      while (!stop_.load()) {
        const std::uint64_t next = next_.fetch_add(1);
        if (next >= count_) break;
        work_(next);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      stop_.store(true);
    }
    leave();
  }

  void leave() noexcept {
    const std::lock_guard lock(mutex_);
    if (--at_work_ == 0) done_.notify_all();
  }

  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  const std::uint64_t count_;
  std::atomic<bool>& stop_;
  const std::function<void(std::uint64_t)>& work_;
  std::atomic<std::uint64_t> next_{0};
  std::mutex mutex_;
  std::condition_variable done_;
  std::uint32_t at_work_ = 0;
  std::exception_ptr error_;
  std::vector<std::thread> threads_;
};

}  // namespace

void side_by_side(std::uint64_t count, std::uint32_t threads, std::atomic<bool>& stop,
                  const std::function<void(std::uint64_t)>& work,
                  const std::function<void()>& look) {
  Crew crew(count, stop, work);
  crew.start(static_cast<std::uint32_t>(std::min<std::uint64_t>(threads, count)));
  crew.wait(look);
}

}  // namespace millrace
