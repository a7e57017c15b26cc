#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

#include "compute/cuda/network.h"
#include "compute/cuda/owned.h"
#include "compute/cuda/step_plan.h"

namespace millrace::cuda {

/// A piece of a chunk: the steps that one graph runs. All that a graph has its addresses and
/// shapes from.
struct Piece {
  bool training = false;
  std::uint32_t source = 0;  ///< resident set, or kPacked
  std::uint32_t slot = 0;
  std::uint32_t batch = 0;
  std::uint32_t rows = 0;  ///< of all steps; the last takes what is left

  static constexpr std::uint32_t kPacked = UINT32_MAX;
  bool operator<(const Piece& other) const { return key() < other.key(); }

 private:
  std::tuple<bool, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t> key() const {
    return {training, source, slot, batch, rows};
  }
};

/// Runs pieces on the compute stream: a captured graph for each that came before, launches one by
/// one for a step that is new.
class PieceRunner {
 public:
  PieceRunner(Runtime& runtime, const Network& network, StreamHandle stream)
      : runtime_(runtime), network_(network), stream_(stream) {}

  /// `batch`: of the piece's first step. The sums go to the network's metrics.
  void run(const Piece& piece, const Batch& batch);
  /// The same without a graph, for a piece of one step.
  void run_once(const Piece& piece, const Batch& batch) { enqueue(piece, batch); }
  /// To be called when an address of the network has changed. Waits for the device.
  void forget();
  StepPlan& plan(std::uint32_t rows, bool training);

 private:
  template <class F>
  void each_part(const Piece& piece, const F& f) const;
  bool warm(const Piece& piece);
  Graph capture(const Piece& piece, const Batch& batch);
  void enqueue(const Piece& piece, const Batch& batch);
  Batch advance(const Batch& batch, std::uint32_t rows) const;

  Runtime& runtime_;
  const Network& network_;
  StreamHandle stream_;
  std::map<std::pair<std::uint32_t, bool>, StepPlan> plans_;
  std::map<Piece, Graph> graphs_;
};

}  // namespace millrace::cuda
