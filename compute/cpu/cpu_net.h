#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "compute/cpu/row_source.h"
#include "compute/engine.h"
#include "compute/spec.h"

namespace millrace::cpu {

/// One training step's batch, shared by all its lanes and tiles.
struct StepBatch {
  RowSource source;
  std::uint32_t rows = 0;
  RowSource next;  ///< the step after this one, to prefetch; next_rows 0 at the end of a chunk
  std::uint32_t next_rows = 0;
};

/// The parameters, activations and arithmetic of one model in one precision, cut into pieces that a thread team
/// works on: first all lanes of a step, then all its tiles. Pieces of one phase touch disjoint outputs
/// and may run on any members in any order; the results are the same bits.
class CpuNet {
 public:
  virtual ~CpuNet() = default;

  /// Most rows that one lane or one evaluate() call may have.
  virtual std::uint32_t lane_limit() const = 0;

  /// Rows [first, first + rows) of the batch: gather, conversion, forward, loss, and the gradients of all
  /// pre-activations, left in shared memory for the tiles. losses and correct: [batch.rows].
  virtual void run_lane(std::uint32_t member, const StepBatch& batch, std::uint32_t first,
                        std::uint32_t rows, float* losses, std::uint8_t* correct) = 0;

  /// Tiles of weights, of all layers.
  virtual std::uint32_t tiles() const = 0;
  /// Gradient over the whole batch and the optimizer's update of one tile.
  virtual void run_tile(std::uint32_t member, const StepBatch& batch, std::uint32_t tile) = 0;

  /// Forward and loss alone. losses and correct: [rows], for rows first … of the source.
  virtual void evaluate(std::uint32_t member, const RowSource& source, std::uint32_t first,
                        std::uint32_t rows, float* losses, std::uint8_t* correct) = 0;

  virtual void set_sgd(const SgdSpec& sgd) = 0;
  virtual Parameters parameters() const = 0;
  virtual void set_parameters(const Parameters& parameters) = 0;
  virtual OptimizerState optimizer_state() const = 0;
  virtual void set_optimizer_state(const OptimizerState& state) = 0;
  /// What the kernels use: "AVX-512".
  virtual std::string instruction_set() const = 0;
};

std::unique_ptr<CpuNet> make_f32_net(const MlpSpec& model, const TrainSpec& train, std::uint32_t members);

}  // namespace millrace::cpu
