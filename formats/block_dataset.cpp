#include "formats/block_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "formats/idx_pair.h"
#include "formats/on_all_cores.h"

namespace millrace {
namespace {

// Decoded before they are hashed: long enough for threads to be worth their start.
constexpr std::uint64_t kHashedBytes = std::uint64_t{16} << 20;

std::string hash_by_blocks(const BlockDataset& data) {
  auto hasher = begin_dataset_hash(data);
  // Some blocks on all cores, then their bytes into the hash, which has one order and takes a tenth
  // of the time.
  const auto blocks = data.blocks();
  const auto block_bytes = data.largest_block() * data.sample_bytes();
  const auto at_once = static_cast<std::size_t>(std::max<std::uint64_t>(
      thread_count(0, blocks.size()), kHashedBytes / std::max<std::uint64_t>(block_bytes, 1)));
  std::vector<std::byte> decoded;
  for (std::size_t first = 0; first < blocks.size(); first += at_once) {
    const auto some = blocks.subspan(first, std::min(at_once, blocks.size() - first));
    const auto begin = some.front().first;
    const auto at = [&](std::uint64_t sample) {
      return static_cast<std::size_t>((sample - begin) * data.sample_bytes());
    };
    decoded.resize(at(some.back().first + some.back().count));
    on_all_cores(some.size(), some.size(), [&] {
      return [&](std::size_t i) {
        const auto bytes = static_cast<std::size_t>(some[i].count * data.sample_bytes());
        data.decode_block(first + i, std::span(decoded).subspan(at(some[i].first), bytes));
      };
    });
    hasher.update(std::span<const std::byte>(decoded));
  }
  hasher.update(std::as_bytes(data.labels()));
  return hasher.hex();
}

}  // namespace

std::uint64_t BlockDataset::largest_block() const noexcept {
  std::uint64_t largest = 0;
  for (const auto& block : blocks()) largest = std::max(largest, block.count);
  return largest;
}

void BlockDataset::check_room(std::uint64_t count, std::span<const std::byte> samples) const {
  if (samples.size() != count * sample_bytes()) {
    throw std::invalid_argument(
        fmt::format("{}: room for {} bytes given for {} samples of {} bytes", name(),
                    samples.size(), count, sample_bytes()));
  }
}

void BlockDataset::decode_block(std::size_t index, std::span<std::byte> samples,
                                std::span<std::int32_t> labels) const {
  if (index >= blocks().size()) {
    throw std::out_of_range(fmt::format("{}: block {} of {}", name(), index, blocks().size()));
  }
  const auto& block = blocks()[index];
  const auto words = static_cast<std::size_t>(label_words());
  if (labels.size() != block.count * words) {
    throw std::invalid_argument(
        fmt::format("{}: room for {} words of labels given for {} samples of {}", name(),
                    labels.size(), block.count, words));
  }
  decode_block(index, samples);
  std::ranges::copy(this->labels().subspan(static_cast<std::size_t>(block.first) * words,
                                           static_cast<std::size_t>(block.count) * words),
                    labels.begin());
}

std::string BlockDataset::hash() const {
  const std::scoped_lock lock(hash_mutex_);
  if (hash_.empty()) hash_ = hash_by_blocks(*this);
  return hash_;
}

}  // namespace millrace
