#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace millrace::test {

/// Threads that come to it stop until it is opened, which it then stays.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++came_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  /// Until so many have come.
  void await(std::size_t count = 1) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return came_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t came_ = 0;
  bool open_ = false;
};

}  // namespace millrace::test
