#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace millrace {

/// oneTBB tasks, at most `workers` at once, that call `step` until there is nothing to do. Nothing
/// waits in them: without work they end, and wake() starts one again.
class WorkerPool {
 public:
  /// `step` does one piece of work and returns whether to call it again. Called by several threads
  /// at once; must not throw. `workers` 0: the cores this process may use.
  WorkerPool(std::uint32_t workers, std::function<bool()> step);
  ~WorkerPool();

  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// There may be work: starts one more worker unless all run, and one that is about to end looks
  /// again. Throws std::bad_alloc where no worker runs and none can be started. Does nothing after
  /// stop().
  void wake();
  /// Waits for the calls of `step` under way; there are none after. Sticky.
  void stop() noexcept;

  std::uint32_t workers() const noexcept;
  /// What `workers` stands for.
  static std::uint32_t resolve(std::uint32_t workers);

 private:
  class Crew;
  class Crews;
  struct Task;
  struct Threads;
  std::shared_ptr<Crew> crew_;
  std::unique_ptr<Threads> threads_;
  std::uint64_t number_;
};

/// Names the calling thread for profilers, traces and the system's list of threads, "loader 1" and
/// so on, the first time; not the process's first thread, which bears the program's name. For
/// threads that come and go, as oneTBB's do.
void name_loader_thread() noexcept;

}  // namespace millrace
