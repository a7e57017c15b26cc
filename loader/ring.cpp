#include "loader/ring.h"

#include <algorithm>
#include <utility>

namespace millrace {

Ring::Ring(std::uint32_t slots, std::uint32_t workers, Plan plan)
    : plan_(std::move(plan)),
      workers_(workers),
      slots_(slots),
      fill_clock_(StageClock::Clock::now()),
      consumer_clock_(StageClock::Clock::now()) {
  // Reserved, so that nothing is allocated later. Popped from the back: slot 0 first.
  free_.reserve(slots);
  order_.reserve(slots);
  for (std::uint32_t i = slots; i > 0; --i) free_.push_back(i - 1);
  account();
}

// The first chunk in order with a part that nobody has claimed. A failed chunk hides itself and all
// after it.
Ring::Slot* Ring::filling_slot(std::uint32_t& index) noexcept {
  for (const std::uint32_t i : order_) {
    Slot& slot = slots_[i];
    if (slot.error) return nullptr;
    if (slot.claimed < slot.parts) {
      index = i;
      return &slot;
    }
  }
  return nullptr;
}

bool Ring::claimable() noexcept {
  if (closed_) return false;
  std::uint32_t index = 0;
  return filling_slot(index) != nullptr || (!planned_all_ && !free_.empty());
}

std::optional<Ring::Part> Ring::claim() {
  const std::lock_guard lock(mutex_);
  if (closed_) return std::nullopt;
  std::uint32_t index = 0;
  Slot* slot = filling_slot(index);
  if (slot == nullptr) {
    if (planned_all_ || free_.empty()) return std::nullopt;
    index = free_.back();
    const Planned planned = plan_(index);
    if (planned.parts == 0) {
      planned_all_ = true;
      if (order_.empty()) deliverable_.notify_all();
      account();
      return std::nullopt;
    }
    planned_all_ = planned.last;
    order_.push_back(index);
    free_.pop_back();
    slot = &slots_[index];
    *slot = Slot{};
    slot->state = State::kFilling;
    slot->parts = planned.parts;
  }
  ++active_;
  Part part{index, slot->claimed++, false};
  part.more = claimable();
  account();
  return part;
}

void Ring::done(const Part& part, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_ += bytes;
  finish(slots_[part.slot]);
}

void Ring::fail(const Part& part, KeptError error) {
  const std::lock_guard lock(mutex_);
  Slot& slot = slots_[part.slot];
  if (!slot.error || part.part < slot.failed_part) {
    slot.error = std::move(error);
    slot.failed_part = part.part;
  }
  planned_all_ = true;
  finish(slot);
}

void Ring::finish(Slot& slot) {
  --active_;
  ++slot.finished;
  if (slot.settled()) {
    slot.state = State::kReady;
    deliverable_.notify_all();
  }
  account();
}

bool Ring::deliverable() const noexcept {
  if (closed_ || thrown_) return true;
  return order_.empty() ? planned_all_ : slots_[order_.front()].state == State::kReady;
}

bool Ring::wait_until(std::chrono::steady_clock::time_point then) {
  std::unique_lock lock(mutex_);
  taking_ = !deliverable();
  account();
  const bool ready = deliverable_.wait_until(lock, then, [this] { return deliverable(); });
  taking_ = false;
  account();
  return ready;
}

bool Ring::starved() {
  const std::lock_guard lock(mutex_);
  const bool starved = !deliverable();
  if (starved != taking_) {
    taking_ = starved;
    account();
  }
  return starved;
}

std::optional<std::uint32_t> Ring::take() {
  std::unique_lock lock(mutex_);
  if (thrown_) thrown_.raise();
  taking_ = true;
  account();
  deliverable_.wait(lock, [this] { return deliverable(); });
  taking_ = false;
  std::optional<std::uint32_t> taken;
  if (!closed_) {
    if (order_.empty()) {
      thrown_ = final_error_;
    } else if (Slot& slot = slots_[order_.front()]; slot.error) {
      thrown_ = slot.error;
    } else {
      taken = order_.front();
      order_.erase(order_.begin());
      slot.state = State::kInUse;
      ++in_use_;
    }
  }
  account();
  if (thrown_) thrown_.raise();
  return taken;
}

void Ring::release(std::uint32_t slot) noexcept {
  const std::lock_guard lock(mutex_);
  slots_[slot].state = State::kFree;
  free_.push_back(slot);
  --in_use_;
  account();
}

void Ring::poison(KeptError error) {
  const std::lock_guard lock(mutex_);
  if (!planned_all_) final_error_ = std::move(error);
  planned_all_ = true;
  deliverable_.notify_all();
  account();
}

void Ring::close() noexcept {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  deliverable_.notify_all();
  account();
}

void Ring::idle(int parts) noexcept {
  const std::lock_guard lock(mutex_);
  idle_ += parts;
  account();
}

// Workers with nothing to do are blocked while no slot is free; with something to do they are
// starved of a processor. Once all is planned there is nothing left to wait for.
void Ring::account() noexcept {
  const auto now = StageClock::Clock::now();
  const std::uint32_t busy = std::min(
      workers_, static_cast<std::uint32_t>(std::max(0, static_cast<int>(active_) - idle_)));
  const std::uint32_t idle = workers_ - busy;
  StageClock::State fill{busy, 0, 0};
  if (claimable()) {
    fill.starved = idle;
  } else if (!closed_ && !planned_all_) {
    fill.blocked = idle;
  }
  fill_clock_.change(now, fill);
  consumer_clock_.change(now, {!taking_ && in_use_ > 0 ? 1U : 0U, taking_ ? 1U : 0U, 0});
}

LoaderStats Ring::stats() const {
  const std::lock_guard lock(mutex_);
  const auto now = StageClock::Clock::now();
  LoaderStats stats;
  stats.fill = fill_clock_.times_at(now);
  stats.consumer = consumer_clock_.times_at(now);
  stats.bytes = bytes_;
  stats.workers = workers_;
  stats.slots = static_cast<std::uint32_t>(slots_.size());
  return stats;
}

}  // namespace millrace
