#include "compute/cuda/piece_runner.h"

#include <algorithm>

#include "compute/chunk_checks.h"

namespace millrace::cuda {
namespace {

// A run needs a graph for each source and length of chunk, of training and of evaluation: some ten.
// More than these come from a caller that varies its chunks without end.
constexpr std::size_t kMostGraphs = 64;

}  // namespace

void PieceRunner::prepare(const Piece& piece, const Batch& batch) {
  // Few kernels for a thousand samples to evaluate: launched in less time than they take.
  if (small_ || graphs_.contains(piece)) return;
  runtime_.stage("capturing a graph");
  if (graphs_.size() == kMostGraphs) forget();
  graphs_.emplace(piece, capture(piece, input_->place(piece, batch)));
}

void PieceRunner::run(const Piece& piece, const Batch& batch) {
  runtime_.stage(piece.training ? "training on a chunk" : "evaluating a chunk");
  if (!small_) {
    input_->take(piece, batch, stream_);
    return runtime_.launch(graphs_.at(piece).get(), stream_);
  }
  if (!piece.training) return enqueue(piece, batch);
  runtime_.launch(small_->training(piece, batch), stream_);
  enqueue_sums(piece);
}

void PieceRunner::forget() {
  runtime_.synchronize(stream_);  // a graph may be running
  graphs_.clear();
}

StepPlan& PieceRunner::plan(bool training) {
  auto& plan = plans_[training ? 1 : 0];
  if (!plan) plan.emplace(runtime_, network_, side_, training);
  return *plan;
}

// Calls f(part) for what goes through at once, in order.
template <class F>
void PieceRunner::each_part(const Piece& piece, const F& f) const {
  const std::uint32_t most = network_.rows(piece.training);
  for (std::uint32_t row = 0; row < piece.rows;) {
    const std::uint32_t step_rows = std::min(piece.batch, piece.rows - row);
    for (std::uint32_t first = 0; first < step_rows;) {
      const std::uint32_t rows = std::min(most, step_rows - first);
      f(Part{row + first, rows, first, step_rows});
      first += rows;
    }
    row += step_rows;
  }
}

Graph PieceRunner::capture(const Piece& piece, const Batch& batch) {
  runtime_.begin_capture(stream_);
  try {
    enqueue(piece, batch);
  } catch (...) {
    runtime_.abandon_capture(stream_);
    side_.forget();
    throw;
  }
  return {runtime_, runtime_.end_capture(stream_)};
}

void PieceRunner::enqueue(const Piece& piece, const Batch& batch) {
  each_part(piece, [&](const Part& part) {
    Batch moved = advance(batch, part.row);
    if (piece.training) moved.step = batch.step + part.row / piece.batch;
    plan(piece.training).enqueue(moved, part);
  });
  side_.join();
  enqueue_sums(piece);
}

void PieceRunner::enqueue_sums(const Piece& piece) {
  runtime_.launch(
      MetricsSums{network_.losses.as<const float>(), network_.correct.as<const std::uint8_t>(),
                  piece.rows, piece.training ? piece.batch : 0,
                  network_.metrics.as<DeviceMetrics>(), network_.squared_errors.as<const float>()},
      stream_);
}

Batch PieceRunner::advance(const Batch& batch, std::uint32_t rows) const {
  Batch moved = batch;
  if (batch.indices != nullptr) {
    moved.indices += rows;
  } else {
    moved.samples =
        static_cast<const std::byte*>(batch.samples) + rows * sample_bytes(network_.model);
    moved.labels += std::size_t{rows} * network_.model.label_words();
  }
  return moved;
}

}  // namespace millrace::cuda
