#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "compute/chunk.h"
#include "compute/cpu/cpu_net.h"
#include "compute/cpu/layout.h"
#include "compute/cpu/row_source.h"

namespace millrace::cpu {

/// The units in which a chunk is trained on, in order: a step's batch, or, where that has more rows
/// than go through at once, one of its parts.
class ChunkUnits {
 public:
  /// `whole`: the chunk's samples, of which there is at least one. The chunk outlives it.
  ChunkUnits(const Chunk& chunk, const RowSource& whole, std::uint32_t rows_at_once)
      : chunk_(chunk), whole_(whole), rows_at_once_(rows_at_once), parts_(parts_of(chunk.batch)) {
    const std::uint32_t before = chunk.batches() - 1;
    last_rows_ = chunk.count - before * chunk.batch;
    count_ = before * parts_ + parts_of(last_rows_);
  }

  std::uint32_t count() const noexcept { return count_; }
  /// Of the chunk, the step that a unit belongs to.
  std::uint32_t step(std::uint32_t unit) const noexcept { return unit / parts_; }

  /// Without a place for judgements, which is the caller's.
  StepBatch batch(std::uint32_t unit) const {
    StepBatch batch;
    batch.source = source(unit);
    batch.rows = rows(unit);
    batch.first = unit % parts_ * rows_at_once_;
    batch.step_rows = step_rows(unit);
    batch.last = batch.first + batch.rows == batch.step_rows;
    if (unit + 1 < count_) {
      batch.next = source(unit + 1);
      batch.next_rows = rows(unit + 1);
    }
    return batch;
  }

 private:
  std::uint32_t parts_of(std::uint32_t rows) const {
    return static_cast<std::uint32_t>(div_up(rows, rows_at_once_));
  }
  std::uint32_t step_rows(std::uint32_t unit) const {
    return step(unit) + 1 < chunk_.batches() ? chunk_.batch : last_rows_;
  }
  std::uint32_t rows(std::uint32_t unit) const {
    return std::min(rows_at_once_, step_rows(unit) - unit % parts_ * rows_at_once_);
  }
  RowSource source(std::uint32_t unit) const {
    const std::uint32_t first = step(unit) * chunk_.batch + unit % parts_ * rows_at_once_;
    RowSource source = whole_;
    if (chunk_.packed()) {
      source.base += std::size_t{first} * source.sample_bytes;
      source.labels += first * source.label_words;
    } else {
      source.indices += first;
    }
    return source;
  }

  const Chunk& chunk_;
  RowSource whole_;
  std::uint32_t rows_at_once_;
  std::uint32_t parts_;
  std::uint32_t last_rows_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace millrace::cpu
