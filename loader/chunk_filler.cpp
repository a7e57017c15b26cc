#include "loader/chunk_filler.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "loader/require.h"

namespace millrace {
namespace {

// A part is some ten microseconds of copying: long against what handing it out costs, short enough
// that several cores share a chunk evenly and that stop() need not wait.
constexpr std::size_t kPartBytes = 128 * 1024;
constexpr std::size_t kMaxPartSamples = 1024;
constexpr std::size_t kAlignment = 64;

using Ids = std::array<std::uint64_t, kMaxPartSamples>;

constexpr std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// Of batches of so many samples.
std::uint32_t largest_chunk(const LoaderSpec& spec, std::uint32_t batch) {
  const std::uint64_t asked = std::uint64_t{batch} * spec.chunk_batches;
  const std::uint64_t most = std::min(asked, spec.subset.size());
  require(most <= std::numeric_limits<std::uint32_t>::max(),
          "a chunk of " + std::to_string(spec.chunk_batches) + " batches of " +
              std::to_string(batch) + " samples is too large: the limit is 2^32 - 1 samples");
  return static_cast<std::uint32_t>(most);
}

}  // namespace

ChunkFiller::ChunkFiller(const LoaderSpec& spec, LoaderState start, std::function<void()> wake)
    : name_(spec.data ? spec.data->name() : ""),
      kind_(spec.kind),
      source_(spec.source),
      share_(spec.rank, spec.batch, spec.subset.size()),
      shuffle_(spec.shuffle),
      seed_(spec.seed),
      subset_(spec.subset),
      on_bad_(spec.on_bad),
      budget_(spec.bad_budget),
      bad_(spec.bad) {
  require(spec.data != nullptr, "a loader needs a data set");
  require(on_bad_ != OnBad::kLeaveOut || spec.chunk_batches == 1,
          "samples to be left out: expected chunks of one batch, found " +
              std::to_string(spec.chunk_batches));
  require(subset_.bound() <= spec.data->size(),
          spec.data->name() + ": the subset reaches sample " + std::to_string(subset_.bound()) +
              ", but there are " + std::to_string(spec.data->size()));
  require(subset_.size() <= Feistel::kMaxSize, "a subset has at most 2^62 samples");
  most_ = largest_chunk(spec, share_.batch());
  if (kind_ == ChunkKind::kIndices) {
    require(!spec.augment.enabled(),
            "augmentation: expected packed chunks, found chunks of indices");
    require(spec.data->size() - 1 <= std::numeric_limits<std::uint32_t>::max(),
            spec.data->name() + ": " + std::to_string(spec.data->size()) +
                " samples are too many for chunks of indices: the limit is 2^32");
    require(spec.window_blocks == 0, "a stream: expected packed chunks, found chunks of indices");
    part_samples_ = most_;
    return;
  }
  reader_.emplace(spec.data, input_type_for(spec.data->dtype()));
  if (spec.augment.enabled()) {
    augmenter_.emplace(spec.augment, spec.data->shape(), spec.data->dtype(), seed_);
  }
  const std::size_t bytes = reader_->sample_bytes();
  require(bytes > 0, spec.data->name() + ": samples have no elements");
  // Half of the address space, so that sums with labels and padding fit too.
  require(most_ <= std::numeric_limits<std::size_t>::max() / 2 / (bytes + label_bytes()),
          "a slot of " + std::to_string(most_) + " samples of " + std::to_string(bytes) +
              " bytes is too large for memory");
  part_samples_ =
      static_cast<std::uint32_t>(std::clamp<std::size_t>(kPartBytes / bytes, 1, kMaxPartSamples));
  if (spec.window_blocks != 0) open_stream(spec, start, std::move(wake));
}

void ChunkFiller::open_stream(const LoaderSpec& spec, LoaderState start,
                              std::function<void()> wake) {
  auto blocks = std::dynamic_pointer_cast<const BlockDataset>(spec.data);
  require(blocks != nullptr, spec.data->name() +
                                 " cannot be streamed: expected a data set in blocks " +
                                 "(OpenOptions::in_blocks)");
  stage_ = std::make_unique<WindowStage>(
      std::move(blocks), subset_,
      StreamOrder::Options{.window_blocks = spec.window_blocks, .shuffle = shuffle_, .seed = seed_},
      share_,
      WindowStage::Start{.epoch = start.epoch,
                         .position = std::uint64_t{spec.batch} * start.batch,
                         .epochs = spec.epochs,
                         .goes_on = on_bad_ != OnBad::kFail},
      std::move(wake));
}

ChunkSlot ChunkFiller::make_slot(HostMemory& memory) const {
  ChunkSlot slot;
  slot.bad = std::make_unique<BadPlaces>();
  if (kind_ == ChunkKind::kIndices) {
    slot.buffer = HostBuffer(memory, most_ * sizeof(std::uint32_t));
    slot.indices = {reinterpret_cast<std::uint32_t*>(slot.buffer.data()), most_};
    return slot;
  }
  const std::size_t samples = most_ * reader_->sample_bytes();
  slot.buffer = HostBuffer(memory, aligned(samples) + most_ * label_bytes());
  slot.samples = slot.buffer.bytes().first(samples);
  slot.labels = {reinterpret_cast<std::int32_t*>(slot.buffer.data() + aligned(samples)),
                 most_ * reader_->label_words()};
  return slot;
}

std::uint32_t ChunkFiller::prepare(ChunkSlot& slot, const ChunkPlan& plan) const noexcept {
  slot.plan = plan;
  slot.count = plan.count;
  slot.bad->places.clear();
  if (stage_) {
    try {
      plan_stream(slot);
      return static_cast<std::uint32_t>(slot.pieces.size());
    } catch (...) {
      slot.error = KeptError::current();
      return 1;
    }
  }
  if (shuffle_) slot.order.emplace(subset_.size(), seed_, plan.position.epoch);
  return (plan.count - 1) / part_samples_ + 1;
}

void ChunkFiller::plan_stream(ChunkSlot& slot) const {
  slot.pieces.clear();
  for (std::uint32_t done = 0; done < slot.plan.count;) {
    const auto run = share_.run(slot.plan.first + done);
    const auto count =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(run.count, slot.plan.count - done));
    stage_->plan(slot.plan.position.epoch, run.first, {done, count}, part_samples_, slot.pieces);
    done += count;
  }
}

