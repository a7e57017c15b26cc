#include "tests/compute/cuda/fake_runtime.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>
#include <new>
#include <stdexcept>
#include <utility>
#include <variant>

#include "compute/engine.h"
#include "tests/compute/cuda/emulated_device.h"

namespace millrace::cuda::test {
namespace {

constexpr std::align_val_t kAlignment{256};

std::byte* new_memory(std::size_t bytes) {
  auto* memory = static_cast<std::byte*>(::operator new(bytes, kAlignment));
  std::memset(memory, 0xFF, bytes);  // NaN in every type
  return memory;
}
void delete_memory(void* memory) { ::operator delete(memory, kAlignment); }

template <class T, class H>
T& object(H handle) {
  return *static_cast<T*>(handle.value);
}

void require(bool holds, const char* message) {
  if (!holds) throw std::logic_error(message);
}

// Whether one of the allocations has all of the bytes.
bool within(const std::map<const std::byte*, std::size_t>& allocations, const void* memory,
            std::size_t bytes) {
  const auto* begin = static_cast<const std::byte*>(memory);
  const auto next = allocations.upper_bound(begin);
  return next != allocations.begin() &&
         begin + bytes <= std::prev(next)->first + std::prev(next)->second;
}

bool aligned(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory) % 16 == 0; }

}  // namespace

void FakeRuntime::check_alive() {
  if (device_->calls_left >= 0 && device_->calls_left-- == 0) device_->dead = true;
  if (device_->dead) throw DeviceError(std::string("fake device is dead; last stage: ") + stage_);
}

void FakeRuntime::check_not_capturing(const char* call) const {
  if (capture_) throw std::logic_error(std::string(call) + " while capturing");
}

// Whether the queue belongs to the capture under way.
bool FakeRuntime::captures(const Queue& queue) const {
  return capture_ && (capture_->origin == &queue ||
                      std::any_of(capture_->tasks.begin(), capture_->tasks.end(),
                                  [&](const auto& task) { return task.first == &queue; }));
}

bool FakeRuntime::recorded_in_capture(const Done& done) const {
  return capture_ && std::any_of(capture_->tasks.begin(), capture_->tasks.end(),
                                 [&](const auto& task) { return task.second.completes == done; });
}

// Its origin must have waited for the last task of every other queue, directly or by way of others.
void FakeRuntime::check_joined() const {
  std::set<const Queue*> joined{capture_->origin};
  std::set<Done> awaited;
  const std::vector last_first(capture_->tasks.rbegin(), capture_->tasks.rend());
  for (const auto& [queue, of] : last_first) {
    if (of.completes && awaited.contains(of.completes)) joined.insert(queue);
    require(joined.contains(queue), "a capture that ends without having joined all streams");
    if (of.waits_for) awaited.insert(of.waits_for);
  }
}

void FakeRuntime::check_on_device(const void* memory, std::size_t bytes, const char* what) const {
  if (!within(memory_, memory, bytes)) {
    throw std::logic_error(std::string(what) + ": outside of device memory");
  }
}

void FakeRuntime::check_pinned(const void* memory, std::size_t bytes, const char* what) const {
  if (!within(pinned_, memory, bytes)) {
    throw std::logic_error(std::string(what) + ": outside of page-locked memory");
  }
}

void FakeRuntime::check_idle(const char* call) {
  for (const Queue* queue : queues_) {
    if (!queue->tasks.empty()) {
      device_->violations.push_back(std::string(call) + " with work under way");
    }
  }
}

void FakeRuntime::check_not_timed(const char* stream, const char* call) {
  for (const Queue* queue : queues_) {
    if (queue->timed && queue->name == stream) {
      device_->violations.push_back(std::string(call) + " while \"" + stream + "\" is timed");
    }
  }
}

DeviceHandle FakeRuntime::allocate(std::size_t bytes, const char* what) {
  check_alive();
  check_not_capturing("allocate");
  check_not_timed("copy", "memory allocated");
  ++device_->allocations;
  if (device_->used + bytes > device_->memory) {
    throw DeviceError(std::string(what) + ": asked for " + std::to_string(bytes) + " bytes, " +
                      std::to_string(device_->memory - device_->used) + " are free");
  }
  std::byte* memory = new_memory(bytes);
  memory_.emplace(memory, bytes);
  device_->used += bytes;
  device_->most = std::max(device_->most, device_->used);
  ++device_->live;
  return {memory};
}

