#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "formats/block_dataset.h"
#include "formats/dataset.h"
#include "formats/forwarding_dataset.h"

namespace millrace {

/// A data set whose samples may lie in files and be read from there when they are asked for.
class DiskDataset : public Dataset {
 public:
  /// Files of at most this many bytes together may stay mapped: no epoch has to map them again.
  static constexpr std::uint64_t kStays = std::uint64_t{32} << 20;
  /// A run has samples of at most this many bytes, or one. As the frames of a seekable file: long
  /// against what finding it on disk costs, and what is decoded of it stays in a core's cache.
  static constexpr std::uint64_t kRunBytes = std::uint64_t{256} << 10;

  /// Whether they do: then memory is that of labels and places alone, and of pages that forget()
  /// lets go of; labels() has all of them.
  virtual bool on_disk() const noexcept = 0;
  /// Neighbours that are best read together, all samples in order. Empty: any are.
  virtual std::vector<BlockDataset::Block> runs() const { return {}; }
  /// Tells the kernel that samples [first, first + count) will be read soon.
  virtual void expect(std::uint64_t first, std::uint64_t count) const noexcept = 0;
  /// Lets go of the memory that reading them took of files of more than kStays; they are there as
  /// before.
  virtual void forget(std::uint64_t first, std::uint64_t count) const noexcept = 0;
};

/// Another data set in blocks, each a run of neighbouring samples of about 256 KiB: what was not
/// stored in blocks can be streamed as well, where it is read piece by piece. Same name, same
/// samples, same hash.
class RunBlocks final : public ForwardingDataset<BlockDataset, DiskDataset> {
 public:
  /// Precondition: data->on_disk().
  explicit RunBlocks(std::shared_ptr<const DiskDataset> data);

  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override;

  std::span<const Block> blocks() const noexcept override { return blocks_; }
  std::span<const std::int32_t> labels() const noexcept override { return of().labels(); }
  void expect_block(std::size_t index) const noexcept override;
  using BlockDataset::decode_block;
  void decode_block(std::size_t index, std::span<std::byte> samples) const override;

 private:
  std::vector<Block> blocks_;
};

/// `data` in blocks: itself where it is, RunBlocks where it lies on disk; null for all others,
/// which were decoded whole.
std::shared_ptr<const BlockDataset> in_blocks(const std::shared_ptr<const Dataset>& data);

}  // namespace millrace
