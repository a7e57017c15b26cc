#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "formats/block_dataset.h"
#include "formats/pool.h"
#include "loader/bad_sample.h"
#include "loader/rank_share.h"
#include "loader/stream_order.h"

namespace millrace {

/// Decodes the windows of a StreamOrder, one after the other, ahead of those who take samples from
/// them. There are two at once: from one samples are taken while the other is decoded, so memory is
/// that of two windows, and of a block for each thread that decodes, whatever the size of the data
/// set.
///
/// A block is decoded into memory that stays in its core's cache, and each of its samples written
/// from there to its place in the order of the epoch. So what lies in a window is read and written
/// front to back, once each, and nobody gathers.
///
/// Windows are counted through a run: turn 0 is the one it starts in. Nobody waits in here: who
/// finds that a window is not ready() decodes blocks or does something else. Thread-safe, but for
/// plan().
class WindowStage {
 public:
  /// Consecutive samples of one window.
  struct Piece {
    std::uint64_t turn = 0;
    std::uint64_t offset = 0;  ///< of the first sample in the window's order
    std::uint32_t first = 0;   ///< the same sample in its chunk
    std::uint32_t count = 0;
  };

  /// Consecutive samples of a window's order, where they lie in memory.
  struct Run {
    ContiguousView samples;              ///< padded_row() in gather.h apart
    std::span<const std::uint64_t> ids;  ///< their numbers in the data set
  };

  struct Start {
    std::uint64_t epoch = 0;
    std::uint64_t position = 0;  ///< samples of that epoch that are left out
    std::uint64_t epochs = 0;    ///< the run ends before this one
    bool goes_on = false;        ///< after samples that cannot be decoded; see fault()
  };

  /// `share`: the samples that will be taken. `wake` is called when there may be something to do
  /// for one more thread. Throws what StreamOrder does.
  WindowStage(std::shared_ptr<const BlockDataset> data, const Subset& subset,
              const StreamOrder::Options& options, const RankShare& share, const Start& start,
              std::function<void()> wake);
  ~WindowStage();
  WindowStage(const WindowStage&) = delete;
  WindowStage& operator=(const WindowStage&) = delete;

  /// Consecutive places of a chunk.
  struct Places {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };

  /// Cuts the samples from `position` of an epoch on, which go to `places`, into pieces of one
  /// window and at most `most` samples each, and appends them. One thread at a time. Throws
  /// std::bad_alloc.
  void plan(std::uint64_t epoch, std::uint64_t position, Places places, std::uint32_t most,
            std::vector<Piece>& pieces);

  /// Whether samples of this turn's window can be taken.
  bool ready(std::uint64_t turn) const;
  /// `count` consecutive samples of a ready window from `offset` of its order, until they are given
  /// back by taken(). Throws the DataError of the first block of the window that could not be
  /// decoded, unless it goes on: then those of its samples that cannot be read hold anything.
  Run run(std::uint64_t turn, std::uint64_t offset, std::uint64_t count) const;
  /// Whether a sample of a ready window could not be decoded.
  bool damaged(std::uint64_t turn) const;
  /// Why the sample at `offset` of a ready window's order could not be decoded; null if it was.
  /// Stays until it is taken().
  const BadSample* fault(std::uint64_t turn, std::uint64_t offset) const;
  /// Samples of a ready window.
  std::uint64_t size(std::uint64_t turn) const;
  /// `count` samples of the window are not needed any more; after its last one the window goes.
  void taken(std::uint64_t turn, std::uint64_t count);

  /// Decodes one block of a window to come; false if there is none to decode now.
  bool decode_one();

 private:
  struct Window;
  struct Scratch;
  using EpochPtr = std::shared_ptr<const StreamOrder::Epoch>;

  EpochPtr epoch_of(std::uint64_t number, EpochPtr& cached) const;
  std::uint64_t to_take(const StreamOrder::Epoch& epoch, std::uint64_t window) const;
  bool open_next();
  void lay_out(Window& window, const StreamOrder::Epoch& epoch, std::uint64_t number) const;
  void decode(Window& window, std::size_t index, Scratch& scratch) const;
  void decode_readable(Window& window, std::size_t index, Scratch& scratch,
                       std::span<std::byte> samples) const;

  const std::shared_ptr<const BlockDataset> data_;
  const StreamOrder order_;
  const RankShare share_;
  const Start start_;
  const std::function<void()> wake_;
  std::uint64_t windows_ = 0;       ///< of each epoch; 0: the run ended before it began
  std::uint64_t first_window_ = 0;  ///< of the first epoch
  EpochPtr planned_;                ///< the epoch of the last plan()

  mutable std::mutex mutex_;
  std::vector<Window> buffers_;  ///< two; turn t has the one at t % 2
  EpochPtr opened_;              ///< the epoch of the last window that was opened
  std::uint64_t next_turn_ = 0;  ///< to be opened
  Pool<Scratch> scratch_;        ///< of threads that decode
};

/// Blocks of a window that takes about `bytes` of memory; at least one.
std::uint64_t blocks_of_window(const BlockDataset& data, std::uint64_t bytes);

}  // namespace millrace
