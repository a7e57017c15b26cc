#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/cuda/owned.h"
#include "compute/cuda/piece.h"
#include "compute/cuda/step_plan.h"

namespace millrace::cuda {

/// Where graphs find what a slot brought: a graph has its addresses for good, so each slot would
/// need graphs of its own, and capturing one takes the host longer than the device takes to run it.
class GraphInput {
 public:
  /// For pieces of up to `rows` samples in up to `steps` steps. Throws DeviceError.
  GraphInput(Runtime& runtime, std::uint32_t rows, std::uint32_t steps, std::size_t sample_bytes,
             std::size_t label_bytes);

  /// Makes what packed pieces need, if it is not there: to be called before the first of them.
  /// Throws DeviceError.
  void reserve();
  /// `batch` of a piece, as it is once it was taken.
  Batch place(const Piece& piece, const Batch& batch) const;
  /// Enqueues taking it there, after what runs on `stream`.
  void take(const Piece& piece, const Batch& batch, StreamHandle stream);

 private:
  Runtime& runtime_;
  std::uint32_t rows_;
  std::size_t sample_bytes_;
  std::size_t label_bytes_;
  DeviceBuffer samples_;  // uint8 or float32 [rows, features]; empty without packed pieces
  DeviceBuffer labels_;   // int32 [rows, label words]; the same
  DeviceBuffer indices_;  // uint32 [rows]
  DeviceBuffer steps_;    // StepConstants [steps]
};

}  // namespace millrace::cuda
