#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "compute/chunk.h"
#include "compute/cuda/device_timeline.h"
#include "compute/cuda/owned.h"
#include "compute/cuda/pinned_memory.h"
#include "compute/cuda/step_plan.h"

namespace millrace::cuda {

/// Device buffers that chunks are copied to, in turn, so that one is copied while another is
/// trained on. Two events a slot order the copy stream, the compute stream and the host:
///
/// - `copied`: compute may start, and the host may write the slot's staging memory again;
/// - `consumed`: the next copy may overwrite the slot.
///
/// Chunks that lie in page-locked memory are copied from there, others through a staging buffer.
class SlotRing {
 public:
  /// One is trained on, two wait, and one is copied to: between two epochs those that wait are
  /// validated in a moment.
  static constexpr std::uint32_t kSlots = 4;

  /// Slots for chunks of up to `rows` samples in up to `steps` steps. Throws DeviceError.
  SlotRing(Runtime& runtime, const PinnedMemory& pinned, DeviceTimeline& timeline,
           std::uint32_t rows, std::uint32_t steps, std::size_t sample_bytes,
           std::size_t label_bytes);

  /// Enqueues the copy of a chunk to the next slot and makes `compute` wait for it. The host waits
  /// only for a slot's staging memory, filled kSlots chunks before. Returns the slot.
  /// `steps`: the constants of the chunk's steps, at most `steps` of the constructor; none where it
  /// is not trained on. The first chunk of samples, or of indices, makes the memory of all slots
  /// for those: later there would be work under way that allocating waits for. Throws DeviceError.
  std::uint32_t fill(const Chunk& chunk, std::span<const StepConstants> steps, StreamHandle copy,
                     StreamHandle compute);
  /// Makes the device buffers of all slots, for samples and for indices. Throws DeviceError.
  void reserve();
  /// What is on the device: samples and labels of a packed chunk, or indices alone, and the
  /// constants of its first step.
  Batch batch(std::uint32_t slot, bool packed) const;
  /// All work on the slot is enqueued on `compute`.
  void release(std::uint32_t slot, StreamHandle compute);
  /// Waits for the copies that read the callers' own memory.
  void finish_direct_copies();

 private:
  // One array of a slot.
  struct Lane {
    DeviceBuffer device;
    PinnedBuffer staging;
  };
  struct Slot {
    Lane samples;
    Lane labels;
    Lane indices;
    Lane steps;
    Event copied;
    Event consumed;
    bool used = false;
    bool direct = false;  // reads the caller's memory
  };

  void make_device(Lane Slot::*lane, std::size_t bytes, const char* what);
  void make_staging(Lane Slot::*lane, std::size_t bytes);
  void make(Lane Slot::*lane, std::span<const std::byte> first, std::size_t bytes,
            const char* what);
  void make_for(const Chunk& chunk);
  void copy(Slot& slot, const Lane& lane, std::span<const std::byte> from, StreamHandle stream);

  std::size_t samples_bytes() const { return rows_ * sample_bytes_; }
  std::size_t labels_bytes() const { return rows_ * label_bytes_; }
  std::size_t indices_bytes() const { return rows_ * sizeof(std::uint32_t); }
  std::size_t steps_bytes() const { return steps_ * sizeof(StepConstants); }

  Runtime& runtime_;
  const PinnedMemory& pinned_;
  DeviceTimeline& timeline_;
  std::uint32_t rows_;
  std::uint32_t steps_;
  std::size_t sample_bytes_;
  std::size_t label_bytes_;
  std::uint32_t next_ = 0;
  std::array<Slot, kSlots> slots_;
};

}  // namespace millrace::cuda
