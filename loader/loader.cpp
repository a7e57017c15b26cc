#include "loader/loader.h"

#include <chrono>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "compute/stage.h"
#include "loader/chunk_cursor.h"
#include "loader/chunk_filler.h"
#include "loader/ring.h"
#include "loader/worker_pool.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;

// What leases keep alive when the Loader is gone.
class Core {
 public:
  Core(const LoaderSpec& spec, LoaderState start, HostMemory& memory)
      : cursor_({spec.subset.size(), spec.batch, spec.chunk_batches, spec.epochs, spec.rank},
                start),
        batches_per_epoch_(cursor_.batches_per_epoch()),
        filler_(spec, cursor_.position(), [this] { pool_.wake(); }),
        consumer_helps_(spec.kind == ChunkKind::kIndices ||
                        !spec.data->contiguous().samples.empty()),
        streams_(spec.window_blocks != 0),
        ring_(spec.slots, WorkerPool::resolve(workers_of(spec)),
              [this](std::uint32_t slot) { return plan(slot); }),
        pool_(workers_of(spec), [this] { return step(); }) {
    slots_.reserve(spec.slots);
    for (std::uint32_t i = 0; i < spec.slots; ++i) slots_.push_back(filler_.make_slot(memory));
  }

  std::uint64_t batches_per_epoch() const noexcept { return batches_per_epoch_; }
  std::span<const BadPlace> bad(std::uint32_t slot) const noexcept {
    return filler_.bad(slots_[slot]);
  }
  const ChunkPlan& plan_of(std::uint32_t slot) const noexcept { return slots_[slot].plan; }
  Chunk chunk(std::uint32_t slot) {
    filler_.settle(slots_[slot]);
    return filler_.view(slots_[slot]);
  }
  Ring& ring() noexcept { return ring_; }

  void start() { pool_.wake(); }

  // A starved consumer fills parts itself rather than wait for a worker to get a core: on a busy
  // machine that takes a time slice, for work of microseconds. Not where a part may wait for
  // storage. Begins none after `until`.
  void help(Clock::time_point until) noexcept {
    while (consumer_helps_ && ring_.starved() && Clock::now() < until && step()) {
    }
  }

  void release(std::uint32_t slot) noexcept {
    ring_.release(slot);
    try {
      pool_.wake();
    } catch (...) {
      ring_.poison(KeptError::current());
    }
  }

  // No worker touches anything after this.
  void end() noexcept {
    ring_.close();
    pool_.stop();
  }

 private:
  static std::uint32_t workers_of(const LoaderSpec& spec) noexcept {
    return spec.kind == ChunkKind::kIndices ? 1 : spec.workers;
  }

  Ring::Planned plan(std::uint32_t slot) noexcept {
    const auto next = cursor_.next();
    if (!next) return {};
    return {filler_.prepare(slots_[slot], *next), cursor_.at_end()};
  }

  // The next part, once it can be filled. One that cannot yet is kept for the next call, whoever
  // makes it: what it waits for wakes the pool.
  std::optional<Ring::Part> next_part() {
    if (!streams_) return ring_.claim();
    const std::lock_guard lock(next_mutex_);
    if (!next_) next_ = ring_.claim();
    if (!next_) return std::nullopt;
    const bool ready = filler_.ready(slots_[next_->slot], next_->part);
    if (idle_ == ready) {
      ring_.idle(ready ? -1 : 1);
      idle_ = !ready;
    }
    return ready ? std::exchange(next_, std::nullopt) : std::nullopt;
  }

  // One piece of the work that parts wait for.
  bool read_ahead() noexcept {
    ring_.idle(-1);
    bool worked = false;
    try {
      worked = filler_.read_ahead();
    } catch (...) {
      give_up(KeptError::current());
    }
    ring_.idle(1);
    return worked;
  }

  // What cannot be read ahead is what the part that is kept waits for: it would stay unfilled.
  void give_up(const KeptError& error) noexcept {
    const std::lock_guard lock(next_mutex_);
    if (!next_) return ring_.poison(error);
    ring_.fail(*std::exchange(next_, std::nullopt), error);
    if (std::exchange(idle_, false)) ring_.idle(-1);
  }

  bool step() noexcept {
    const auto part = next_part();
    if (!part) return streams_ && read_ahead();
    try {
      if (part->more) pool_.wake();
      const StageSpan span(Stage::kGather);
      ring_.done(*part, filler_.fill(slots_[part->slot], part->part));
    } catch (...) {
      ring_.fail(*part, KeptError::current());
    }
    return true;
  }

