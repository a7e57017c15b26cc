#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "formats/kept_error.h"
#include "loader/stage_clock.h"
#include "loader/stats.h"

namespace millrace {

/// The slots of a loader, going round: free → filling → ready → in use → free. It decides who fills
/// what and hands chunks out in order; it knows neither their content nor any thread.
///
/// A chunk is filled in parts, by any number of workers at once. Workers never wait: claim() says
/// what there is to do now, and release() that there may be something again. Only take() waits.
///
/// The first chunk in order that fails ends the run: chunks before it are still filled and
/// delivered, those after it are dropped, then take() throws its error, each time. Which error that
/// is depends on the data alone: parts are claimed in order, and a failed chunk waits for the parts
/// before the failed one.
///
/// Thread-safe; one thread at a time in take() and wait_until().
class Ring {
 public:
  struct Planned {
    std::uint32_t parts = 0;  ///< of the chunk; 0: there are no more chunks
    bool last = false;        ///< no chunk follows
  };
  /// Plans the next chunk for `slot`. Called in the order of chunks, one call at a time, inside
  /// claim(). Must not throw, nor call the ring.
  using Plan = std::function<Planned(std::uint32_t slot)>;

  struct Part {
    std::uint32_t slot = 0;
    std::uint32_t part = 0;
    bool more = false;  ///< another part can be claimed now
  };

  Ring(std::uint32_t slots, std::uint32_t workers, Plan plan);

  /// The next part to fill; nullopt when there is none now. Each claim ends in done() or fail().
  std::optional<Part> claim();
  void done(const Part& part, std::uint64_t bytes);
  void fail(const Part& part, KeptError error);

  /// The slot of the next chunk, now in use; waits until it is ready. nullopt after the last chunk
  /// and after close(). Throws the run's error.
  std::optional<std::uint32_t> take();
  /// Waits for take() to have something to return or throw at once, no longer than until then;
  /// whether it has. (A time, not a span: to one that ends when a clock does nothing can be added.)
  bool wait_until(std::chrono::steady_clock::time_point then);
  /// Whether take() would wait. If so, the time from here on counts as starved, until this says no
  /// or one of the two above returns: for a consumer that helps to fill meanwhile.
  bool starved();
  /// in use → free.
  void release(std::uint32_t slot) noexcept;

  /// For the times alone: so many more of the claimed parts rest, or, where negative, so many more
  /// threads work on what parts wait for.
  void idle(int parts) noexcept;

  /// No chunk is planned any more: those planned are delivered, then `error`. For errors outside of
  /// any chunk.
  void poison(KeptError error);
  /// Ends all: sticky, wakes everyone. Parts that are being filled go on to done() or fail().
  void close() noexcept;

  /// Time and bytes so far; what is delivered is for others to count.
  LoaderStats stats() const;

 private:
  enum class State : std::uint8_t { kFree, kFilling, kReady, kInUse };

  struct Slot {
    State state = State::kFree;
    std::uint32_t parts = 0;
    std::uint32_t claimed = 0;
    std::uint32_t finished = 0;
    std::uint32_t failed_part = 0;
    KeptError error;

    bool settled() const noexcept { return finished == (error ? claimed : parts); }
  };

  Slot* filling_slot(std::uint32_t& index) noexcept;
  bool claimable() noexcept;
  bool deliverable() const noexcept;
  void finish(Slot& slot);
  void account() noexcept;

  mutable std::mutex mutex_;
  std::condition_variable deliverable_;
  const Plan plan_;
  const std::uint32_t workers_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> order_;  ///< filling and ready slots, in the order of chunks
  KeptError final_error_;             ///< after the chunks in order_
  bool planned_all_ = false;
  bool closed_ = false;
  KeptError thrown_;

  std::uint32_t active_ = 0;  ///< parts being filled
  int idle_ = 0;              ///< of them, less the threads that work on something else
  std::uint32_t in_use_ = 0;
  bool taking_ = false;
  std::uint64_t bytes_ = 0;
  StageClock fill_clock_;
  StageClock consumer_clock_;
};

}  // namespace millrace
