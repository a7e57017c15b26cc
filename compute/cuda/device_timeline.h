#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "compute/cuda/owned.h"
#include "compute/engine.h"
#include "compute/stage.h"

namespace millrace::cuda {

/// Seconds on the device's clock.
struct Interval {
  double begin = 0.0;
  double end = 0.0;
  bool training = false;  ///< of steps, not of an evaluation
};

/// What a device did, added up. Time of a copy during which it computed is hidden; time between
/// computations is idle. Only what lies between its first and its last training step counts, of
/// copies those added with such a step or before it.
class DeviceTimes {
 public:
  /// `copies` and `steps`, each in order, disjoint, and after those added before.
  void add(std::span<const Interval> copies, std::span<const Interval> steps);
  const EngineStats& stats() const noexcept { return stats_; }

 private:
  void add_step(const Interval& step);
  double hidden(const Interval& copy) const;

  EngineStats stats_;
  EngineStats after_;  // the last training step: counted once another follows
  bool trained_ = false;
  double last_end_ = 0.0;
  std::vector<Interval> recent_;  // steps that copies to come may have lain beside
};

/// When copies and steps ran on a device, by events on its one clock. Ranges are recorded on the
/// way, without waiting, and read when the device is known to have done them.
class DeviceTimeline {
 public:
  enum class Queue : std::uint8_t { kCopy, kCompute };
  /// A point in the order of what is enqueued.
  struct Mark {
    std::array<std::uint64_t, 2> ranges{};  ///< of each queue, before it
  };

  /// Ranges between two marks that are told apart; those beyond become one.
  static constexpr std::size_t kMost = 512;

  /// Waits for both streams, once, to set the clock.
  DeviceTimeline(Runtime& runtime, StreamHandle copy, StreamHandle compute);

  /// What is enqueued on the queue's stream between these is one range. One that was begun and not
  /// ended, because what it was for failed, is forgotten when the next begins. `training`: steps.
  void begin(Queue queue, bool training = false);
  void end(Queue queue);
  /// After all ranges that have ended.
  Mark mark();
  /// To be called when all that was enqueued before `mark` is done: adds it up, and tells those who
  /// listen to stages.
  void collect(const Mark& mark);
  /// Up to the last collect().
  const EngineStats& stats() const noexcept { return times_.stats(); }

  Event timing_event() { return {runtime_, runtime_.create_timing_event()}; }
  /// When the device reached an event made by timing_event(), recorded on `compute` after the
  /// ranges that were collected.
  std::chrono::steady_clock::time_point time_of(const Event& event);
  /// The host saw the device reach that event just now: the two's clocks drift apart.
  void set_clock(const Event& event, std::chrono::steady_clock::time_point now);

 private:
  struct Range {
    Event begin;
    Event end;
    bool training = false;
  };
  struct Lane {
    StreamHandle stream;
    Event origin;           // times of what is recorded after it are measured from it
    double origin_s = 0.0;  // its own
    std::optional<Range> begun;
    std::deque<Range> ended;  // and not collected
    std::uint64_t collected = 0;
    std::size_t since_mark = 0;  // of the ended ones
    std::vector<Range> spare;
  };

  Lane& lane(Queue queue) { return lanes_[static_cast<std::size_t>(queue)]; }
  std::chrono::steady_clock::time_point at(double seconds) const;
  double seconds_at(const Lane& lane, const Event& event) const;
  std::vector<Interval> read(Lane& lane, std::uint64_t until, const char* name, Stage stage);

  Runtime& runtime_;
  std::array<Lane, 2> lanes_;
  std::chrono::steady_clock::time_point host_origin_;
  DeviceTimes times_;
};

}  // namespace millrace::cuda