  ChunkCursor cursor_;  // guarded by the ring
  const std::uint64_t batches_per_epoch_;
  ChunkFiller filler_;
  const bool consumer_helps_;
  const bool streams_;
  std::mutex next_mutex_;
  std::optional<Ring::Part> next_;  // under next_mutex_: claimed, and to be filled next
  bool idle_ = false;               // under next_mutex_: next_ waits
  std::vector<ChunkSlot> slots_;
  Ring ring_;
  WorkerPool pool_;  // last: its tasks use all of the above
};

}  // namespace

struct ChunkLease::Access {
  std::shared_ptr<Core> core;
  std::uint32_t slot = 0;
  Chunk chunk;
};

ChunkLease::ChunkLease(std::unique_ptr<Access> access) noexcept : access_(std::move(access)) {}
ChunkLease::ChunkLease(ChunkLease&& other) noexcept = default;

ChunkLease& ChunkLease::operator=(ChunkLease&& other) noexcept {
  ChunkLease moved(std::move(other));
  std::swap(access_, moved.access_);
  return *this;
}

ChunkLease::~ChunkLease() {
  if (access_) access_->core->release(access_->slot);
}

const Chunk& ChunkLease::chunk() const noexcept { return access_->chunk; }
LoaderState ChunkLease::position() const noexcept {
  return access_->core->plan_of(access_->slot).position;
}
bool ChunkLease::last_in_epoch() const noexcept {
  return access_->core->plan_of(access_->slot).last_in_epoch;
}

std::span<const BadPlace> ChunkLease::bad() const noexcept {
  return access_->core->bad(access_->slot);
}

class Loader::Impl {
 public:
  Impl(const LoaderSpec& spec, LoaderState start, HostMemory& memory)
      : core_(std::make_shared<Core>(spec, start, memory)),
        state_(start.batch == core_->batches_per_epoch() ? LoaderState{start.epoch + 1, 0}
                                                         : start) {
    core_->start();
  }
  ~Impl() { core_->end(); }

  std::unique_ptr<ChunkLease::Access> next() {
    auto access = std::make_unique<ChunkLease::Access>();
    core_->help(Clock::time_point::max());
    const auto slot = core_->ring().take();
    if (!slot) return nullptr;
    access->core = core_;
    access->slot = *slot;
    access->chunk = core_->chunk(*slot);
    const std::lock_guard lock(mutex_);
    state_ = core_->plan_of(*slot).after;
    ++chunks_;
    samples_ += access->chunk.count;
    return access;
  }

  bool wait_for(std::chrono::milliseconds limit) {
    constexpr auto kEver = Clock::time_point::max();
    const auto now = Clock::now();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(kEver - now);
    const auto until = limit < left ? now + limit : kEver;
    core_->help(until);
    return core_->ring().wait_until(until);
  }

  LoaderState state() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }

  LoaderStats stats() const {
    LoaderStats stats = core_->ring().stats();
    const std::lock_guard lock(mutex_);
    stats.chunks = chunks_;
    stats.samples = samples_;
    return stats;
  }

  void stop() noexcept { core_->ring().close(); }
  std::uint64_t batches_per_epoch() const noexcept { return core_->batches_per_epoch(); }

 private:
  const std::shared_ptr<Core> core_;
  mutable std::mutex mutex_;
  LoaderState state_;
  std::uint64_t chunks_ = 0;
  std::uint64_t samples_ = 0;
};

Loader::Loader(const LoaderSpec& spec, LoaderState start, HostMemory& memory) {
  if (spec.slots == 0) throw std::invalid_argument("0 slots: a loader needs at least one");
  impl_ = std::make_unique<Impl>(spec, start, memory);
}

Loader::~Loader() = default;

std::optional<ChunkLease> Loader::next() {
  auto access = impl_->next();
  if (!access) return std::nullopt;
  return ChunkLease(std::move(access));
}

bool Loader::wait_for(std::chrono::milliseconds limit) { return impl_->wait_for(limit); }
LoaderState Loader::state() const { return impl_->state(); }
LoaderStats Loader::stats() const { return impl_->stats(); }
void Loader::stop() noexcept { impl_->stop(); }
std::uint64_t Loader::batches_per_epoch() const noexcept { return impl_->batches_per_epoch(); }

InputType input_type_for(DType type) noexcept {
  return type == DType::kUInt8 ? InputType::kUInt8 : InputType::kFloat32;
}

}  // namespace millrace
