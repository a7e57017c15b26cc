#include "compute/stage.h"

#include <array>

namespace millrace {

const char* name_of(Stage stage) noexcept {
  static constexpr std::array<const char*, kStages> kNames{
      "load",    "decode", "gather",   "wait", "copy",
      "compute", "epoch",  "validate", "test", "checkpoint"};
  return kNames[static_cast<std::size_t>(stage)];
}

std::atomic<StageListener*> StageSpan::first{nullptr};

StageListening::StageListening(StageListener& listener) noexcept : listener_(listener) {
  listener_.next_ = StageSpan::first.load(std::memory_order_relaxed);
  StageSpan::first.store(&listener_, std::memory_order_release);
}

StageListening::~StageListening() {
  StageSpan::first.store(listener_.next_, std::memory_order_release);
}

void StageSpan::begin(std::uint64_t number) const noexcept {
  for (StageListener* l = first_; l != nullptr; l = l->next_) l->begin(stage_, number);
}

void StageSpan::end() const noexcept {
  for (StageListener* l = first_; l != nullptr; l = l->next_) l->end(stage_);
}

void tell_device_stage(const char* queue, Stage stage, StageListener::Clock::time_point begin,
                       StageListener::Clock::time_point end) noexcept {
  for (auto* l = StageSpan::first.load(std::memory_order_acquire); l != nullptr; l = l->next_) {
    l->on_device(queue, stage, begin, end);
  }
}

}  // namespace millrace
