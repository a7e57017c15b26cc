#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace millrace::cpu {

/// A fixed team of threads that goes through phases together. The caller of run() is member 0.
///
/// Waiting members spin for some microseconds, which is what a phase's imbalance costs on an idle
/// machine, and then sleep in the kernel, so that a busy machine's other programs get the core.
class ThreadTeam {
 public:
  explicit ThreadTeam(std::uint32_t threads);
  ~ThreadTeam();

  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(threads_.size()) + 1; }

  /// Calls work(member) on every member, and returns when all have returned. `work` must not throw.
  void run(const std::function<void(std::uint32_t)>& work);

  /// Inside run(): waits until every member has called it; the last one to arrive calls `last`
  /// before anyone goes on.
  template <class Last>
  void barrier(Last&& last) {
    const std::uint32_t generation = generation_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size()) {
      arrived_.store(0, std::memory_order_relaxed);
      last();
      generation_.store(generation + 1, std::memory_order_seq_cst);
      if (sleepers_.load(std::memory_order_seq_cst) != 0) generation_.notify_all();
    } else {
      wait_while(generation_, generation);
    }
  }
  void barrier() {
    barrier([] {});
  }

 private:
  void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old);
  void member_loop(std::uint32_t member);

  alignas(64) std::atomic<std::uint32_t> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> generation_{0};
  alignas(64) std::atomic<std::uint32_t> sleepers_{0};
  alignas(64) std::atomic<std::uint32_t> epoch_{0};  // one more each run(), and at the end
  const std::function<void(std::uint32_t)>* work_ = nullptr;
  std::atomic<bool> closing_{false};
  std::vector<std::thread> threads_;
};

/// Shares out numbered pieces of work of one phase: each member takes first the pieces that are its
/// own, always the same ones, so that their memory stays in its cache, then those that a slower
/// member has not begun.
class WorkShare {
 public:
  explicit WorkShare(std::uint32_t members);

  /// Before a phase, by one thread.
  void reset(std::uint32_t pieces) noexcept;

  /// Calls work(piece) for each piece that `member` gets.
  template <class Work>
  void take(std::uint32_t member, Work&& work) {
    for (std::uint32_t turn = 0; turn < members_; ++turn) {
      Range& range = ranges_[(member + turn) % members_];
      while (range.next.load(std::memory_order_relaxed) < range.end) {
        const std::uint32_t piece = range.next.fetch_add(1, std::memory_order_relaxed);
        if (piece >= range.end) break;
        work(piece);
      }
    }
  }

 private:
  struct alignas(64) Range {
    std::atomic<std::uint32_t> next{0};
    std::uint32_t end = 0;
  };
  std::uint32_t members_;
  std::unique_ptr<Range[]> ranges_;
};

/// The number of cores that this process may run on.
std::uint32_t available_cores() noexcept;

}  // namespace millrace::cpu
