#include "compute/cuda/graph_input.h"

namespace millrace::cuda {

GraphInput::GraphInput(Runtime& runtime, std::uint32_t rows, std::uint32_t steps,
                       std::size_t sample_bytes, std::size_t label_bytes)
    : runtime_(runtime),
      rows_(rows),
      sample_bytes_(sample_bytes),
      label_bytes_(label_bytes),
      indices_(device_buffer(runtime, rows * sizeof(std::uint32_t), "a piece's indices")),
      steps_(device_buffer(runtime, steps * sizeof(StepConstants), "a piece's constants")) {}

void GraphInput::reserve() {
  make_missing(runtime_, samples_, rows_ * sample_bytes_, "a piece's samples");
  make_missing(runtime_, labels_, rows_ * label_bytes_, "a piece's labels");
}

Batch GraphInput::place(const Piece& piece, const Batch& batch) const {
  Batch placed = batch;
  if (piece.source == Piece::kPacked) {
    placed.samples = samples_.data();
    placed.labels = labels_.as<const std::int32_t>();
  } else {
    placed.indices = indices_.as<const std::uint32_t>();
  }
  if (piece.training) placed.step = steps_.as<const StepConstants>();
  return placed;
}

void GraphInput::take(const Piece& piece, const Batch& batch, StreamHandle stream) {
  CopyArrays copy;
  if (piece.source == Piece::kPacked) {
    copy.arrays[0] = {batch.samples, samples_.data(), piece.rows * sample_bytes_};
    copy.arrays[1] = {batch.labels, labels_.data(), piece.rows * label_bytes_};
  } else {
    copy.arrays[0] = {batch.indices, indices_.data(), piece.rows * sizeof(std::uint32_t)};
  }
  if (piece.training) {
    const std::uint32_t steps = (piece.rows + piece.batch - 1) / piece.batch;
    copy.arrays[2] = {batch.step, steps_.data(), steps * sizeof(StepConstants)};
  }
  runtime_.launch(copy, stream);
}

}  // namespace millrace::cuda
