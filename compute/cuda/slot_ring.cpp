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
                   std::uint32_t rows, std::uint32_t steps, std::size_t sample_bytes)
    : runtime_(runtime),
      pinned_(pinned),
      timeline_(timeline),
      rows_(rows),
      steps_(steps),
      sample_bytes_(sample_bytes) {
  for (Slot& slot : slots_) {
    slot.copied = Event(runtime, runtime.create_event());
    slot.consumed = Event(runtime, runtime.create_event());
  }
}

std::uint32_t SlotRing::fill(const Chunk& chunk, std::span<const StepConstants> steps,
                             StreamHandle copy_stream, StreamHandle compute) {
  const std::uint32_t index = next_;
  next_ = (next_ + 1) % kSlots;
  Slot& slot = slots_[index];
  runtime_.stage("copying a chunk");
  const StageSpan span(Stage::kCopy);
  if (slot.used) {
    runtime_.synchronize(slot.copied.get());
    runtime_.wait(copy_stream, slot.consumed.get());
  }
  slot.direct = false;
  timeline_.begin(DeviceTimeline::Queue::kCopy);
  if (chunk.packed()) {
    copy(slot, slot.samples, chunk.samples, samples_bytes(), kSamples, copy_stream);
    copy(slot, slot.labels, std::as_bytes(chunk.labels), labels_bytes(), kLabels, copy_stream);
  } else {
    copy(slot, slot.indices, std::as_bytes(chunk.indices), indices_bytes(), kIndices, copy_stream);
  }
  if (!steps.empty()) {
    copy(slot, slot.steps, std::as_bytes(steps), steps_bytes(), kSteps, copy_stream);
  }
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

void SlotRing::make(Lane& lane, std::size_t capacity, const char* what) {
  if (lane.device.bytes() == 0) lane.device = device_buffer(runtime_, capacity, what);
}

void SlotRing::reserve() {
  for (Slot& slot : slots_) {
    make(slot.samples, samples_bytes(), kSamples);
    make(slot.labels, labels_bytes(), kLabels);
    make(slot.steps, steps_bytes(), kSteps);
  }
  // Last: where these find no room, no set is resident, and chunks of samples are what will come.
  for (Slot& slot : slots_) make(slot.indices, indices_bytes(), kIndices);
}

void SlotRing::copy(Slot& slot, Lane& lane, std::span<const std::byte> from, std::size_t capacity,
                    const char* what, StreamHandle stream) {
  make(lane, capacity, what);
  const std::byte* source = from.data();
  if (pinned_.contains(from)) {
    slot.direct = true;
  } else {
    if (lane.staging.bytes() == 0) lane.staging = pinned_buffer(runtime_, capacity);
    std::memcpy(lane.staging.data(), from.data(), from.size());
    source = lane.staging.data();
  }
  runtime_.copy_to_device(lane.device.data(), source, from.size(), stream);
}

}  // namespace millrace::cuda
