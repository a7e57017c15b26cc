#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "compute/cpu/row_source.h"
#include "compute/engine.h"
#include "compute/spec.h"

namespace millrace::cpu {

/// One training step's batch, shared by all its pieces.
struct StepBatch {
  RowSource source;
  std::uint32_t rows = 0;
  RowSource next;  ///< the step after this one, to prefetch; next_rows 0 at the end of a chunk
  std::uint32_t next_rows = 0;
  float* losses = nullptr;          ///< [rows], out
  std::uint8_t* correct = nullptr;  ///< [rows], out
};

/// The parameters, activations and arithmetic of one model in one precision, cut into pieces that a
/// thread team works on, phase by phase: the stages of stages.h. Without batch normalisation these
/// are three:
///
/// - input (columns × rows): samples converted, and multiplied by those columns' weights of the
///   first layer;
/// - lanes (rows): the first layer's sums finished, all other layers, the loss, the gradients of
///   all pre-activations;
/// - tiles (weights): the gradient over the whole batch and the optimizer's update, fused.
///
/// Pieces of one phase write apart from each other and may run on any members in any order; the
/// results are the same bits. Members should get about the same share of a phase's pieces each
/// time: an input piece leaves in its core's cache what the tiles of those columns read, and those
/// tiles the weights it wants next.
class CpuNet {
 public:
  virtual ~CpuNet() = default;

  /// Of one step.
  virtual std::uint32_t phases() const = 0;
  virtual std::uint32_t pieces(std::uint32_t phase, const StepBatch& batch) const = 0;
  virtual void run(std::uint32_t member, std::uint32_t phase, std::uint32_t piece,
                   const StepBatch& batch) = 0;

  /// Most rows of one evaluate() call.
  virtual std::uint32_t evaluate_limit() const = 0;
  /// Forward and loss alone. losses and correct: [rows], for rows first … of the source; logits:
  /// [rows, classes], row-major, or null where nobody wants them.
  virtual void evaluate(std::uint32_t member, const RowSource& source, std::uint32_t first,
                        std::uint32_t rows, float* losses, std::uint8_t* correct,
                        float* logits) = 0;

  /// Before the pieces of a step: its optimizer's constants (the kind is that of the TrainSpec) and
  /// its number in the run, counted from 1.
  virtual void begin_step(const OptimizerSpec& optimizer, std::uint64_t step) = 0;
  virtual Parameters parameters() const = 0;
  virtual void set_parameters(const Parameters& parameters) = 0;
  /// optimizer_state_shapes() but for "step", which the engine keeps.
  virtual OptimizerState optimizer_state() const = 0;
  virtual void set_optimizer_state(const OptimizerState& state) = 0;
  /// What the kernels use: "AVX-512".
  virtual std::string instruction_set() const = 0;
};

std::unique_ptr<CpuNet> make_f32_net(const MlpSpec& model, const TrainSpec& train,
                                     std::uint32_t members);
/// Null where the processor has no bfloat16 arithmetic.
std::unique_ptr<CpuNet> make_bf16_net(const MlpSpec& model, const TrainSpec& train,
                                      std::uint32_t members);

}  // namespace millrace::cpu
