#include "compute/cpu/thread_team.h"

#include <string>
#include <system_error>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "compute/engine.h"
#include "compute/thread_name.h"

namespace millrace::cpu {
namespace {

// About 50 to 100 microseconds: longer than the lanes and tiles of most nets differ and than it
// takes to wake a sleeping core of a virtual machine, and little of a scheduler's time slice.
constexpr int kSpins = 2000;

void relax() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

}  // namespace

ThreadTeam::ThreadTeam(std::uint32_t threads) : seats_(std::make_unique<Seat[]>(threads)) {
  threads_.reserve(threads - 1);
  for (std::uint32_t member = 1; member < threads; ++member) {
    try {
      threads_.emplace_back([this, member] { member_loop(member); });
    } catch (const std::system_error& error) {
      end();
      throw DeviceError("cannot start computing thread " + std::to_string(member + 1) + " of " +
                        std::to_string(threads) + ": " + error.code().message());
    }
    name_thread(threads_.back().native_handle(), ("compute " + std::to_string(member)).c_str());
  }
}

ThreadTeam::~ThreadTeam() { end(); }

void ThreadTeam::end() {
  closing_.store(true, std::memory_order_relaxed);
  for (std::size_t member = 1; member <= threads_.size(); ++member) start(seats_[member]);
  for (auto& thread : threads_) thread.join();
}

void ThreadTeam::run(std::uint32_t members, const std::function<void(std::uint32_t)>& work) {
  running_ = members;
  work_ = &work;
  for (std::uint32_t member = 1; member < members; ++member) start(seats_[member]);
  work(0);
  if (members > 1) barrier();
}

void ThreadTeam::start(Seat& seat) {
  seat.runs.fetch_add(1, std::memory_order_seq_cst);
  if (seat.sleepers.load(std::memory_order_seq_cst) != 0) seat.runs.notify_one();
}

void ThreadTeam::barrier() {
  const std::uint32_t generation = generation_.load(std::memory_order_acquire);
  const std::uint32_t running = running_;  // another run's, once all have come
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 != running) {
    return wait_while(generation_, generation);
  }
  arrived_.store(0, std::memory_order_relaxed);
  publish(generation_, generation + 1);
}

void ThreadTeam::member_loop(std::uint32_t member) {
  std::uint32_t seen = 0;
  while (true) {
    wait(seats_[member].runs, seen, seats_[member].sleepers);
    ++seen;
    if (closing_.load(std::memory_order_relaxed)) return;
    (*work_)(member);
    barrier();
  }
}

void ThreadTeam::wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  wait(value, old, sleepers_);
}

void ThreadTeam::wait(const std::atomic<std::uint32_t>& value, std::uint32_t old,
                      std::atomic<std::uint32_t>& sleepers) {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    relax();
  }
  sleepers.fetch_add(1, std::memory_order_seq_cst);
  // The store of a new value and the look at sleepers are both sequentially consistent, so either
  // the waker sees this sleeper or this load sees the new value.
  while (value.load(std::memory_order_seq_cst) == old) value.wait(old, std::memory_order_seq_cst);
  sleepers.fetch_sub(1, std::memory_order_seq_cst);
}

void ThreadTeam::publish(std::atomic<std::uint32_t>& value, std::uint32_t next) {
  value.store(next, std::memory_order_seq_cst);
  if (sleepers_.load(std::memory_order_seq_cst) != 0) value.notify_all();
}

WorkShare::WorkShare(std::uint32_t most_members)
    : members_(most_members), ranges_(std::make_unique<Range[]>(most_members)) {
  // Of a phase that comes last: 0 may be the first one's tag.
  for (std::uint32_t m = 0; m < most_members; ++m) ranges_[m].state = ~std::uint64_t{0};
}

void WorkShare::reset(std::uint32_t tag, std::uint32_t pieces) noexcept {
  left_.store(pieces, std::memory_order_relaxed);
  current_.store(std::uint64_t{tag} << 32U | pieces, std::memory_order_release);
}

}  // namespace millrace::cpu