void FakeRuntime::destroy(DeviceHandle memory) noexcept {
  check_idle("memory freed");
  const auto found = memory_.find(static_cast<const std::byte*>(memory.value));
  device_->used -= found->second;
  memory_.erase(found);
  delete_memory(memory.value);
  --device_->live;
}

PinnedHandle FakeRuntime::allocate_pinned(std::size_t bytes) {
  check_not_timed("copy", "page-locked memory allocated");
  ++device_->allocations;
  ++device_->live;
  std::byte* memory = new_memory(bytes);
  pinned_.emplace(memory, bytes);
  return {memory};
}

void FakeRuntime::destroy(PinnedHandle memory) noexcept {
  pinned_.erase(static_cast<const std::byte*>(memory.value));
  delete_memory(memory.value);
  --device_->live;
}

StreamHandle FakeRuntime::create_stream(const char* name) {
  auto queue = std::make_unique<Queue>();
  queue->name = name;
  queues_.push_back(queue.get());
  ++device_->live;
  return {queue.release()};
}

void FakeRuntime::destroy(StreamHandle stream) noexcept {
  const std::unique_ptr<Queue> queue(&object<Queue>(stream));
  queues_.erase(std::find(queues_.begin(), queues_.end(), queue.get()));
  --device_->live;
}

EventHandle FakeRuntime::create_event() {
  ++device_->live;
  return {std::make_unique<Event>().release()};
}

EventHandle FakeRuntime::create_timing_event() {
  const EventHandle event = create_event();
  object<Event>(event).timing = true;
  return event;
}

double FakeRuntime::seconds_between(EventHandle begin, EventHandle end) {
  check_alive();
  const auto time = [](EventHandle event) {
    const auto& of = object<Event>(event);
    require(of.timing, "seconds_between: an event without a clock");
    require(of.last && *of.last >= 0, "seconds_between: an event that was not reached");
    return static_cast<double>(*of.last);
  };
  require(time(end) >= time(begin), "seconds_between: what CUDA does not say the time of");
  return 1e-6 * (time(end) - time(begin));
}

void FakeRuntime::destroy(EventHandle event) noexcept {
  const std::unique_ptr<Event> owner(&object<Event>(event));
  --device_->live;
}

void FakeRuntime::record(EventHandle event, StreamHandle stream) {
  auto done = std::make_shared<std::int64_t>(-1);
  object<Event>(event).last = done;
  enqueue(stream, {nullptr, nullptr, done});
  object<Queue>(stream).timed = object<Event>(event).timing;
}

void FakeRuntime::wait(StreamHandle stream, EventHandle event) {
  enqueue(stream, {nullptr, object<Event>(event).last, nullptr});
}

void FakeRuntime::synchronize(EventHandle event) {
  check_alive();
  check_not_capturing("synchronize");
  ++device_->event_waits;
  if (object<Event>(event).last) complete(object<Event>(event).last);
}

void FakeRuntime::synchronize(StreamHandle stream) {
  check_alive();
  check_not_capturing("synchronize");
  ++device_->stream_waits;
  complete(object<Queue>(stream));
}

void FakeRuntime::synchronize_quietly(StreamHandle stream) noexcept {
  if (device_->dead) {
    object<Queue>(stream).tasks.clear();
  } else {
    complete(object<Queue>(stream));
  }
}

void FakeRuntime::copy_to_device(void* to, const void* from, std::size_t bytes,
                                 StreamHandle stream) {
  check_on_device(to, bytes, "copy_to_device");
  enqueue(stream, {[=] { std::memcpy(to, from, bytes); }, nullptr, nullptr});
}

void FakeRuntime::copy_to_host(void* to, const void* from, std::size_t bytes, StreamHandle stream) {
  check_on_device(from, bytes, "copy_to_host");
  enqueue(stream, {[=] { std::memcpy(to, from, bytes); }, nullptr, nullptr});
}

void FakeRuntime::fill_zero(void* to, std::size_t bytes, StreamHandle stream) {
  check_on_device(to, bytes, "fill_zero");
  enqueue(stream, {[=] { std::memset(to, 0, bytes); }, nullptr, nullptr});
}

