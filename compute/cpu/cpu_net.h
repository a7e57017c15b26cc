#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "compute/cpu/row_source.h"
#include "compute/engine.h"
#include "compute/spec.h"

namespace millrace::cpu {

/// What is found of each row: [rows] each. A loss of numbers has squared errors, classes have
/// `correct`; nothing is written to the other.
struct Judgements {
  float* losses = nullptr;
  std::uint8_t* correct = nullptr;  ///< 1 where the first largest logit is the label's
  float* squared_errors = nullptr;  ///< the mean over the row's targets

  Judgements from(std::size_t row) const {
    return {losses + row, correct == nullptr ? nullptr : correct + row,
            squared_errors == nullptr ? nullptr : squared_errors + row};
  }
};

/// One training step's batch, or a part of it, shared by all its pieces.
struct StepBatch {
  RowSource source;
  std::uint32_t rows = 0;
  std::uint32_t first = 0;      ///< of the step's batch; 0 but where it comes in parts
  std::uint32_t step_rows = 0;  ///< of all its parts
  bool last = true;             ///< the update follows
  RowSource next;  ///< the rows after these, to prefetch; next_rows 0 at the end of a chunk
  std::uint32_t next_rows = 0;
  Judgements judgements;  ///< out
};

/// The parameters, activations and arithmetic of one model in one precision, cut into pieces that a
/// thread team works on, phase by phase: the stages of stages.h. Without batch normalisation these
/// are three, and four where gradients are kept to be added up or clipped:
///
/// - input (columns × rows): samples converted, and multiplied by those columns' weights of the
///   first layer;
/// - lanes (rows): the first layer's sums finished, all other layers, the loss, the gradients of
///   all pre-activations;
/// - tiles (weights): the gradient over the whole batch and the optimizer's update, fused.
///
/// Pieces of one phase write apart from each other and may run on any members in any order; the
/// results are the same bits, also where another number of members shares them. Members should get
/// about the same share of a phase's pieces each time: an input piece leaves in its core's cache
/// what the tiles of those columns read, and those tiles the weights it wants next.
class CpuNet {
 public:
  virtual ~CpuNet() = default;

  /// How many members share the pieces that follow, by which they are cut: at first all that it was
  /// made for, and never more.
  virtual void share_among(std::uint32_t members) = 0;

  /// Of one step.
  virtual std::uint32_t phases() const = 0;
  virtual std::uint32_t pieces(std::uint32_t phase, const StepBatch& batch) const = 0;
  virtual void run(std::uint32_t member, std::uint32_t phase, std::uint32_t piece,
                   const StepBatch& batch) = 0;

  /// When all pieces of a phase are done, before any of the next.
  virtual void end_phase(std::uint32_t phase, const StepBatch& batch) = 0;

  /// Before the pieces of an evaluation.
  virtual void begin_evaluation() = 0;
  /// Most rows of one evaluate() call.
  virtual std::uint32_t evaluate_limit() const = 0;
  /// Forward and loss alone, by the parameters' averages where there are any. judgements: for rows
  /// first … of the source; logits: [rows, classes], row-major, or null where nobody wants them; of
  /// a loss of numbers what is predicted, in the targets' units.
  virtual void evaluate(std::uint32_t member, const RowSource& source, std::uint32_t first,
                        std::uint32_t rows, const Judgements& judgements, float* logits) = 0;

  /// Before the pieces of a step: its optimizer's constants (the kind is that of the TrainSpec) and
  /// its number in the run, counted from 1.
  virtual void begin_step(const OptimizerSpec& optimizer, std::uint64_t step) = 0;
  virtual Parameters parameters() const = 0;
  virtual void set_parameters(const Parameters& parameters) = 0;
  /// optimizer_state_shapes() but for "step", which the engine keeps.
  virtual OptimizerState optimizer_state() const = 0;
  /// With "step", where steps are counted.
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
