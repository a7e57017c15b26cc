#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "compute/cuda/kernel.h"

namespace millrace::cuda {

// How the threads of each kernel are laid out, and what one of them does: layout(kernel) and
// work(thread, kernel). launch.cu runs this on a device; tests run the same on the host, each
// thread with a stack of its own.
//
// `Thread` is one thread of a block of kBlockThreads<Kernel>:
//   x(), y()           its place in the block, as layout() shapes it
//   block()            the number of its block, blocks() of them
//   sync()             all threads of the block meet: each sees what the others wrote before
//   sync_all(f)        the same for all blocks; f() is called on the way there, and meets nobody
//   sync_warp()        the same for the kWarp threads of consecutive numbers, y() * width + x()
//   exchange(v, mask)  the `v` of the thread of the warp whose number differs by the bits of `mask`
//   any(bool)          of the warp
//   shared<T, n>()     n elements of the block's own, the same ones in each call with this T and n
//   memory()           the block's floats that layout() asks for, aligned to 16 bytes
// What the block has of its own holds anything at first. Those who meet must all come.

constexpr std::uint32_t kWarp = 32;

/// Who waits for whom while a kernel runs. Warps are part of a block.
enum class Meeting : std::uint8_t { kNobody, kBlock, kAll };

struct Layout {
  std::uint32_t blocks = 1;
  std::uint32_t x = 1;  ///< threads of a block: x * y, one to a block's kBlockThreads
  std::uint32_t y = 1;
  Meeting meeting = Meeting::kNobody;
  std::size_t memory = 0;  ///< of each block, in bytes
};

template <class Kernel>
inline constexpr std::uint32_t kBlockThreads = 256;
template <>
inline constexpr std::uint32_t kBlockThreads<ActivationGradient> =
    ActivationGradient::kGroups* ActivationGradient::kLanes;
template <>
inline constexpr std::uint32_t kBlockThreads<NormStatistics> = kWarp* NormStatistics::kLanes;
template <>
inline constexpr std::uint32_t kBlockThreads<NormGradientSums> = kWarp* NormGradientSums::kLanes;
template <>
inline constexpr std::uint32_t kBlockThreads<SquareSums> = SquareSums::kLanes;
template <>
inline constexpr std::uint32_t kBlockThreads<ClipFactor> = ClipFactor::kLanes;
template <>
inline constexpr std::uint32_t kBlockThreads<MetricsSums> = MetricsSums::kLanes;
template <>
inline constexpr std::uint32_t kBlockThreads<HandOverSums> = 1;
template <>
inline constexpr std::uint32_t kBlockThreads<SmallTraining> = SmallTraining::kThreads;

inline std::uint32_t blocks_for(std::size_t items, std::size_t each) {
  return static_cast<std::uint32_t>((items + each - 1) / each);
}

// One thread an element, or several elements.

template <class Elementwise>
Layout layout(const Elementwise& kernel) {
  // Enough blocks to fill any device.
  constexpr std::uint32_t kMostBlocks = 4096;
  constexpr std::uint32_t kThreads = kBlockThreads<Elementwise>;
  return {std::min(blocks_for(kernel.count(), kThreads), kMostBlocks), kThreads};
}

template <class Thread, class Elementwise>
MILLRACE_HOST_DEVICE void work(const Thread& thread, const Elementwise& kernel) {
  constexpr std::size_t kThreads = kBlockThreads<Elementwise>;
  const std::size_t count = kernel.count();
  for (std::size_t i = thread.block() * kThreads + thread.x(); i < count;
       i += thread.blocks() * kThreads) {
    kernel(i);
  }
}

// One warp a row.

/// The group of SoftmaxLoss and TargetLoss: the thread's warp. Each sum has one order.
template <class Thread>
class WarpOf {
 public:
  MILLRACE_HOST_DEVICE explicit WarpOf(const Thread& thread) : thread_(thread) {}

