#include "compute/cuda/piece_runner.h"

#include <algorithm>

#include "compute/cuda/chunk_checks.h"

namespace millrace::cuda {
namespace {

// A run needs a graph for each slot and length of chunk, of training and of evaluation: a dozen.
// More than these come from a caller that varies its chunks without end.
constexpr std::size_t kMostGraphs = 64;

}  // namespace

void PieceRunner::run(const Piece& piece, const Batch& batch) {
  runtime_.stage(piece.training ? "training on a chunk" : "evaluating a chunk");
  auto found = graphs_.find(piece);
  if (found == graphs_.end()) {
    if (!warm(piece)) return enqueue(piece, batch);
    if (graphs_.size() == kMostGraphs) forget();
    found = graphs_.emplace(piece, capture(piece, batch)).first;
  }
  runtime_.launch(found->second.get(), stream_);
}

void PieceRunner::forget() {
  runtime_.synchronize(stream_);  // a graph may be running
  graphs_.clear();
}

StepPlan& PieceRunner::plan(std::uint32_t rows, bool training) {
  const std::pair key(rows, training);
  const auto found = plans_.find(key);
  if (found != plans_.end()) return found->second;
  return plans_.try_emplace(key, runtime_, network_, stream_, rows, training).first->second;
}

bool PieceRunner::warm(const Piece& piece) {
  const std::uint32_t tail = piece.rows % piece.batch;
  return (piece.rows < piece.batch || plan(piece.batch, piece.training).warm()) &&
         (tail == 0 || plan(tail, piece.training).warm());
}

Graph PieceRunner::capture(const Piece& piece, const Batch& batch) {
  runtime_.begin_capture(stream_);
  try {
    enqueue(piece, batch);
  } catch (...) {
    runtime_.abandon_capture(stream_);
    throw;
  }
  return {runtime_, runtime_.end_capture(stream_)};
}

void PieceRunner::enqueue(const Piece& piece, const Batch& batch) {
  for (std::uint32_t row = 0; row < piece.rows;) {
    const std::uint32_t rows = std::min(piece.batch, piece.rows - row);
    Batch step = advance(batch, row);
    if (piece.training) step.step = batch.step + row / piece.batch;
    plan(rows, piece.training).enqueue(step, row);
    row += rows;
  }
  runtime_.launch(
      MetricsSums{network_.losses.as<const float>(), network_.correct.as<const std::uint8_t>(),
                  piece.rows, piece.training ? piece.batch : 0,
                  network_.metrics.as<DeviceMetrics>()},
      stream_);
}

Batch PieceRunner::advance(const Batch& batch, std::uint32_t rows) const {
  Batch moved = batch;
  if (batch.indices != nullptr) {
    moved.indices += rows;
  } else {
    moved.samples =
        static_cast<const std::byte*>(batch.samples) + rows * sample_bytes(network_.model);
    moved.labels += rows;
  }
  return moved;
}

}  // namespace millrace::cuda
