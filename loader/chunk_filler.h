#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compute/chunk.h"
#include "compute/memory.h"
#include "formats/kept_error.h"
#include "loader/augment.h"
#include "loader/bad_sample.h"
#include "loader/chunk_cursor.h"
#include "loader/loader.h"
#include "loader/permutation.h"
#include "loader/rank_share.h"
#include "loader/sample_reader.h"
#include "loader/stand_in.h"
#include "loader/window_stage.h"

namespace millrace {

/// Places of a chunk whose samples could not be read, noted by those who fill its parts.
struct BadPlaces {
  std::mutex mutex;
  std::vector<BadPlace> places;
};

/// The memory of one slot and the chunk planned for it.
struct ChunkSlot {
  HostBuffer buffer;
  std::span<std::uint32_t> indices;  ///< of an index chunk: as many as the largest chunk has
  std::span<std::byte> samples;      ///< of a packed chunk
  std::span<std::int32_t> labels;    ///< of a packed chunk

  ChunkPlan plan;
  std::optional<Permutation> order;        ///< of the plan's epoch; none: the subset's own order
  std::vector<WindowStage::Piece> pieces;  ///< of a stream: the parts
  KeptError error;                         ///< of the plan; every part throws it
  std::unique_ptr<BadPlaces> bad;
  std::uint32_t count = 0;  ///< samples: those of the plan, less what settle() leaves out
};

/// Writes chunks into slots, part by part: which samples, in which order, in which form. The
/// content is a function of spec and plan alone. fill() may be called for any parts at once.
/// Parts of a stream are filled only when they are ready(): somebody has to read_ahead().
class ChunkFiller {
 public:
  /// Throws std::invalid_argument for a spec that cannot be filled.
  /// `start`: where the first plan begins, before the end of its epoch. `wake`: called when one
  /// more thread may find something to fill or to read ahead.
  explicit ChunkFiller(
      const LoaderSpec& spec, LoaderState start = {}, std::function<void()> wake = [] {});

  /// Throws std::bad_alloc.
  ChunkSlot make_slot(HostMemory& memory) const;
  /// Sets plan and order; returns the number of parts.
  std::uint32_t prepare(ChunkSlot& slot, const ChunkPlan& plan) const noexcept;
  /// Whether fill() of this part can begin.
  bool ready(const ChunkSlot& slot, std::uint32_t part) const;
  /// Does a piece of the work that later parts wait for; false if there is none. Throws
  /// std::bad_alloc.
  bool read_ahead() const { return stage_ && stage_->decode_one(); }
  /// Fills one part and returns its bytes. Throws what the data set throws.
  std::uint64_t fill(const ChunkSlot& slot, std::uint32_t part) const;
  /// To be called when all parts are filled: puts the bad places in order and closes the gaps of
  /// those to be left out.
  void settle(ChunkSlot& slot) const;
  /// Of a settled slot of packed samples; see ChunkLease.
  std::span<const BadPlace> bad(const ChunkSlot& slot) const noexcept;
  /// The filled slot, as an engine takes it.
  Chunk view(const ChunkSlot& slot) const noexcept;

 private:
  void plan_stream(ChunkSlot& slot) const;
  std::uint64_t position_of(const ChunkSlot& slot, std::uint64_t place) const;
  std::uint64_t id_at(const ChunkSlot& slot, std::uint64_t position) const;
  void ids_at(const ChunkSlot& slot, std::uint64_t position, std::span<std::uint64_t> ids) const;
  void ids_of(const ChunkSlot& slot, std::uint64_t first, std::span<std::uint64_t> ids) const;
  std::uint64_t fill_indices(const ChunkSlot& slot) const;
  bool read_one(std::uint64_t id, const ChunkSlot& slot, std::uint32_t place) const;
  void replace_known(const ChunkSlot& slot, std::uint64_t first,
                     std::span<std::uint64_t> ids) const;
  void read(const ChunkSlot& slot, std::uint64_t first, std::span<std::uint64_t> ids) const;
  void mend(const ChunkSlot& slot, const WindowStage::Piece& piece,
            std::span<std::uint64_t> ids) const;
  void take(const ChunkSlot& slot, const WindowStage::Piece& piece,
            std::span<std::uint64_t> ids) const;
  std::uint64_t fill_from_window(const ChunkSlot& slot, const WindowStage::Piece& piece) const;
  void open_stream(const LoaderSpec& spec, LoaderState start, std::function<void()> wake);

  /// Of one sample; of packed chunks.
  std::size_t label_bytes() const noexcept { return reader_->label_words() * sizeof(std::int32_t); }

  std::string name_;  ///< of the data set, for messages
  ChunkKind kind_;
  std::uint32_t source_;
  RankShare share_;
  bool shuffle_;
  std::uint64_t seed_;
  Subset subset_;
  OnBad on_bad_;
  std::uint64_t budget_;
  std::vector<std::uint64_t> bad_;              ///< see LoaderSpec
  mutable std::optional<SampleReader> reader_;  ///< of packed chunks; thread-safe
  std::optional<Augmenter> augmenter_;
  std::unique_ptr<WindowStage> stage_;  ///< of a stream
  std::uint32_t most_ = 0;              ///< samples of the largest chunk
  std::uint32_t part_samples_ = 0;
};

}  // namespace millrace