  MILLRACE_HOST_DEVICE std::uint32_t lane() const { return thread_.x() % kWarp; }
  MILLRACE_HOST_DEVICE static std::uint32_t size() { return kWarp; }
  MILLRACE_HOST_DEVICE float max(float value) const {
    for (std::uint32_t mask = kWarp / 2; mask > 0; mask /= 2) {
      const float other = thread_.exchange(value, mask);
      if (other > value) value = other;
    }
    return value;
  }
  MILLRACE_HOST_DEVICE float sum(float value) const {
    for (std::uint32_t mask = kWarp / 2; mask > 0; mask /= 2)
      value += thread_.exchange(value, mask);
    return value;
  }
  MILLRACE_HOST_DEVICE bool any(bool value) const { return thread_.any(value); }
  MILLRACE_HOST_DEVICE void sync() const { thread_.sync_warp(); }

 private:
  const Thread& thread_;
};

template <class Rows>
Layout layout_of_rows(const Rows& kernel) {
  constexpr std::uint32_t kThreads = kBlockThreads<Rows>;
  return {blocks_for(kernel.all_rows(), kThreads / kWarp), kThreads, 1, Meeting::kBlock};
}
inline Layout layout(const SoftmaxLoss& kernel) { return layout_of_rows(kernel); }
inline Layout layout(const TargetLoss& kernel) { return layout_of_rows(kernel); }

template <class Thread, class Rows>
MILLRACE_HOST_DEVICE void work_on_rows(const Thread& thread, const Rows& kernel) {
  const std::uint32_t row = thread.block() * (kBlockThreads<Rows> / kWarp) + thread.x() / kWarp;
  if (row < kernel.all_rows()) kernel(WarpOf<Thread>(thread), row);  // the same for a whole warp
}
template <class Thread>
MILLRACE_HOST_DEVICE void work(const Thread& thread, const SoftmaxLoss& kernel) {
  work_on_rows(thread, kernel);
}
template <class Thread>
MILLRACE_HOST_DEVICE void work(const Thread& thread, const TargetLoss& kernel) {
  work_on_rows(thread, kernel);
}

// kWarp columns a block: x() is the column, y() the lane.

template <class Columns>
Layout layout_of_columns(const Columns& kernel) {
  return {blocks_for(kernel.width, kWarp), kWarp, Columns::kLanes, Meeting::kBlock};
}
inline Layout layout(const NormStatistics& kernel) { return layout_of_columns(kernel); }
inline Layout layout(const NormGradientSums& kernel) { return layout_of_columns(kernel); }

/// The sum over the lanes of each column, for all of them.
template <std::uint32_t kLanes, class Thread>
MILLRACE_HOST_DEVICE float column_sum(const Thread& thread, float part) {
  constexpr std::uint32_t kStride = kLanes + 1;  // columns begin in different banks
  float* mine = thread.template shared<float, kWarp * kStride>() + thread.x() * kStride;
  thread.sync();  // a sum of before has been read
  mine[thread.y()] = part;
  for (std::uint32_t half = kLanes / 2; half > 0; half /= 2) {
    thread.sync();
    if (thread.y() < half) tree_add(mine, thread.y(), half);
  }
  thread.sync();
  return mine[0];
}

template <class Thread>
MILLRACE_HOST_DEVICE void work(const Thread& thread, const NormStatistics& kernel) {
  constexpr std::uint32_t kLanes = NormStatistics::kLanes;
  const std::uint32_t column = thread.block() * kWarp + thread.x();
  const bool inside = column < kernel.width;
  const float sum = column_sum<kLanes>(thread, inside ? kernel.sum_part(column, thread.y()) : 0.0F);
  const float mean = kernel.mean_of(sum);
  const float squares =
      column_sum<kLanes>(thread, inside ? kernel.squares_part(column, thread.y(), mean) : 0.0F);
  if (thread.y() == 0 && inside) kernel.finish(column, mean, squares);
}

template <class Thread>
MILLRACE_HOST_DEVICE void work(const Thread& thread, const NormGradientSums& kernel) {
  constexpr std::uint32_t kLanes = NormGradientSums::kLanes;
  const std::uint32_t column = thread.block() * kWarp + thread.x();
  const bool inside = column < kernel.width;
  NormGradientSums::Part part;
  if (inside) part = kernel.part(column, thread.y());
  part.factor = column_sum<kLanes>(thread, part.factor);
  part.shift = column_sum<kLanes>(thread, part.shift);
  if (thread.y() == 0 && inside) kernel.finish(column, part);
}

// kColumns columns a block: those that are next to each other in memory are next to each other in a
// warp, row by row.

inline Layout layout(const ActivationGradient& kernel) {
  using K = ActivationGradient;
  return {blocks_for(kernel.width, K::kColumns) * K::kParts, kBlockThreads<K>, 1, Meeting::kBlock};
}

template <class Thread>
MILLRACE_HOST_DEVICE void work(const Thread& thread, const ActivationGradient& kernel) {
  using K = ActivationGradient;
  constexpr std::uint32_t kWarps = kBlockThreads<K> / kWarp;
  const std::uint32_t part = thread.block() % K::kParts;
  const std::uint32_t column = thread.block() / K::kParts * K::kColumns;
  const std::uint32_t left = thread.x() % K::kGroups * Elements::kGroup;  // of the block's columns
  float sums[Elements::kGroup] = {};
  kernel.sum(part, column + left, thread.x() / K::kGroups, sums);
  auto* of_warps = thread.template shared<float, kWarps * K::kColumns>();
  for (std::uint32_t c = 0; c < Elements::kGroup; ++c) {
    for (std::uint32_t mask = kWarp / 2; mask >= K::kGroups; mask /= 2) {
      sums[c] += thread.exchange(sums[c], mask);
    }
    if (thread.x() % kWarp < K::kGroups) {
      of_warps[thread.x() / kWarp * K::kColumns + left + c] = sums[c];
    }
  }
  thread.sync();
  if (thread.x() >= K::kColumns) return;
  float sum = 0.0F;
  for (std::uint32_t w = 0; w < kWarps; ++w) sum += of_warps[w * K::kColumns + thread.x()];
  kernel.parts[std::size_t{part} * kernel.width + column + thread.x()] = sum;
}

// One sum a block.

inline Layout layout(const SquareSums&) {
  return {SquareSums::kBlocks, SquareSums::kLanes, 1, Meeting::kBlock};
}
inline Layout layout(const ClipFactor&) { return {1, ClipFactor::kLanes, 1, Meeting::kBlock}; }
inline Layout layout(const MetricsSums&) { return {1, MetricsSums::kLanes, 1, Meeting::kBlock}; }

/// The sum of the parts of a block of kLanes threads. Only the first may look at it.
template <std::uint32_t kLanes, class Thread, class Part>
MILLRACE_HOST_DEVICE const Part& block_sum(const Thread& thread, const Part& part) {
  Part* parts = thread.template shared<Part, kLanes>();
  parts[thread.x()] = part;
  for (std::uint32_t half = kLanes / 2; half > 0; half /= 2) {
    thread.sync();
    if (thread.x() < half) tree_add(parts, thread.x(), half);
  }
  return parts[0];
}

template <class Thread>
MILLRACE_HOST_DEVICE void work(const Thread& thread, const SquareSums& kernel) {
  const double& sum =
      block_sum<SquareSums::kLanes>(thread, kernel.part(thread.block(), thread.x()));
  if (thread.x() == 0) kernel.sums[thread.block()] = sum;
}

template <class Thread>
MILLRACE_HOST_DEVICE void work(const Thread& thread, const ClipFactor& kernel) {
  const double& sum = block_sum<ClipFactor::kLanes>(thread, kernel.part(thread.x()));
  if (thread.x() == 0) kernel.finish(sum);
}

template <class Thread>
MILLRACE_HOST_DEVICE void work(const Thread& thread, const MetricsSums& kernel) {
  const MetricsSums::Part& sum = block_sum<MetricsSums::kLanes>(thread, kernel.part(thread.x()));
  if (thread.x() == 0) kernel.finish(sum);
}

// Whole steps.

/// The block of SmallTraining, as one of its threads sees it.
template <class Thread>
class BlockOf {
 public:
  MILLRACE_HOST_DEVICE explicit BlockOf(const Thread& thread) : thread_(thread) {}

