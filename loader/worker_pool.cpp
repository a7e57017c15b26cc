#include "loader/worker_pool.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#if defined(__linux__)
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "compute/cores.h"
#include "compute/thread_name.h"

namespace millrace {

void name_loader_thread() noexcept {
#if defined(__linux__)
  static std::atomic<std::uint32_t> named{0};
  thread_local bool done = false;
  if (std::exchange(done, true) || ::syscall(SYS_gettid) == ::getpid()) return;
  try {
    const std::string name = "loader " + std::to_string(++named);
    name_thread(pthread_self(), name.c_str());
  } catch (...) {  // then it has none
  }
#endif
}

// Tasks own it together with the pool: one that oneTBB starts only after the pool's end finds it
// stopped.
class WorkerPool::Crew {
 public:
  Crew(std::uint32_t workers, std::function<bool()> step)
      : workers_(workers), step_(std::move(step)) {}

  std::uint32_t workers() const noexcept { return workers_; }

  /// `start` puts a task in place that calls run(), with the crew locked: never after stop().
  template <typename Start>
  void wake(const Start& start) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    ++wakes_;
    if (running_ == workers_) return;
    try {
      start();
      ++running_;
    } catch (...) {
      if (running_ == 0) throw;
    }
  }

  void run() noexcept {
    name_loader_thread();
    std::unique_lock lock(mutex_);
    std::uint64_t seen = 0;
    do {
      seen = wakes_;
      bool again = true;
      while (again && !stopped_) {
        ++inside_;
        lock.unlock();
        again = step_();
        lock.lock();
        --inside_;
      }
    } while (!stopped_ && seen != wakes_);
    --running_;
    if (stopped_) left_.notify_all();
  }

  void stop() noexcept {
    std::unique_lock lock(mutex_);
    stopped_ = true;
    left_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  const std::uint32_t workers_;
  const std::function<bool()> step_;

  std::mutex mutex_;
  std::condition_variable left_;
  std::uint64_t wakes_ = 0;
  std::uint32_t running_ = 0;  ///< tasks started and not yet ended
  std::uint32_t inside_ = 0;   ///< of them, those that are in step_
  bool stopped_ = false;
};

// The crews of all pools by number. Tasks carry no more than the number: oneTBB may start a task
// long after its pool is gone, or, when its arena is gone too, never, and then what it owned would
// be lost. The lock also tells ThreadSanitizer, which cannot see into oneTBB's library, that what a
// pool did comes before what its tasks do.
class WorkerPool::Crews {
 public:
  static std::uint64_t add(std::shared_ptr<Crew> crew) {
    Crews& all = instance();
    const std::lock_guard lock(all.mutex_);
    all.crews_.emplace(++all.last_, std::move(crew));
    return all.last_;
  }
  static void remove(std::uint64_t number) noexcept {
    Crews& all = instance();
    const std::lock_guard lock(all.mutex_);
    all.crews_.erase(number);
  }
  static std::shared_ptr<Crew> find(std::uint64_t number) noexcept {
    Crews& all = instance();
    const std::lock_guard lock(all.mutex_);
    const auto found = all.crews_.find(number);
    return found == all.crews_.end() ? nullptr : found->second;
  }

 private:
  static Crews& instance() {
    // Never destroyed: oneTBB's threads may outlast main().
    static Crews& all = *new Crews;  // NOLINT(cppcoreguidelines-owning-memory)
    return all;
  }

  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Crew>> crews_;
  std::uint64_t last_ = 0;
};

struct WorkerPool::Task {
  std::uint64_t number;

  // The one read of the task's memory that comes before the lock.
#if defined(__SANITIZE_THREAD__)
  __attribute__((no_sanitize_thread))
#endif
  void
  operator()() const noexcept {
    run(number);
  }

  [[gnu::noinline]] static void run(std::uint64_t number) noexcept {
    if (const auto crew = Crews::find(number)) crew->run();
  }
};

struct WorkerPool::Threads {
  explicit Threads(std::uint32_t workers) : arena(static_cast<int>(workers), 0) {
    // oneTBB keeps one thread less than there are cores, counting on the caller to help. Ours does
    // not.
    using tbb::global_control;
    const std::size_t wanted = std::size_t{workers} + 1;
    if (global_control::active_value(global_control::max_allowed_parallelism) < wanted) {
      limit.emplace(global_control::max_allowed_parallelism, wanted);
    }
  }

  std::optional<tbb::global_control> limit;
  tbb::task_arena arena;
};

std::uint32_t WorkerPool::resolve(std::uint32_t workers) {
  return workers != 0 ? workers : available_cores();
}

WorkerPool::WorkerPool(std::uint32_t workers, std::function<bool()> step)
    : crew_(std::make_shared<Crew>(resolve(workers), std::move(step))),
      threads_(std::make_unique<Threads>(crew_->workers())),
      number_(Crews::add(crew_)) {}

WorkerPool::~WorkerPool() {
  stop();
  Crews::remove(number_);
}

void WorkerPool::wake() {
  crew_->wake([this] { threads_->arena.enqueue(Task{number_}); });
}

void WorkerPool::stop() noexcept { crew_->stop(); }

std::uint32_t WorkerPool::workers() const noexcept { return crew_->workers(); }

}  // namespace millrace

#if defined(__SANITIZE_THREAD__)
// oneTBB makes a task in memory that another thread gave back, again in a way that cannot be seen
// from here.
extern "C" const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "race:tbb::detail::d1::small_object_allocator::new_object\n";
}
#endif
