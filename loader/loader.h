#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "compute/chunk.h"
#include "compute/memory.h"
#include "formats/dataset.h"
#include "loader/augment.h"
#include "loader/bad_sample.h"
#include "loader/rank_share.h"
#include "loader/stats.h"
#include "loader/subset.h"

namespace millrace {

/// What the chunks carry; see Chunk.
enum class ChunkKind : std::uint8_t { kIndices, kPacked };

struct LoaderSpec {
  std::shared_ptr<const Dataset> data;
  Subset subset;  ///< the samples to deliver, in the order that shuffle starts from
  ChunkKind kind = ChunkKind::kIndices;
  std::uint32_t source = 0;   ///< kIndices: the number Engine::add_resident gave
  std::uint32_t batch = 128;  ///< samples of one step; an epoch's last batch may be smaller
  /// Of how many processes this is which: its chunks have its share of each batch. See RankShare.
  Rank rank = {};
  std::uint32_t chunk_batches = 32;  ///< batches of one chunk; an epoch's last chunk may be smaller
  std::uint32_t slots = 3;           ///< chunks that exist at once: the only backpressure
  /// oneTBB threads that fill slots of packed chunks; 0: the cores this process may use. Index
  /// chunks take microseconds: one thread fills them, so that no other wakes up beside an engine
  /// that needs the cores.
  std::uint32_t workers = 0;
  bool shuffle = true;  ///< a new order each epoch, a pure function of (seed, epoch)
  std::uint64_t seed = 0;
  /// Blocks that are mixed at a time; 0: all samples are. Else `data` is a BlockDataset, which is
  /// read block by block in the order of a StreamOrder, with memory for two such windows: where it
  /// is larger than memory. Of packed chunks.
  std::uint64_t window_blocks = 0;
  AugmentSpec augment;  ///< of packed chunks
  /// What becomes of samples that cannot be read. kLeaveOut wants chunks of one batch.
  OnBad on_bad = OnBad::kFail;
  std::uint64_t bad_budget = std::numeric_limits<std::uint64_t>::max();  ///< see StandIn
  /// kIndices: which of the resident set's samples are bad, ascending; see resident_samples().
  std::vector<std::uint64_t> bad;
  std::uint64_t epochs = 1;  ///< next() ends after this many, counted from epoch 0
};

/// A position between two batches of a run; all a checkpoint needs. The same for all ranks, and for
/// any number of them.
struct LoaderState {
  std::uint64_t epoch = 0;
  std::uint64_t batch = 0;  ///< batches of that epoch already consumed

  bool operator==(const LoaderState&) const = default;
};

/// A filled slot, on loan. Gives the slot back when dropped, on any thread. Move-only. It may
/// outlive its Loader: the slots' memory goes with the last of them, and the HostMemory it came
/// from must live so long.
class ChunkLease {
 public:
  ChunkLease(ChunkLease&& other) noexcept;
  ChunkLease& operator=(ChunkLease&& other) noexcept;
  ~ChunkLease();

  const Chunk& chunk() const noexcept;
  /// Where its first batch stands in the run.
  LoaderState position() const noexcept;
  bool last_in_epoch() const noexcept;
  /// Of a packed chunk: the places of the plan whose samples could not be read, ascending. A chunk
  /// that leaves them out has so many samples less, maybe none.
  std::span<const BadPlace> bad() const noexcept;

 private:
  friend class Loader;
  struct Access;
  explicit ChunkLease(std::unique_ptr<Access> access) noexcept;
  std::unique_ptr<Access> access_;
};

/// Delivers the chunks of a run in order: every epoch visits each sample of the subset once. Chunks
/// never cross the end of an epoch; filling runs ahead of the consumer, across epochs, as far as
/// there are slots.
///
/// What is delivered depends on data, subset, shuffle, seed, batch, window_blocks and on_bad alone,
/// never on workers, slots or chunk_batches; so does which bad samples a position has. The first
/// error of any worker reaches the consumer after the chunks before it, and again on every later
/// call.
///
/// With ranks, that is what all of them deliver together: batch by batch, the share of rank 0, then
/// that of rank 1, and so on, are the batch of a loader alone, with the same samples in place of
/// bad ones. Ranks need not know of each other, nor be as many as before when a run goes on. Each
/// reads what it delivers; of a stream each decodes all blocks, for every window has samples of all
/// ranks.
class Loader {
 public:
  /// Throws std::invalid_argument for an impossible spec (an empty subset, batch 0, slots 0, …),
  /// and std::bad_alloc if the slots cannot be had. `memory` outlives the loader.
  explicit Loader(const LoaderSpec& spec, LoaderState start = {},
                  HostMemory& memory = pageable_memory());
  ~Loader();

  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next chunk; waits for it. nullopt after the last epoch and after stop(). One thread at a
  /// time.
  std::optional<ChunkLease> next();
  /// Waits at most `limit`, or until the part of a chunk is filled that it helps with; true once
  /// next() would return or throw without waiting. For consumers that have something else to look
  /// at now and then.
  bool wait_for(std::chrono::milliseconds limit);
  /// The position after the last chunk that next() returned.
  LoaderState state() const;
  LoaderStats stats() const;
  /// Ends the loader: sticky, wakes everyone, may be called from any thread and more than once.
  void stop() noexcept;

  std::uint64_t batches_per_epoch() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The engine's type for samples stored as `type`: uint8 stays, all else becomes float32.
InputType input_type_for(DType type) noexcept;

}  // namespace millrace