  template <class F>
  MILLRACE_HOST_DEVICE void each(std::uint32_t count, const F& f) const {
    for (std::uint32_t i = thread_.x(); i < count; i += SmallTraining::kThreads) f(i);
  }
  template <class F>
  MILLRACE_HOST_DEVICE void each_group(std::uint32_t count, const F& f) const {
    const WarpOf<Thread> warp(thread_);
    for (std::uint32_t i = thread_.x() / kWarp; i < count; i += SmallTraining::kGroups) f(warp, i);
  }
  MILLRACE_HOST_DEVICE void sync() const { thread_.sync(); }
  template <class Load, class Store>
  MILLRACE_HOST_DEVICE void fetch(std::uint32_t count, const Load& load, const Store& store) const {
    several<4, SmallTraining::kThreads>(
        thread_.x(), count, [](std::uint32_t i) { return i; },
        [&load](std::uint32_t i, std::uint32_t) { return load(i); }, store);
  }
  /// Not by the first warp, whose first thread waits for the other blocks.
  template <class Place, class Load, class Store>
  MILLRACE_HOST_DEVICE void meanwhile(std::uint32_t count, const Place& place, const Load& load,
                                      const Store& store) const {
    if (thread_.x() < kWarp) return;
    several<3, SmallTraining::kThreads - kWarp>(thread_.x() - kWarp, count, place, load, store);
  }

