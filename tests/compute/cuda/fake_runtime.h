#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "compute/cuda/runtime.h"

namespace millrace::cuda::test {

/// When a fake device does what was enqueued. All of these are allowed to a real one.
enum class Schedule : std::uint8_t {
  kAtOnce,        // as soon as its events allow
  kCopyFirst,     // copies as soon as possible, the rest as late as possible
  kComputeFirst,  // the other way round
  kSideFirst,     // what runs beside compute
  kLate,          // everything as late as possible
  kRandom,
};
inline constexpr Schedule kSchedules[] = {Schedule::kAtOnce,       Schedule::kCopyFirst,
                                          Schedule::kComputeFirst, Schedule::kSideFirst,
                                          Schedule::kLate,         Schedule::kRandom};

/// What a test chooses, and what it may look at afterwards.
struct FakeDevice {
  Schedule schedule = Schedule::kAtOnce;
  std::set<Epilogue> refused{};        // by plan()
  std::int64_t refused_mask_rows = 0;  // m of products that may not write a mask
  std::uint32_t blocks = 1000;         // that it runs at the same time
  std::size_t memory = std::size_t{1} << 30U;
  Capability capability{9, 0};
  bool threads = false;  // kernels are run by all of them, which takes a hundred times as long
  bool clock = false;    // tells the time; else a task takes a microsecond
  bool dead = false;     // every call fails from now on
  int calls_left = -1;   // until it dies; negative: any number

  std::size_t used = 0;
  std::size_t most = 0;  // used at any time
  int event_waits = 0;   // of the host
  int stream_waits = 0;  // of the host
  int kernels = 0;       // launched one by one
  int products = 0;      // the same
  int searches = 0;      // of algorithms
  int allocations = 0;   // of memory, device or page-locked
  int captures = 0;
  int graph_launches = 0;
  std::map<std::string, int> done{};      // of kernels, products, copies: by the stream's name
  int graphs = 0;                         // that were not destroyed
  int live = 0;                           // objects that were not destroyed
  std::vector<std::string> violations{};  // of the rules that CUDA would not tell of
};

/// A Runtime that runs on the host, with device memory that begins as NaN. Streams are queues that
/// advance as the schedule says, so that work whose order no event fixes is done in the wrong one.
/// Holds callers to CUDA's rules: shapes, alignment, memory within allocations, nothing but
/// enqueuing while capturing. And to one of their own: what keeps the host is not begun between the
/// two events that time what the device does.
class FakeRuntime final : public Runtime {
 public:
  explicit FakeRuntime(std::shared_ptr<FakeDevice> device) : device_(std::move(device)) {}

  void make_current() override { check_alive(); }
  std::string device_name() override { return "fake"; }
  Capability capability() override { return device_->capability; }
  void stage(const char* name) noexcept override { stage_ = name; }
  DeviceHandle allocate(std::size_t bytes, const char* what) override;
  void destroy(DeviceHandle memory) noexcept override;
  PinnedHandle allocate_pinned(std::size_t bytes) override;
  void destroy(PinnedHandle memory) noexcept override;
  StreamHandle create_stream(const char* name) override;
  void destroy(StreamHandle stream) noexcept override;
  EventHandle create_event() override;
  EventHandle create_timing_event() override;
  double seconds_between(EventHandle begin, EventHandle end) override;
  void destroy(EventHandle event) noexcept override;
  void record(EventHandle event, StreamHandle stream) override;
  void wait(StreamHandle stream, EventHandle event) override;
  void synchronize(EventHandle event) override;
  void synchronize(StreamHandle stream) override;
  void synchronize_quietly(StreamHandle stream) noexcept override;
  void copy_to_device(void* to, const void* from, std::size_t bytes, StreamHandle stream) override;
  void copy_to_host(void* to, const void* from, std::size_t bytes, StreamHandle stream) override;
  void fill_zero(void* to, std::size_t bytes, StreamHandle stream) override;
  void launch(const Kernel& kernel, StreamHandle stream) override;
  bool prepare(const SmallTraining& kernel) override;
  MatmulHandle plan(const Matmul& matmul, StreamHandle stream) override;
  void destroy(MatmulHandle matmul) noexcept override;
  void run(MatmulHandle matmul, StreamHandle stream) override;
  void begin_capture(StreamHandle stream) override;
  GraphHandle end_capture(StreamHandle stream) override;
  void abandon_capture(StreamHandle stream) noexcept override;
  void launch(GraphHandle graph, StreamHandle stream) override;
  void destroy(GraphHandle graph) noexcept override;

 private:
  using Allocations = std::map<const std::byte*, std::size_t>;
  // When it was reached, in microseconds; negative: not yet.
  using Done = std::shared_ptr<std::int64_t>;
  struct Task {
    std::function<void()> act;  // empty for a wait
    Done waits_for;             // empty: for nothing
    Done completes;             // empty: no event
  };
  struct Queue {
    std::string name;
    std::deque<Task> tasks;
    bool tried = false;  // a product
    bool timed = false;  // what comes next is: an event with a clock was recorded last
  };
  // Of a capture, and then of a graph: what each of its streams does. The streams go on doing it
  // when it is launched, which a real graph's branches do elsewhere: in the same order, as long as
  // a capture ends joined.
  struct Branches {
    Queue* origin = nullptr;
    std::vector<std::pair<Queue*, Task>> tasks;
  };
  struct Product {
    Matmul matmul;
  };
  struct Event {
    Done last;  // empty: never recorded
    bool timing = false;
  };

  bool captures(const Queue& queue) const;
  bool recorded_in_capture(const Done& done) const;
  void check_joined() const;
  void check_alive();
  void check_not_capturing(const char* call) const;
  void check_on_device(const void* memory, std::size_t bytes, const char* what) const;
  void check_pinned(const void* memory, std::size_t bytes, const char* what) const;
  void enqueue(StreamHandle stream, Task task);
  std::int64_t microseconds() const;
  void advance();
  bool advance(Queue& queue);
  void complete(const Done& done);
  void complete(Queue& queue);
  void check_idle(const char* call);
  void check_not_timed(const char* stream, const char* call);

  std::shared_ptr<FakeDevice> device_;
  const char* stage_ = "";
  Allocations memory_;
  Allocations pinned_;
  std::vector<Queue*> queues_;
  std::unique_ptr<Branches> capture_;
  std::minstd_rand random_{7};
  std::int64_t tasks_ = 0;  // done
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// What a kernel leaves behind, made by one thread. The sums of losses and of ActivationGradient
/// have another order than a device's; all else is the same to the bit. emulated_device.h has all
/// the threads.
void run_on_host(const Kernel& kernel);
/// The product as cuBLASLt documents it, summed in double precision.
void run_on_host(const Matmul& matmul);

}  // namespace millrace::cuda::test