void FakeRuntime::launch(const Kernel& kernel, StreamHandle stream) {
  if (const auto* ended = std::get_if<HandOverSums>(&kernel)) {
    check_on_device(ended->sums, sizeof(DeviceMetrics), "HandOverSums: sums");
    check_pinned(ended->host, sizeof(DeviceMetrics), "HandOverSums: host");
  }
  if (!captures(object<Queue>(stream))) ++device_->kernels;
  const auto act = [kernel, threads = device_->threads] {
    threads ? std::visit([](const auto& k) { emulate(k); }, kernel) : run_on_host(kernel);
  };
  enqueue(stream, {act, nullptr, nullptr});
}

bool FakeRuntime::prepare(const SmallTraining& kernel) {
  check_alive();
  check_not_capturing("prepare");
  return kernel.blocks() <= device_->blocks;
}

MatmulHandle FakeRuntime::plan(const Matmul& p, StreamHandle stream) {
  check_alive();
  check_not_capturing("plan");
  ++device_->searches;
  require(p.lda >= (p.transpose_a ? p.k : p.m), "plan: lda");
  require(p.ldb >= (p.transpose_b ? p.n : p.k), "plan: ldb");
  require(p.ldd >= p.m, "plan: ldd");
  require(aligned(p.a) && aligned(p.b) && aligned(p.d) && aligned(p.bias), "plan: alignment");
  const std::size_t input = size_of(p.input);
  check_on_device(p.a, input * (p.transpose_a ? p.m : p.k) * p.lda, "plan: A");
  check_on_device(p.b, input * (p.transpose_b ? p.k : p.n) * p.ldb, "plan: B");
  check_on_device(p.d, size_of(p.output) * p.n * p.ldd, "plan: D");
  const bool masked = p.epilogue == Epilogue::kBiasReluMask ||
                      p.epilogue == Epilogue::kReluGradient ||
                      p.epilogue == Epilogue::kReluGradientBiasGradient;
  require(masked == (p.mask != nullptr), "plan: a mask and no use of it, or the other way round");
  if (masked) {
    require(p.mask_ld % 128 == 0 && p.mask_ld >= p.m && aligned(p.mask), "plan: mask");
    check_on_device(p.mask, static_cast<std::size_t>(p.mask_ld * p.n / 8), "plan: mask");
  }
  const bool biased = p.epilogue != Epilogue::kNone && p.epilogue != Epilogue::kReluGradient;
  require(biased == (p.bias != nullptr), "plan: a bias and no use of it, or the other way round");
  if (biased) {
    check_on_device(p.bias,
                    size_of(p.output) * (p.epilogue == Epilogue::kBiasGradientOfB ? p.n : p.m),
                    "plan: bias");
  }
  object<Queue>(stream).tried = true;
  if (device_->refused.contains(p.epilogue)) return {};
  if (p.epilogue == Epilogue::kBiasReluMask && p.m == device_->refused_mask_rows) return {};
  // Tried on what may be anything: let it be NaN.
  const bool bias_written =
      p.epilogue == Epilogue::kBiasGradientOfB || p.epilogue == Epilogue::kReluGradientBiasGradient;
  const std::size_t rows = p.epilogue == Epilogue::kBiasGradientOfB ? p.n : p.m;
  enqueue(stream, {[=] {
                     std::memset(p.d, 0xFF, size_of(p.output) * p.n * p.ldd);
                     if (p.epilogue == Epilogue::kBiasReluMask) {
                       std::memset(p.mask, 0xFF, static_cast<std::size_t>(p.mask_ld * p.n / 8));
                     }
                     if (bias_written) std::memset(p.bias, 0xFF, size_of(p.output) * rows);
                   },
                   nullptr, nullptr});
  ++device_->live;
  return {std::make_unique<Product>(Product{p}).release()};
}

void FakeRuntime::destroy(MatmulHandle matmul) noexcept {
  const std::unique_ptr<Product> owner(&object<Product>(matmul));
  --device_->live;
}

void FakeRuntime::run(MatmulHandle matmul, StreamHandle stream) {
  require(object<Queue>(stream).tried, "a product on a stream on which none was tried");
  if (!captures(object<Queue>(stream))) ++device_->products;
  enqueue(stream, {[p = object<Product>(matmul).matmul] { run_on_host(p); }, nullptr, nullptr});
}

