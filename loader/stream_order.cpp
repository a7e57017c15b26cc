#include "loader/stream_order.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>

namespace millrace {
namespace {

// Apart from the streams of epochs, which count up from 0, and of the split, which is the last.
constexpr std::uint64_t kBlockStreams = std::uint64_t{1} << 62U;
constexpr std::uint64_t kWindowStreams = std::uint64_t{1} << 63U;

}  // namespace

StreamOrder::Place StreamOrder::Epoch::place(std::uint64_t position) const {
  if (position >= starts_.back()) {
    throw std::out_of_range("position " + std::to_string(position) + " of an epoch of " +
                            std::to_string(starts_.back()) + " samples");
  }
  const auto after = std::ranges::upper_bound(starts_, position);
  const auto window = static_cast<std::uint64_t>(std::distance(starts_.begin(), after)) - 1;
  return {window, position - starts_[window]};
}

StreamOrder::StreamOrder(std::span<const BlockDataset::Block> blocks, const Subset& subset,
                         const Options& options)
    : blocks_(blocks), subset_(subset), options_(options) {
  if (options_.window_blocks == 0) {
    throw std::invalid_argument("a window of 0 blocks: it holds at least one");
  }
  if (subset_.size() == 0) throw std::invalid_argument("nothing to stream: the subset is empty");
  for (std::uint64_t i = 0; i < blocks_.size(); ++i) {
    const auto& block = blocks_[i];
    std::uint64_t count = 0;
    for (auto id = block.first; id < block.first + block.count; ++id) {
      if (subset_.contains(id)) ++count;
    }
    if (count != 0) kept_.push_back({i, count});
  }
}

StreamOrder::Epoch StreamOrder::epoch(std::uint64_t number) const {
  Epoch epoch;
  epoch.number_ = number;
  if (options_.shuffle) {
    epoch.blocks_ = Permutation(kept_.size(), options_.seed, kBlockStreams | number);
  }
  epoch.starts_.push_back(0);
  std::uint64_t samples = 0;
  for (std::uint64_t i = 0; i < kept_.size(); ++i) {
    samples += kept_[options_.shuffle ? epoch.blocks_(i) : i].members;
    if ((i + 1) % options_.window_blocks == 0 || i + 1 == kept_.size()) {
      epoch.starts_.push_back(samples);
    }
  }
  return epoch;
}

std::vector<std::uint64_t> StreamOrder::blocks(const Epoch& epoch, std::uint64_t window) const {
  if (window >= epoch.windows()) {
    throw std::out_of_range("window " + std::to_string(window) + " of " +
                            std::to_string(epoch.windows()));
  }
  const std::uint64_t first = window * options_.window_blocks;
  const std::uint64_t count = std::min<std::uint64_t>(options_.window_blocks, kept_.size() - first);
  std::vector<std::uint64_t> blocks(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    blocks[i] = kept_[options_.shuffle ? epoch.blocks_(first + i) : first + i].block;
  }
  return blocks;
}

std::uint64_t StreamOrder::size(std::uint64_t block) const {
  const auto kept = std::ranges::lower_bound(kept_, block, {}, &Kept::block);
  return kept == kept_.end() || kept->block != block ? 0 : kept->members;
}

std::vector<std::uint64_t> StreamOrder::members(std::uint64_t block) const {
  const auto& [first, count] = blocks_[block];
  std::vector<std::uint64_t> ids;
  ids.reserve(count);
  for (auto id = first; id < first + count; ++id) {
    if (subset_.contains(id)) ids.push_back(id);
  }
  return ids;
}

Permutation StreamOrder::mixing(const Epoch& epoch, std::uint64_t window) const {
  if (!options_.shuffle) return {};
  return {epoch.size(window), options_.seed, kWindowStreams | epoch.number() << 32U | window};
}

std::vector<std::uint64_t> StreamOrder::samples(const Epoch& epoch, std::uint64_t window) const {
  std::vector<std::uint64_t> stored;
  for (const auto block : blocks(epoch, window)) {
    const auto ids = members(block);
    stored.insert(stored.end(), ids.begin(), ids.end());
  }
  if (!options_.shuffle) return stored;
  std::vector<std::uint64_t> mixed(stored.size());
  mixing(epoch, window).range(0, mixed);
  for (auto& index : mixed) index = stored[index];
  return mixed;
}

}  // namespace millrace
