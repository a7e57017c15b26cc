#pragma once

#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace millrace::cuda::test {

/// Many threads in one, each with a stack of its own, that take turns where they meet, in an order
/// that differs from one meeting to the next. AddressSanitizer knows their stacks; ThreadSanitizer
/// takes them for threads that only meetings order, so that it sees a meeting that is missing.
class Fibers {
 public:
  /// Where `members` of them wait until all have come.
  class Rendezvous {
   public:
    explicit Rendezvous(std::uint32_t members) : members_(members) {}

   private:
    friend class Fibers;
    std::uint32_t members_;
    std::uint32_t arrived_ = 0;
    std::uint32_t round_ = 0;
    std::vector<std::uint32_t> waiting_;
    char orders_[2] = {};  // by round: what ThreadSanitizer takes for a lock
  };

  /// While there is one, ThreadSanitizer does not look at what the fiber reads and writes: what
  /// makes fibers work is shared by all of them.
  class Unseen {
   public:
    Unseen() { see(false); }
    ~Unseen() { see(true); }
    Unseen(const Unseen&) = delete;
    Unseen& operator=(const Unseen&) = delete;

   private:
    static void see(bool it);
  };

  Fibers();
  ~Fibers();
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;

  /// Runs body(i) for each i < count until all have ended. Throws std::logic_error if some wait for
  /// others that never come; what these hold is then lost.
  void run(std::uint32_t count, const std::function<void(std::uint32_t)>& body);

  // For a body.
  /// Which round it is, for wait().
  std::uint32_t arrive(Rendezvous& at);
  void wait(Rendezvous& at, std::uint32_t round);
  void meet(Rendezvous& at) { wait(at, arrive(at)); }

 private:
  struct Fiber;

  static void begin();
  void give_turn();
  void make_ready(std::vector<std::uint32_t>& fibers);

  std::vector<std::unique_ptr<Fiber>> fibers_;  // kept for their stacks
  std::deque<std::uint32_t> ready_;
  static constexpr std::uint32_t kCaller = UINT32_MAX;
  std::uint32_t running_ = kCaller;
  std::uint32_t left_ = 0;
  const std::function<void(std::uint32_t)>* body_ = nullptr;
  std::minstd_rand random_{7};
  ucontext_t caller_{};
  // Of the caller, for the sanitizers.
  void* thread_ = nullptr;
  const void* stack_ = nullptr;
  std::size_t stack_bytes_ = 0;
  char begin_ = 0;  // what bodies may see of before, and
  char end_ = 0;    // the caller of them; by turns they see nothing of each other
};

}  // namespace millrace::cuda::test
