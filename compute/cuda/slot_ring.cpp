#include "compute/cuda/slot_ring.h"

#include <cstring>
#include <span>

#include "compute/stage.h"

namespace millrace::cuda {
namespace {

constexpr const char* kSamples = "a chunk of samples";
constexpr const char* kLabels = "a chunk of labels";
constexpr const char* kIndices = "a chunk of indices";
constexpr const char* kSteps = "the constants of steps";

}  // namespace

SlotRing::SlotRing(Runtime& runtime, const PinnedMemory& pinned, DeviceTimeline& timeline,
                   std::uint32_t rows, std::uint32_t steps, std::size_t sample_bytes,
                   std::size_t label_bytes)
    : runtime_(runtime),
      pinned_(pinned),
      timeline_(timeline),
      rows_(rows),
      steps_(steps),
      sample_bytes_(sample_bytes),
      label_bytes_(label_bytes) {
  for (Slot& slot : slots_) {
    slot.copied = Event(runtime, runtime.create_event());
    slot.consumed = Event(runtime, runtime.create_event());
  }
  make_device(&Slot::steps, steps_bytes(), kSteps);
  make_staging(&Slot::steps, steps_bytes());
}

std::uint32_t SlotRing::fill(const Chunk& chunk, std::span<const StepConstants> steps,
                             StreamHandle copy_stream, StreamHandle compute) {
  const std::uint32_t index = next_;
  next_ = (next_ + 1) % kSlots;
  Slot& slot = slots_[index];
  runtime_.stage("copying a chunk");
  const StageSpan span(Stage::kCopy);
  make_for(chunk);
  if (slot.used) {
    runtime_.synchronize(slot.copied.get());
    runtime_.wait(copy_stream, slot.consumed.get());
  }
  slot.direct = false;
  timeline_.begin(DeviceTimeline::Queue::kCopy);
  if (chunk.packed()) {
    copy(slot, slot.samples, chunk.samples, copy_stream);
    copy(slot, slot.labels, std::as_bytes(chunk.labels), copy_stream);
  } else {
    copy(slot, slot.indices, std::as_bytes(chunk.indices), copy_stream);
  }
  if (!steps.empty()) copy(slot, slot.steps, std::as_bytes(steps), copy_stream);
  timeline_.end(DeviceTimeline::Queue::kCopy);
  runtime_.record(slot.copied.get(), copy_stream);
  runtime_.wait(compute, slot.copied.get());
  slot.used = true;
  return index;
}

Batch SlotRing::batch(std::uint32_t index, bool packed) const {
  const Slot& slot = slots_[index];
  const auto* steps = slot.steps.device.as<const StepConstants>();
  if (packed) {
    return {slot.samples.device.data(), slot.labels.device.as<const std::int32_t>(), nullptr,
            steps};
  }
  return {nullptr, nullptr, slot.indices.device.as<const std::uint32_t>(), steps};
}

void SlotRing::release(std::uint32_t index, StreamHandle compute) {
  runtime_.record(slots_[index].consumed.get(), compute);
}

void SlotRing::finish_direct_copies() {
  for (Slot& slot : slots_) {
    if (!slot.direct) continue;
    runtime_.synchronize(slot.copied.get());
    slot.direct = false;
  }
}

void SlotRing::make_device(Lane Slot::*lane, std::size_t bytes, const char* what) {
  for (Slot& slot : slots_) make_missing(runtime_, (slot.*lane).device, bytes, what);
}

void SlotRing::make_staging(Lane Slot::*lane, std::size_t bytes) {
  for (Slot& slot : slots_) {
    PinnedBuffer& staging = (slot.*lane).staging;
    if (staging.bytes() == 0) staging = pinned_buffer(runtime_, bytes);
  }
}

// What `first` and those like it need. Not while a copy is timed: allocating may take longer.
void SlotRing::make(Lane Slot::*lane, std::span<const std::byte> first, std::size_t bytes,
                    const char* what) {
  make_device(lane, bytes, what);
  if (!pinned_.contains(first)) make_staging(lane, bytes);
}

void SlotRing::make_for(const Chunk& chunk) {
  if (chunk.packed()) {
    make(&Slot::samples, chunk.samples, samples_bytes(), kSamples);
    make(&Slot::labels, std::as_bytes(chunk.labels), labels_bytes(), kLabels);
  } else {
    make(&Slot::indices, std::as_bytes(chunk.indices), indices_bytes(), kIndices);
  }
}

void SlotRing::reserve() {
  make_device(&Slot::samples, samples_bytes(), kSamples);
  make_device(&Slot::labels, labels_bytes(), kLabels);
  // Last: where these find no room, no set is resident, and chunks of samples are what will come.
  make_device(&Slot::indices, indices_bytes(), kIndices);
}

void SlotRing::copy(Slot& slot, const Lane& lane, std::span<const std::byte> from,
                    StreamHandle stream) {
  const std::byte* source = from.data();
  if (pinned_.contains(from)) {
    slot.direct = true;
  } else {
    std::memcpy(lane.staging.data(), from.data(), from.size());
    source = lane.staging.data();
  }
  runtime_.copy_to_device(lane.device.data(), source, from.size(), stream);
}

}  // namespace millrace::cuda
