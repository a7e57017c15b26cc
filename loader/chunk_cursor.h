#pragma once

#include <cstdint>
#include <optional>

#include "loader/loader.h"
#include "loader/rank_share.h"

namespace millrace {

/// Which samples of which epoch a chunk takes: of those that its rank takes of it.
struct ChunkPlan {
  LoaderState position;     ///< of its first batch
  LoaderState after;        ///< of the batch after its last
  std::uint64_t first = 0;  ///< first sample, counted among the rank's of the epoch
  std::uint32_t count = 0;  ///< samples
  bool last_in_epoch = false;
};

/// Cuts the epochs of a run into chunks, in order. Chunks begin at multiples of chunk_batches in an
/// epoch, so a run that starts within one has the same chunks from the next multiple on.
class ChunkCursor {
 public:
  struct Shape {
    std::uint64_t samples = 0;  ///< of one epoch
    std::uint32_t batch = 0;
    std::uint32_t chunk_batches = 0;
    std::uint64_t epochs = 0;
    Rank rank = {};
  };

  /// Throws std::invalid_argument for a zero in `shape` (epochs may be 0), for what RankShare does,
  /// or a start beyond the run's end. start.batch == batches_per_epoch() is the beginning of the
  /// next epoch.
  ChunkCursor(const Shape& shape, LoaderState start);

  std::uint64_t batches_per_epoch() const noexcept { return batches_; }
  LoaderState position() const noexcept { return position_; }
  bool at_end() const noexcept { return position_.epoch >= shape_.epochs; }
  /// nullopt at the end.
  std::optional<ChunkPlan> next() noexcept;

 private:
  Shape shape_;
  RankShare share_;
  std::uint64_t batches_;
  LoaderState position_;
};

}  // namespace millrace
