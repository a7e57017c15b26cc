#include "formats/run_blocks.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace millrace {
namespace {

std::vector<BlockDataset::Block> equal_runs(std::uint64_t size, std::uint64_t count) {
  std::vector<BlockDataset::Block> runs;
  for (std::uint64_t first = 0; first < size; first += count) {
    runs.push_back({.first = first, .count = std::min(count, size - first)});
  }
  return runs;
}

}  // namespace

RunBlocks::RunBlocks(std::shared_ptr<const DiskDataset> data)
    : ForwardingDataset(std::move(data)), blocks_(of().runs()) {
  if (!blocks_.empty()) return;
  blocks_ = equal_runs(size(), std::max<std::uint64_t>(1, DiskDataset::kRunBytes / sample_bytes()));
}

void RunBlocks::read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
                     std::span<std::int32_t> labels) const {
  of().read(ids, samples, labels);
  if (ids.empty()) return;
  const auto [first, last] = std::ranges::minmax(ids);
  of().forget(first, last - first + 1);
}

void RunBlocks::expect_block(std::size_t index) const noexcept {
  of().expect(blocks_[index].first, blocks_[index].count);
}

void RunBlocks::decode_block(std::size_t index, std::span<std::byte> samples) const {
  const auto& block = blocks_.at(index);
  check_room(block.count, samples);
  std::vector<std::uint64_t> ids(static_cast<std::size_t>(block.count));
  std::iota(ids.begin(), ids.end(), block.first);
  std::vector<std::int32_t> labels(ids.size() * label_words());
  read(ids, samples, labels);
}

std::shared_ptr<const BlockDataset> in_blocks(const std::shared_ptr<const Dataset>& data) {
  if (auto blocks = std::dynamic_pointer_cast<const BlockDataset>(data)) return blocks;
  auto disk = std::dynamic_pointer_cast<const DiskDataset>(data);
  if (!disk || !disk->on_disk()) return nullptr;
  return std::make_shared<const RunBlocks>(std::move(disk));
}

}  // namespace millrace