 private:
  // kAtOnce items of each of kThreads threads: all places, then all loads, then all stores.
  template <std::uint32_t kAtOnce, std::uint32_t kThreads, class Place, class Load, class Store>
  MILLRACE_HOST_DEVICE static void several(std::uint32_t thread, std::uint32_t count,
                                           const Place& place, const Load& load,
                                           const Store& store) {
    for (std::uint32_t i = thread; i < count; i += kAtOnce * kThreads) {
      // Those beyond the last are the last one's.
      std::uint32_t items[kAtOnce];
      decltype(place(0)) places[kAtOnce];
      decltype(load(0, places[0])) loaded[kAtOnce];
      for (std::uint32_t k = 0; k < kAtOnce; ++k) {
        items[k] = i + k * kThreads < count ? i + k * kThreads : count - 1;
        places[k] = place(items[k]);
      }
      for (std::uint32_t k = 0; k < kAtOnce; ++k) loaded[k] = load(items[k], places[k]);
      for (std::uint32_t k = 0; k < kAtOnce; ++k) {
        if (i + k * kThreads < count) store(items[k], loaded[k]);
      }
    }
  }

  const Thread& thread_;
};
static_assert(SmallTraining::kGroups * kWarp == SmallTraining::kThreads);

inline Layout layout(const SmallTraining& kernel) {
  return {kernel.blocks(), SmallTraining::kThreads, 1, Meeting::kAll,
          kernel.memory() * sizeof(float)};
}

template <class Thread>
MILLRACE_INLINE void work_through(const Thread& thread, const SmallTraining& kernel) {
  const BlockOf<Thread> block(thread);
  const std::uint32_t b = thread.block();
  float* memory = thread.memory();
  const std::uint32_t steps = kernel.steps();
  kernel.begin(block, b, memory);
  kernel.stage(block, b, 0, memory);
  for (std::uint32_t step = 0; step < steps; ++step) {
    kernel.forward(block, b, step, memory);
    thread.sync_all([&] {
      if (step + 1 < steps) kernel.stage(block, b, step + 1, memory);
    });
    kernel.output(block, b, step, memory);
    thread.sync_all([] {});
    kernel.update(block, b, step, memory);
  }
}

// Of the widths that are met most, what they decide (how often a loop goes round, what an index is
// divided by) is worked out by the compiler.
template <class Thread>
MILLRACE_HOST_DEVICE void work(const Thread& thread, const SmallTraining& kernel) {
  SmallTraining known = kernel;
  known.outputs = 16;
  if (kernel.outputs == known.outputs && kernel.hidden == 32) {
    known.hidden = 32;
    work_through(thread, known);
  } else if (kernel.outputs == known.outputs && kernel.hidden == 64) {
    known.hidden = 64;
    work_through(thread, known);
  } else {
    work_through(thread, kernel);
  }
}

}  // namespace millrace::cuda
