#pragma once

#include <array>
#include <map>
#include <optional>

#include "compute/chunk_checks.h"
#include "compute/cuda/graph_input.h"
#include "compute/cuda/network.h"
#include "compute/cuda/owned.h"
#include "compute/cuda/piece.h"
#include "compute/cuda/side_stream.h"
#include "compute/cuda/small_plan.h"
#include "compute/cuda/step_plan.h"

namespace millrace::cuda {

/// Runs pieces on the compute stream, and beside it (StepPlan): a captured graph for each. Training
/// of a small network is one kernel, and its evaluation few enough to be launched one by one.
class PieceRunner {
 public:
  /// For pieces of up to `rows` samples in up to `steps` steps.
  PieceRunner(Runtime& runtime, const Network& network, StreamHandle stream, std::uint32_t rows,
              std::uint32_t steps)
      : runtime_(runtime),
        network_(network),
        stream_(stream),
        small_(SmallPlan::make(runtime, network)),
        side_(runtime, stream, network.arithmetic.side_stream && !small_ && network.layers() > 1) {
    if (!small_)
      input_.emplace(runtime, rows, steps, sample_bytes(network.model), label_bytes(network.model));
  }

  /// Makes the memory that packed pieces need, if it is not there: to be called before the first of
  /// them. Throws DeviceError.
  void reserve() {
    if (input_) input_->reserve();
  }

  /// Captures the graph of a piece that has one and was not run before, which takes the host longer
  /// than a launch: to be called before run(), and before its time is taken.
  void prepare(const Piece& piece, const Batch& batch);
  /// `batch`: of the piece's first step. The sums go to the network's metrics.
  void run(const Piece& piece, const Batch& batch);
  /// The same without a graph, for a piece of one step.
  void run_once(const Piece& piece, const Batch& batch) { enqueue(piece, batch); }
  /// To be called when an address of the network has changed. Waits for the device.
  void forget();
  /// Made by the first call, which must come before pieces of its kind are run.
  StepPlan& plan(bool training);
  /// Whether one kernel trains, and products only evaluate.
  bool one_kernel() const noexcept { return small_.has_value(); }

 private:
  template <class F>
  void each_part(const Piece& piece, const F& f) const;
  Graph capture(const Piece& piece, const Batch& batch);
  void enqueue(const Piece& piece, const Batch& batch);
  void enqueue_sums(const Piece& piece);
  Batch advance(const Batch& batch, std::uint32_t rows) const;

  Runtime& runtime_;
  const Network& network_;
  StreamHandle stream_;
  std::optional<SmallPlan> small_;
  std::optional<GraphInput> input_;               // none where nothing is captured
  SideStream side_;                               // goes before the memory that its work reads
  std::array<std::optional<StepPlan>, 2> plans_;  // of evaluation, of training
  std::map<Piece, Graph> graphs_;
};

}  // namespace millrace::cuda
