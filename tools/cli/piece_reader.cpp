#include "tools/cli/piece_reader.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>
#include <vector>

#include "formats/block_dataset.h"

namespace millrace {
namespace {

constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;
// What one thread reads at a time.
constexpr std::uint64_t kPart = std::uint64_t{128} << 10;

}  // namespace

PieceReader::PieceReader(std::shared_ptr<const Dataset> data, std::uint32_t jobs)
    : data_(std::move(data)),
      arena_(jobs == 0 ? tbb::task_arena::automatic : static_cast<int>(jobs)) {}

/// Where the part that begins at `at` ends.
std::uint64_t PieceReader::next_cut(std::uint64_t at) const {
  if (const auto* blocks = dynamic_cast<const BlockDataset*>(data_.get())) {
    const auto all = blocks->blocks();
    const auto after = std::ranges::upper_bound(all, at, {}, &BlockDataset::Block::first);
    return after == all.end() ? data_->size() : after->first;
  }
  return at + std::max<std::uint64_t>(1, kPart / data_->sample_bytes());
}

bool PieceReader::read(std::uint64_t first, std::uint64_t count, const Sink& sink) {
  const auto bytes = static_cast<std::size_t>(data_->sample_bytes());
  const std::size_t words = data_->label_words();
  const auto end = first + count;
  std::vector<std::uint64_t> ids;
  std::vector<std::byte> samples;
  std::vector<std::int32_t> labels;
  std::vector<std::size_t> cuts;
  while (first < end) {
    cuts.assign(1, 0);
    auto last = first;
    while (last < end && (last - first) * bytes < kPiece) {
      last = std::min(end, next_cut(last));
      cuts.push_back(static_cast<std::size_t>(last - first));
    }
    ids.resize(cuts.back());
    std::iota(ids.begin(), ids.end(), first);
    samples.resize(ids.size() * bytes);
    labels.resize(ids.size() * words);
    arena_.execute([&] {
      tbb::parallel_for(std::size_t{1}, cuts.size(), [&](std::size_t i) {
        const auto begin = cuts[i - 1];
        const auto size = cuts[i] - begin;
        data_->read(std::span(ids).subspan(begin, size),
                    std::span(samples).subspan(begin * bytes, size * bytes),
                    std::span(labels).subspan(begin * words, size * words));
      });
    });
    if (!sink(samples, labels)) return false;
    first = last;
  }
  return true;
}

}  // namespace millrace
