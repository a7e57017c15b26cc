#include "loader/chunk_cursor.h"

#include <algorithm>
#include <string>

#include "loader/require.h"

namespace millrace {
ChunkCursor::ChunkCursor(const Shape& shape, LoaderState start)
    : shape_(shape), share_(shape.rank, shape.batch, shape.samples), position_(start) {
  require(shape.chunk_batches > 0, "chunk of 0 batches: a chunk holds at least one batch");
  batches_ = (shape.samples - 1) / shape.batch + 1;
  require(start.batch <= batches_, "cannot start at batch " + std::to_string(start.batch) +
                                       " of an epoch of " + std::to_string(batches_) + " batches");
  const bool at_end = start == LoaderState{shape.epochs, 0};
  require(start.epoch < shape.epochs || at_end,
          "cannot start at epoch " + std::to_string(start.epoch) + ", batch " +
              std::to_string(start.batch) + ": the run ends after " + std::to_string(shape.epochs) +
              " epochs");
  if (start.batch == batches_) position_ = {start.epoch + 1, 0};
}

std::optional<ChunkPlan> ChunkCursor::next() noexcept {
  if (at_end()) return std::nullopt;
  const std::uint64_t left_in_chunk = shape_.chunk_batches - position_.batch % shape_.chunk_batches;
  const std::uint64_t end_batch =
      position_.batch + std::min(left_in_chunk, batches_ - position_.batch);

  ChunkPlan plan;
  plan.position = position_;
  plan.last_in_epoch = end_batch == batches_;
  plan.after = plan.last_in_epoch ? LoaderState{position_.epoch + 1, 0}
                                  : LoaderState{position_.epoch, end_batch};
  const std::uint64_t end = plan.last_in_epoch ? shape_.samples : end_batch * shape_.batch;
  plan.first = share_.among(position_.batch * shape_.batch);
  plan.count = static_cast<std::uint32_t>(share_.among(end) - plan.first);
  position_ = plan.after;
  return plan;
}

}  // namespace millrace
