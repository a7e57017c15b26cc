#include "tests/compute/cuda/fibers.h"

#include <sys/mman.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <system_error>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
// Found in the sanitizer's library; declared in no header of it.
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace millrace::cuda::test {
namespace {

constexpr std::size_t kStackBytes = std::size_t{128} << 10U;

void leave([[maybe_unused]] char* order) {
#ifdef __SANITIZE_THREAD__
  __tsan_release(order);
#endif
}
void enter([[maybe_unused]] char* order) {
#ifdef __SANITIZE_THREAD__
  __tsan_acquire(order);
#endif
}

Fibers* current = nullptr;  // whose body is running

}  // namespace

struct Fibers::Fiber {
  Fiber() {
    void* memory = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error(errno, std::system_category(), "mmap");
    stack = memory;
    getcontext(&context);
    context.uc_stack.ss_sp = stack;
    context.uc_stack.ss_size = kStackBytes;
    context.uc_link = nullptr;
    makecontext(&context, &Fibers::begin, 0);
#ifdef __SANITIZE_THREAD__
    thread = __tsan_create_fiber(0);
#endif
  }
  ~Fiber() {
#ifdef __SANITIZE_THREAD__
    __tsan_destroy_fiber(thread);
#endif
    munmap(stack, kStackBytes);
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  ucontext_t context{};
  void* stack = nullptr;
  void* thread = nullptr;
};

void Fibers::Unseen::see([[maybe_unused]] bool it) {
#ifdef __SANITIZE_THREAD__
  if (it) {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  } else {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
#endif
}

Fibers::Fibers() = default;
Fibers::~Fibers() = default;

void Fibers::run(std::uint32_t count, const std::function<void(std::uint32_t)>& body) {
  leave(&begin_);
  {
    const Unseen unseen;
    std::vector<std::uint32_t> all;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (i == fibers_.size()) fibers_.push_back(std::make_unique<Fiber>());
      all.push_back(i);
    }
    make_ready(all);
    body_ = &body;
    left_ = count;
    current = this;
#ifdef __SANITIZE_THREAD__
    thread_ = __tsan_get_current_fiber();
#endif
    running_ = kCaller;
  }
  if (count != 0) give_turn();  // comes back when none is left that could go on
  enter(&end_);
  if (left_ != 0) {
    fibers_.clear();  // their stacks are not to be used again
    throw std::logic_error(std::to_string(left_) + " of " + std::to_string(count) +
                           " threads wait for others that do not come");
  }
}

std::uint32_t Fibers::arrive(Rendezvous& at) {
  std::uint32_t round = 0;
  char* order = nullptr;
  {
    const Unseen unseen;
    round = at.round_;
    order = &at.orders_[round % 2];
  }
  leave(order);
  const Unseen unseen;
  if (++at.arrived_ == at.members_) {
    at.arrived_ = 0;
    ++at.round_;
    make_ready(at.waiting_);
    at.waiting_.clear();
  }
  return round;
}

void Fibers::wait(Rendezvous& at, std::uint32_t round) {
  char* order = nullptr;
  bool waits = false;
  {
    const Unseen unseen;
    order = &at.orders_[round % 2];
    waits = at.round_ == round;
    if (waits) at.waiting_.push_back(running_);
  }
  if (waits) {
    leave(&end_);  // should nobody come
    give_turn();
  }
  enter(order);
}

void Fibers::make_ready(std::vector<std::uint32_t>& fibers) {
  std::shuffle(fibers.begin(), fibers.end(), random_);
  ready_.insert(ready_.end(), fibers.begin(), fibers.end());
}

// What a fiber does until it is destroyed: one body after another.
void Fibers::begin() {
#ifdef __SANITIZE_ADDRESS__
  const void* stack = nullptr;
  std::size_t bytes = 0;
  __sanitizer_finish_switch_fiber(nullptr, &stack, &bytes);
  if (current->stack_ == nullptr) {  // the first of all was begun by the caller
    current->stack_ = stack;
    current->stack_bytes_ = bytes;
  }
#endif
  for (;;) {
    Fibers* fibers = nullptr;
    std::uint32_t mine = 0;
    const std::function<void(std::uint32_t)>* body = nullptr;
    {
      const Unseen unseen;
      fibers = current;
      mine = fibers->running_;
      body = fibers->body_;
    }
    enter(&fibers->begin_);
    (*body)(mine);
    leave(&fibers->end_);
    {
      const Unseen unseen;
      --fibers->left_;
    }
    fibers->give_turn();
  }
}

// To the next that is ready, to the caller if none is. Comes back when it is the turn of who
// called.
void Fibers::give_turn() {
  ucontext_t* from = &caller_;
  ucontext_t* to = &caller_;
  [[maybe_unused]] void* thread = thread_;
  [[maybe_unused]] const void* stack = stack_;
  [[maybe_unused]] std::size_t bytes = stack_bytes_;
  {
    const Unseen unseen;
    if (running_ != kCaller) from = &fibers_[running_]->context;
    running_ = kCaller;
    if (!ready_.empty()) {
      running_ = ready_.front();
      ready_.pop_front();
      Fiber& next = *fibers_[running_];
      to = &next.context;
      thread = next.thread;
      stack = next.stack;
      bytes = kStackBytes;
    }
  }
  if (from == to) return;
#ifdef __SANITIZE_ADDRESS__
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, stack, bytes);
#endif
#ifdef __SANITIZE_THREAD__
  __tsan_switch_to_fiber(thread, __tsan_switch_to_fiber_no_sync);
#endif
  swapcontext(from, to);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
}

}  // namespace millrace::cuda::test
