#include <algorithm>
#include <string>
#include <utility>

#include "formats/error.h"
#include "loader/chunk_filler.h"
#include "loader/readable.h"
#include "loader/stand_in.h"

// What a filler does about samples that cannot be read. None of it runs while all can.

namespace millrace {
namespace {

void note(const ChunkSlot& slot, BadPlace bad) {
  const std::lock_guard lock(slot.bad->mutex);
  slot.bad->places.push_back(std::move(bad));
}

[[noreturn]] void give_up(const std::string& data, const BadSample& bad) {
  throw DataError(data, "too many samples in a row cannot be read, one of them sample " +
                            std::to_string(bad.id) + ": " + bad.reason);
}

}  // namespace

// False where it cannot be read either.
bool ChunkFiller::read_one(std::uint64_t id, const ChunkSlot& slot, std::uint32_t place) const {
  const std::size_t bytes = reader_->sample_bytes();
  const std::size_t words = reader_->label_words();
  return reader_
      ->read_readable({&id, 1}, slot.samples.subspan(place * bytes, bytes),
                      slot.labels.subspan(place * words, words))
      .empty();
}

// Chunks of indices: `ids` are those of places from `first` on.
void ChunkFiller::replace_known(const ChunkSlot& slot, std::uint64_t first,
                                std::span<std::uint64_t> ids) const {
  const auto good = [this](std::uint64_t id) { return !std::ranges::binary_search(bad_, id); };
  const StandIn others(on_bad_, seed_, budget_);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (good(ids[i])) continue;
    BadPlace bad{static_cast<std::uint32_t>(first + i), {}};
    bad.sample.id = ids[i];
    bad.sample.reason = "known before";
    if (on_bad_ != OnBad::kLeaveOut) {
      const std::uint64_t position = position_of(slot, first + i);
      const auto other = others.find({slot.plan.position.epoch, position, position}, subset_.size(),
                                     [&](std::uint64_t p) { return good(id_at(slot, p)); });
      if (!other) give_up(name_, bad.sample);
      ids[i] = id_at(slot, *other);
    }
    note(slot, std::move(bad));
  }
}

// Packed chunks: reads the samples of places from `first` on.
void ChunkFiller::read(const ChunkSlot& slot, std::uint64_t first,
                       std::span<std::uint64_t> ids) const {
  const std::size_t bytes = reader_->sample_bytes();
  const auto samples = slot.samples.subspan(first * bytes, ids.size() * bytes);
  const std::size_t words = reader_->label_words();
  const auto labels = slot.labels.subspan(first * words, ids.size() * words);
  if (on_bad_ == OnBad::kFail) return reader_->read(ids, samples, labels);
  const StandIn others(on_bad_, seed_, budget_);
  for (BadPlace& bad : reader_->read_readable(ids, samples, labels)) {
    const std::uint32_t i = std::exchange(bad.place, static_cast<std::uint32_t>(first) + bad.place);
    if (on_bad_ != OnBad::kLeaveOut) {
      const std::uint64_t position = position_of(slot, bad.place);
      const auto other =
          others.find({slot.plan.position.epoch, position, position}, subset_.size(),
                      [&](std::uint64_t p) { return read_one(id_at(slot, p), slot, bad.place); });
      if (!other) give_up(name_, bad.sample);
      ids[i] = id_at(slot, *other);
    }
    note(slot, std::move(bad));
  }
}

// Streams: `ids` were taken from the piece's window, whatever could be decoded of it.
void ChunkFiller::mend(const ChunkSlot& slot, const WindowStage::Piece& piece,
                       std::span<std::uint64_t> ids) const {
  const std::size_t bytes = reader_->sample_bytes();
  const std::size_t words = reader_->label_words();
  const StandIn others(on_bad_, seed_, budget_);
  const StandIn anywhere(OnBad::kSubstitute, seed_, budget_);
  for (std::uint32_t i = 0; i < piece.count; ++i) {
    const BadSample* fault = stage_->fault(piece.turn, piece.offset + i);
    if (fault == nullptr) continue;
    BadPlace bad{piece.first + i, *fault};
    if (on_bad_ != OnBad::kLeaveOut) {
      const StandIn::Bad where{slot.plan.position.epoch, position_of(slot, bad.place),
                               piece.offset + i};
      const auto in_window = others.find(
          where, stage_->size(piece.turn),
          [&](std::uint64_t offset) { return stage_->fault(piece.turn, offset) == nullptr; });
      if (in_window) {
        const auto other = stage_->run(piece.turn, *in_window, 1);
        ids[i] = other.ids[0];
        reader_->read_padded(other.samples, slot.samples.subspan(bad.place * bytes, bytes),
                             slot.labels.subspan(bad.place * words, words));
      } else {
        // Nothing of the window is left.
        std::uint64_t id = 0;
        const auto other = anywhere.find({where.epoch, where.position, 0}, subset_.size(),
                                         [&](std::uint64_t position) {
                                           subset_.map({&position, 1}, {&id, 1});
                                           return read_one(id, slot, bad.place);
                                         });
        if (!other) give_up(name_, bad.sample);
        ids[i] = id;
      }
    }
    note(slot, std::move(bad));
  }
}

std::span<const BadPlace> ChunkFiller::bad(const ChunkSlot& slot) const noexcept {
  if (kind_ == ChunkKind::kIndices) return {};
  return slot.bad->places;
}

void ChunkFiller::settle(ChunkSlot& slot) const {
  auto& places = slot.bad->places;
  if (places.empty()) return;
  std::ranges::sort(places, {}, &BadPlace::place);
  if (on_bad_ != OnBad::kLeaveOut) return;
  const std::size_t bytes = kind_ == ChunkKind::kIndices ? 0 : reader_->sample_bytes();
  const std::size_t words = kind_ == ChunkKind::kIndices ? 0 : reader_->label_words();
  std::uint32_t kept = 0;
  auto next = places.begin();
  for (std::uint32_t place = 0; place < slot.plan.count; ++place) {
    if (next != places.end() && next->place == place) {
      ++next;
      continue;
    }
    if (kind_ == ChunkKind::kIndices) {
      slot.indices[kept] = slot.indices[place];
    } else if (kept != place) {
      std::ranges::copy(slot.samples.subspan(place * bytes, bytes),
                        slot.samples.subspan(kept * bytes, bytes).begin());
      std::ranges::copy(slot.labels.subspan(place * words, words),
                        slot.labels.subspan(kept * words, words).begin());
    }
    ++kept;
  }
  slot.count = kept;
}

}  // namespace millrace