// Where the sample at a place of the chunk stands in the plan's epoch.
std::uint64_t ChunkFiller::position_of(const ChunkSlot& slot, std::uint64_t place) const {
  return share_.run(slot.plan.first + place).first;
}

// The sample at one position of the plan's epoch.
std::uint64_t ChunkFiller::id_at(const ChunkSlot& slot, std::uint64_t position) const {
  std::uint64_t id = position;
  ids_at(slot, position, {&id, 1});
  return id;
}

// The samples at ids.size() positions from `position` of the plan's epoch.
void ChunkFiller::ids_at(const ChunkSlot& slot, std::uint64_t position,
                         std::span<std::uint64_t> ids) const {
  if (slot.order) {
    slot.order->range(position, ids);
  } else {
    std::iota(ids.begin(), ids.end(), position);
  }
  subset_.map(ids, ids);
}

// The samples at ids.size() places from `first` of the chunk.
void ChunkFiller::ids_of(const ChunkSlot& slot, std::uint64_t first,
                         std::span<std::uint64_t> ids) const {
  while (!ids.empty()) {
    const auto run = share_.run(slot.plan.first + first);
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(run.count, ids.size()));
    ids_at(slot, run.first, ids.first(count));
    ids = ids.subspan(count);
    first += count;
  }
}

bool ChunkFiller::ready(const ChunkSlot& slot, std::uint32_t part) const {
  return !stage_ || slot.error || stage_->ready(slot.pieces[part].turn);
}

// Writes the samples of a piece, and their numbers to `ids`.
void ChunkFiller::take(const ChunkSlot& slot, const WindowStage::Piece& piece,
                       std::span<std::uint64_t> ids) const {
  const auto run = stage_->run(piece.turn, piece.offset, piece.count);
  const std::size_t bytes = reader_->sample_bytes();
  const std::size_t words = reader_->label_words();
  reader_->read_padded(run.samples, slot.samples.subspan(piece.first * bytes, piece.count * bytes),
                       slot.labels.subspan(piece.first * words, piece.count * words));
  std::ranges::copy(run.ids, ids.begin());
  if (stage_->damaged(piece.turn)) mend(slot, piece, ids);
}

std::uint64_t ChunkFiller::fill_from_window(const ChunkSlot& slot,
                                            const WindowStage::Piece& piece) const {
  Ids storage;
  const std::span ids(storage.data(), piece.count);
  try {
    take(slot, piece, ids);
  } catch (...) {
    // The chunk ends in this error once its other parts are filled, whose windows may want the
    // memory of this one.
    stage_->taken(piece.turn, piece.count);
    throw;
  }
  stage_->taken(piece.turn, piece.count);
  const std::size_t bytes = reader_->sample_bytes();
  const auto samples = slot.samples.subspan(piece.first * bytes, piece.count * bytes);
  if (augmenter_) augmenter_->apply(slot.plan.position.epoch, ids, samples);
  return piece.count * (bytes + label_bytes());
}

std::uint64_t ChunkFiller::fill(const ChunkSlot& slot, std::uint32_t part) const {
  if (slot.error) slot.error.raise();
  if (stage_) return fill_from_window(slot, slot.pieces[part]);
  if (kind_ == ChunkKind::kIndices) return fill_indices(slot);
  const std::size_t first = std::size_t{part} * part_samples_;
  const std::size_t count = std::min<std::size_t>(part_samples_, slot.plan.count - first);
  Ids storage;
  const std::span ids(storage.data(), count);
  ids_of(slot, first, ids);
  read(slot, first, ids);
  const std::size_t bytes = reader_->sample_bytes();
  const auto samples = slot.samples.subspan(first * bytes, count * bytes);
  if (augmenter_) augmenter_->apply(slot.plan.position.epoch, ids, samples);
  return count * (bytes + label_bytes());
}

std::uint64_t ChunkFiller::fill_indices(const ChunkSlot& slot) const {
  Ids storage;
  for (std::size_t first = 0; first < slot.plan.count; first += storage.size()) {
    const std::size_t count = std::min<std::size_t>(storage.size(), slot.plan.count - first);
    const std::span ids(storage.data(), count);
    ids_of(slot, first, ids);
    if (!bad_.empty()) replace_known(slot, first, ids);
    for (std::size_t i = 0; i < count; ++i)
      slot.indices[first + i] = static_cast<std::uint32_t>(storage[i]);
  }
  return slot.plan.count * sizeof(std::uint32_t);
}

Chunk ChunkFiller::view(const ChunkSlot& slot) const noexcept {
  Chunk chunk;
  chunk.batch = share_.batch();
  chunk.count = slot.count;
  if (kind_ == ChunkKind::kIndices) {
    chunk.source = source_;
    chunk.indices = slot.indices.first(chunk.count);
  } else {
    chunk.samples = slot.samples.first(chunk.count * reader_->sample_bytes());
    chunk.labels = slot.labels.first(chunk.count * reader_->label_words());
  }
  return chunk;
}

}  // namespace millrace