void FakeRuntime::begin_capture(StreamHandle stream) {
  check_alive();
  check_not_capturing("begin_capture");
  check_not_timed("compute", "a capture begun");
  capture_ = std::make_unique<Branches>();
  capture_->origin = &object<Queue>(stream);
}

GraphHandle FakeRuntime::end_capture(StreamHandle stream) {
  check_alive();
  require(capture_ && capture_->origin == &object<Queue>(stream),
          "the end of a capture on another stream than it began on");
  check_joined();
  ++device_->captures;
  ++device_->graphs;
  ++device_->live;
  return {capture_.release()};
}

void FakeRuntime::abandon_capture(StreamHandle /*stream*/) noexcept { capture_.reset(); }

void FakeRuntime::launch(GraphHandle graph, StreamHandle stream) {
  ++device_->graph_launches;
  check_not_capturing("launch of a graph");
  const auto& branches = object<Branches>(graph);
  require(branches.origin == &object<Queue>(stream), "a graph on another stream than its own");
  // Branches start after what is on the stream; events are this launch's own.
  std::map<Done, Done> events;
  const auto own = [&](const Done& of) {
    if (!of) return of;
    auto& done = events[of];
    if (!done) done = std::make_shared<std::int64_t>(-1);
    return done;
  };
  for (const auto& [queue, task] : branches.tasks) {
    enqueue({queue}, {task.act, own(task.waits_for), own(task.completes)});
  }
}

void FakeRuntime::destroy(GraphHandle graph) noexcept {
  const std::unique_ptr<Branches> owner(&object<Branches>(graph));
  --device_->graphs;
  --device_->live;
}

void FakeRuntime::enqueue(StreamHandle stream, Task task) {
  check_alive();
  auto& queue = object<Queue>(stream);
  const bool inside = task.waits_for && recorded_in_capture(task.waits_for);
  if (inside || captures(queue)) {
    require(!task.waits_for || inside, "a capture that waits for an event from outside");
    capture_->tasks.emplace_back(&queue, std::move(task));
    return;
  }
  queue.tasks.push_back(std::move(task));
  queue.timed = false;
  advance();
}

std::int64_t FakeRuntime::microseconds() const {
  if (!device_->clock) return tasks_;
  const auto elapsed = std::chrono::steady_clock::now() - begin_;
  return std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count();
}

void FakeRuntime::advance() {
  const auto run_all = [this](const char* name) {
    bool any = false;
    for (Queue* queue : queues_) {
      if (name != nullptr && queue->name != name) continue;
      while (advance(*queue)) any = true;
    }
    return any;
  };
  switch (device_->schedule) {
    case Schedule::kAtOnce:
      // Again and again: what the first stream waits for may come from the second.
      while (run_all(nullptr)) {
      }
      break;
    case Schedule::kCopyFirst:
      run_all("copy");
      break;
    case Schedule::kComputeFirst:
      run_all("compute");
      break;
    case Schedule::kSideFirst:
      run_all("beside compute");
      break;
    case Schedule::kLate:
      break;
    case Schedule::kRandom:
      for (std::size_t n = random_() % 3; n > 0; --n) advance(*queues_[random_() % queues_.size()]);
      break;
  }
}

bool FakeRuntime::advance(Queue& queue) {
  if (queue.tasks.empty()) return false;
  const Task& next = queue.tasks.front();
  if (next.waits_for && *next.waits_for < 0) return false;
  const Task task = next;
  queue.tasks.pop_front();
  if (task.act) {
    task.act();
    ++tasks_;
    ++device_->done[queue.name];
  }
  if (task.completes) *task.completes = microseconds();
  return true;
}

void FakeRuntime::complete(const Done& done) {
  while (*done < 0) {
    const auto holder = std::find_if(queues_.begin(), queues_.end(), [&](const Queue* queue) {
      return std::any_of(queue->tasks.begin(), queue->tasks.end(),
                         [&](const Task& task) { return task.completes == done; });
    });
    if (holder == queues_.end()) throw std::logic_error("an event that nothing will complete");
    if (!advance(**holder)) complete(Done((*holder)->tasks.front().waits_for));
  }
}

void FakeRuntime::complete(Queue& queue) {
  queue.timed = false;
  while (!queue.tasks.empty()) {
    if (!advance(queue)) complete(Done(queue.tasks.front().waits_for));
  }
}

}  // namespace millrace::cuda::test
