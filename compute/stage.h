#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace millrace {

/// What a thread, or a queue of a device, is doing.
enum class Stage : std::uint8_t {
  kLoad,        ///< opening and hashing files, making a data set resident
  kDecode,      ///< reading samples that do not lie in memory
  kGather,      ///< writing samples into a slot, distorting them
  kWait,        ///< the training loop has no chunk
  kCopy,        ///< to a device; by a thread: handing the copy over
  kCompute,     ///< steps, of training or not; by a thread for a device: handing them over
  kEpoch,       ///< training on all samples once
  kValidate,    ///< a pass over validation samples
  kTest,        ///< a pass over test samples
  kCheckpoint,  ///< checking and writing one; by the training loop: waiting for that
};
inline constexpr std::size_t kStages = 10;

/// "load", "decode", …
const char* name_of(Stage stage) noexcept;

/// Hears of every stage of a process, from the threads that are in it: a trace, a profiler.
/// Thread-safe.
class StageListener {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::uint64_t kNoNumber = UINT64_MAX;

  virtual ~StageListener() = default;
  /// The calling thread enters and leaves; stages of a thread are nested. `number` tells those of
  /// a kind apart (which epoch); kNoNumber where they have none.
  virtual void begin(Stage stage, std::uint64_t number) noexcept = 0;
  virtual void end(Stage stage) noexcept = 0;
  /// A device was at it, on one of its queues; told afterwards, in the order of each queue.
  /// `queue` is a literal.
  virtual void on_device(const char* /*queue*/, Stage /*stage*/, Clock::time_point /*begin*/,
                         Clock::time_point /*end*/) noexcept {}

 private:
  friend class StageListening;
  friend class StageSpan;
  friend void tell_device_stage(const char*, Stage, Clock::time_point, Clock::time_point) noexcept;

  StageListener* next_ = nullptr;
};

/// While it lives, `listener` hears of stages. These are made and dropped last first, and while no
/// other thread is in a stage: before engines and loaders are made, and after they are gone.
class StageListening {
 public:
  explicit StageListening(StageListener& listener) noexcept;
  ~StageListening();
  StageListening(const StageListening&) = delete;
  StageListening& operator=(const StageListening&) = delete;

 private:
  StageListener& listener_;
};

/// The calling thread is in a stage while this lives. One load and one branch where nobody listens.
class StageSpan {
 public:
  explicit StageSpan(Stage stage, std::uint64_t number = StageListener::kNoNumber) noexcept
      : stage_(stage), first_(first.load(std::memory_order_acquire)) {
    if (first_ != nullptr) begin(number);
  }
  ~StageSpan() {
    if (first_ != nullptr) end();
  }
  StageSpan(const StageSpan&) = delete;
  StageSpan& operator=(const StageSpan&) = delete;

 private:
  friend class StageListening;
  friend void tell_device_stage(const char*, Stage, StageListener::Clock::time_point,
                                StageListener::Clock::time_point) noexcept;

  void begin(std::uint64_t number) const noexcept;
  void end() const noexcept;

  static std::atomic<StageListener*> first;

  const Stage stage_;
  StageListener* const first_;
};

/// Tells all listeners what a device was at.
void tell_device_stage(const char* queue, Stage stage, StageListener::Clock::time_point begin,
                       StageListener::Clock::time_point end) noexcept;

}  // namespace millrace
