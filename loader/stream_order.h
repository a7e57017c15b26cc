#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/block_dataset.h"
#include "loader/permutation.h"
#include "loader/subset.h"

namespace millrace {

/// The order in which an epoch visits the samples of a subset whose data set is read block by
/// block: the blocks in random order, cut into windows of consecutive blocks, the samples of each
/// window mixed. With one window it is a global shuffle.
///
/// A pure function of (blocks, subset, options, epoch). Blocks need not be of one size, nor hold
/// equally many samples of the subset; those that hold none are left out. A position is found in
/// its window by a search in an index of the windows' beginnings, without decoding anything.
class StreamOrder {
 public:
  struct Options {
    std::uint64_t window_blocks = 1;  ///< blocks that are mixed, at least 1
    bool shuffle = true;              ///< false: the stored order
    std::uint64_t seed = 0;
  };

  /// A place in an epoch: the sample at `offset` of the order of `window`.
  struct Place {
    std::uint64_t window = 0;
    std::uint64_t offset = 0;

    bool operator==(const Place&) const = default;
  };

  /// The windows of one epoch; 8 bytes of memory a window.
  class Epoch {
   public:
    std::uint64_t number() const noexcept { return number_; }
    std::uint64_t windows() const noexcept { return starts_.size() - 1; }
    /// Position of the first sample of a window.
    std::uint64_t start(std::uint64_t window) const noexcept { return starts_[window]; }
    /// Samples of a window, at least one.
    std::uint64_t size(std::uint64_t window) const noexcept {
      return starts_[window + 1] - starts_[window];
    }
    /// Throws std::out_of_range for a position that is not below the subset's size.
    Place place(std::uint64_t position) const;

   private:
    friend class StreamOrder;
    std::uint64_t number_ = 0;
    Permutation blocks_;  ///< of size 0: the stored order
    std::vector<std::uint64_t> starts_;
  };

  /// `blocks` outlive it. Looks at each sample's number once. Throws std::invalid_argument for a
  /// window of 0 blocks or an empty subset.
  StreamOrder(std::span<const BlockDataset::Block> blocks, const Subset& subset,
              const Options& options);

  /// In time proportional to the number of blocks.
  Epoch epoch(std::uint64_t number) const;
  /// Numbers of the blocks to decode for a window, in the order in which their samples stand before
  /// they are mixed.
  std::vector<std::uint64_t> blocks(const Epoch& epoch, std::uint64_t window) const;
  /// How many of the subset's samples a block has.
  std::uint64_t size(std::uint64_t block) const;
  /// The subset's samples of a block, ascending.
  std::vector<std::uint64_t> members(std::uint64_t block) const;
  /// The sample at place i of the window is that of index mixing(…)(i) among the members of its
  /// blocks, one block after the other. Of size 0 without shuffling: i itself.
  Permutation mixing(const Epoch& epoch, std::uint64_t window) const;
  /// All samples of a window in the order of the epoch.
  std::vector<std::uint64_t> samples(const Epoch& epoch, std::uint64_t window) const;

 private:
  struct Kept {
    std::uint64_t block = 0;
    std::uint64_t members = 0;
  };

  std::span<const BlockDataset::Block> blocks_;
  Subset subset_;
  Options options_;
  std::vector<Kept> kept_;  ///< blocks with samples of the subset
};

}  // namespace millrace
