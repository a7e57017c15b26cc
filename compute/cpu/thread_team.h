#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace millrace::cpu {

/// A fixed team of threads that goes through phases together, all or some of them. The caller of
/// run() is member 0.
///
/// Waiting members spin for some microseconds, which is what a phase's imbalance costs on an idle
/// machine, and then sleep in the kernel, so that a busy machine's other programs get the core.
class ThreadTeam {
 public:
  /// Throws DeviceError where the system refuses a thread.
  explicit ThreadTeam(std::uint32_t threads);
  ~ThreadTeam();

  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(threads_.size()) + 1; }

  /// Calls work(member) on the first `members`, which are at most size(), and returns when all have
  /// returned. The others sleep. `work` must not throw.
  void run(std::uint32_t members, const std::function<void(std::uint32_t)>& work);
  /// Wakes those of the first `members` that the last run left out: for who times the next one.
  void wake(std::uint32_t members) {
    if (members > running_) run(members, [](std::uint32_t) {});
  }

  /// Inside run(): waits, backing off, until `value` is no longer `old`.
  void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old);
  /// Stores `next` and wakes those in wait_while(value, ·).
  void publish(std::atomic<std::uint32_t>& value, std::uint32_t next);

 private:
  // Where a member waits between runs, by itself: those that a run leaves out are not woken by it,
  // and cost its phases nothing. A run waits for all that it has started, so that nobody lags.
  struct alignas(64) Seat {
    std::atomic<std::uint32_t> runs{0};  // one more each run of its member, and at the end
    std::atomic<std::uint32_t> sleepers{0};
  };

  static void wait(const std::atomic<std::uint32_t>& value, std::uint32_t old,
                   std::atomic<std::uint32_t>& sleepers);
  static void start(Seat& seat);
  // Waits until all members of the run have called it.
  void barrier();
  void end();
  void member_loop(std::uint32_t member);

  alignas(64) std::atomic<std::uint32_t> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> generation_{0};
  alignas(64) std::atomic<std::uint32_t> sleepers_{0};  // inside run()
  std::unique_ptr<Seat[]> seats_;
  std::uint32_t running_ = 0;  // members of the run under way, or of the last one
  const std::function<void(std::uint32_t)>* work_ = nullptr;
  std::atomic<bool> closing_{false};
  std::vector<std::thread> threads_;
};

/// Shares out numbered pieces of work of one phase after the other: each member takes first the
/// pieces that are its own, always the same ones, so that their memory stays in its cache, then
/// those that a slower member has not begun; but its last one only if it has begun none. Whoever is
/// at work will get to that in a moment, and what a piece writes would have to cross between
/// caches, in this step and back in the next. A phase is over when all its pieces are done, not
/// when all members have come: one that lost its core while it held no piece holds up nobody.
///
/// What changes with a phase is one word of one line, which a meeting has to carry from one cache
/// to the next; each member's range it works out and keeps up by itself.
class WorkShare {
 public:
  static constexpr std::uint32_t kMostPieces = (1U << 20U) - 1;

  explicit WorkShare(std::uint32_t most_members);

  /// Who shares the phases that follow: the first `members`, at most those of the constructor, who
  /// all are. Between phases, while nobody is in take().
  void share_among(std::uint32_t members) noexcept { members_ = members; }

  /// Begins phase `tag`, another one than before. By one thread, when the phase before is over.
  void reset(std::uint32_t tag, std::uint32_t pieces) noexcept;

  /// For whoever begins phases to tell of it: it lies in the line that changes anyhow.
  std::atomic<std::uint32_t>& phase() noexcept { return phase_; }

  /// Calls work(piece) for each piece of phase `tag` that `member` gets. Returns true to the one
  /// member that finished the phase's last piece. Members that are late for the phase get nothing.
  template <class Work>
  bool take(std::uint32_t member, std::uint32_t tag, Work&& work) {
    bool last = false;
    for (std::uint32_t turn = 0; turn < members_; ++turn) {
      const std::uint32_t owner = (member + turn) % members_;
      std::uint32_t done = 0;
      for (std::uint32_t piece = 0; take_one(owner, tag, turn == 0, piece); ++done) work(piece);
      // Together, for all members write to left_.
      if (done != 0) last = left_.fetch_sub(done, std::memory_order_acq_rel) == done || last;
    }
    return last;
  }

 private:
  // Of a range's state, which is one word so that a late member cannot take a later phase's piece
  // for its own: the tag of the last phase that anyone took a piece of it in, whether its member
  // has begun, and the next piece.
  static constexpr std::uint64_t kBegun = std::uint64_t{1} << 31U;
  static std::uint32_t upper(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32U); }

  bool take_one(std::uint32_t owner, std::uint32_t tag, bool own, std::uint32_t& piece) noexcept {
    std::atomic<std::uint64_t>& range = ranges_[owner].state;
    std::uint64_t state = range.load(std::memory_order_acquire);
    while (true) {
      // Read after the state: a state of a later phase would come with a later phase here.
      const std::uint64_t current = current_.load(std::memory_order_acquire);
      if (upper(current) != tag) return false;
      const auto bound = [&](std::uint64_t m) {
        return static_cast<std::uint32_t>((current & kMostPieces) * m / members_);
      };
      const bool fresh = upper(state) != tag;
      const std::uint32_t next =
          fresh ? bound(owner) : static_cast<std::uint32_t>(state) & kMostPieces;
      const std::uint64_t begun = own ? kBegun : fresh ? 0 : state & kBegun;
      const std::uint32_t left = bound(owner + 1) - next;
      if (left == 0 || (!own && left == 1 && begun != 0)) return false;
      // Nobody has taken that piece if the state is still the same, so the phase is not over.
      const std::uint64_t taken = std::uint64_t{tag} << 32U | begun | (next + 1);
      if (!range.compare_exchange_weak(state, taken, std::memory_order_acq_rel)) continue;
      piece = next;
      return true;
    }
  }

  struct alignas(64) Range {
    std::atomic<std::uint64_t> state{0};
  };
  std::uint32_t members_;
  std::unique_ptr<Range[]> ranges_;
  alignas(64) std::atomic<std::uint64_t> current_{0};  // tag and pieces of the phase under way
  std::atomic<std::uint32_t> phase_{0};
  alignas(64) std::atomic<std::uint32_t> left_{0};
};

}  // namespace millrace::cpu
