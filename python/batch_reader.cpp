#include "python/batch_reader.h"

#include <stdexcept>
#include <utility>

#include "python/forks.h"

namespace millrace {

// The count falls before the slot is given back: who sees that one is free may have to wait for it,
// but not for ever.
struct BatchReader::Slot {
  Slot(ChunkLease&& taken, std::shared_ptr<std::atomic<std::uint32_t>> count)
      : lease(std::make_unique<ChunkLease>(std::move(taken))), kept(std::move(count)) {
    ++*kept;
  }
  ~Slot() {
    --*kept;
    drop(lease, process);
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  const pid_t process = getpid();
  std::unique_ptr<ChunkLease> lease;
  std::shared_ptr<std::atomic<std::uint32_t>> kept;
};

BatchReader::BatchReader(const LoaderSpec& spec, LoaderState start)
    : slots_(spec.slots),
      loader_(std::make_unique<Loader>(spec, start)),
      kept_(std::make_shared<std::atomic<std::uint32_t>>(0)),
      position_(loader_->state()) {}

BatchReader::~BatchReader() { drop(loader_, process_); }

void BatchReader::check_can_wait() const {
  if (getpid() != process_) {
    throw std::runtime_error(
        "this loader belongs to the process that made it: make one in each process");
  }
  if (*kept_ == slots_) {
    throw std::runtime_error("all " + std::to_string(slots_) +
                             " slots hold batches that are still in use: copy what is to be kept, "
                             "or ask for more slots");
  }
}

bool BatchReader::wait_for(std::chrono::milliseconds limit) {
  const std::lock_guard lock(mutex_);
  if (has_batch()) return true;
  slot_.reset();
  check_can_wait();
  return loader_->wait_for(limit);
}

// Under mutex_, as take_chunk().
bool BatchReader::has_batch() const { return slot_ && next_ < slot_->lease->chunk().batches(); }

bool BatchReader::take_chunk() {
  slot_.reset();
  check_can_wait();
  auto lease = loader_->next();
  if (!lease) return false;
  for (const BadPlace& bad : lease->bad()) bad_.emplace(bad.sample.id, bad.sample.reason);
  slot_ = std::make_shared<const Slot>(std::move(*lease), kept_);
  next_ = 0;
  return true;
}

std::optional<BatchReader::Batch> BatchReader::next(bool whole_chunk) {
  const std::lock_guard lock(mutex_);
  if (!has_batch() && !take_chunk()) return std::nullopt;
  const ChunkLease& lease = *slot_->lease;
  const std::uint32_t left = lease.chunk().batches() - next_;
  const std::uint32_t taken = whole_chunk ? left : 1;
  Batch batch{slot_, lease.chunk().slice(next_, taken), lease.last_in_epoch() && taken == left};
  next_ += taken;
  const LoaderState first = lease.position();
  position_ = batch.last_in_epoch ? LoaderState{first.epoch + 1, 0}
                                  : LoaderState{first.epoch, first.batch + next_};
  return batch;
}

LoaderState BatchReader::position() const {
  const std::lock_guard lock(mutex_);
  return position_;
}

std::map<std::uint64_t, std::string> BatchReader::bad() const {
  const std::lock_guard lock(mutex_);
  return bad_;
}

}  // namespace millrace
