#pragma once

#include <cstdint>
#include <vector>

#include "compute/cuda/network.h"
#include "compute/cuda/owned.h"
#include "compute/cuda/side_stream.h"

namespace millrace::cuda {

/// Where the samples of one step lie on the device. Without indices, row r is sample r.
struct Batch {
  const void* samples = nullptr;
  const std::int32_t* labels = nullptr;
  const std::uint32_t* indices = nullptr;
  const StepConstants* step = nullptr;  ///< of training
};

/// Which rows of a step's batch these are: all, or some that go through at once.
struct Part {
  std::uint32_t row = 0;  ///< where in the piece's losses theirs begin
  std::uint32_t rows = 0;
  std::uint32_t first = 0;      ///< row of the step's batch
  std::uint32_t step_rows = 0;  ///< of the step's batch
};

/// One step, or a part of one: its products planned once, with their epilogues where cuBLASLt has
/// them and as kernels of their own where not.
///
/// Training uses two streams. The main one goes forward and back through the layers; beside it the
/// weights' gradients of all layers but the first are made, and, unless the update has to wait for
/// all gradients, each layer's update as soon as nothing reads its weights any more. While the
/// first layer is updated, the next step's samples are gathered.
class StepPlan {
 public:
  /// Throws DeviceError where not even the plain products can be had. `runtime` and `network`
  /// outlive it, and `side`. Trying the products overwrites activations and gradients; no step may
  /// be under way.
  StepPlan(Runtime& runtime, const Network& network, SideStream& side, bool training);

  /// `batch`: of the part. The update follows a step's last. Leaves `side` to be joined, by the
  /// next call or by whoever wants what the step gave.
  void enqueue(const Batch& batch, const Part& part);

  /// Products whose epilogues run as kernels of their own.
  std::uint32_t unfused() const noexcept { return unfused_; }

 private:
  // What is left to do of a layer's bias gradient when the gradient of its sums is there: to add up
  // its columns, or the parts of them that ActivationGradient made; kDone too where a product or
  // norms do it.
  enum class BiasGradient : std::uint8_t { kDone, kParts, kColumns };

  struct Layer {
    MatmulPlan forward;
    bool forward_fused = false;
    MatmulPlan weight_gradient;
    BiasGradient bias = BiasGradient::kDone;
    MatmulPlan data_gradient;  // of the layer below; empty for the first
    bool data_gradient_fused = false;
  };

  // Whether a layer's gradient is all that its update waits for.
  bool updates_by_layer() const {
    return side_.separate() && !network_.clips() && !network_.accumulates();
  }
  bool drops() const { return training_ && network_.model.dropout > 0.0F; }
  bool relu() const { return network_.model.activation == Activation::kRelu; }
  // Where layer l's weights' gradient is made.
  StreamHandle stream_of(std::size_t l) const { return l == 0 ? stream_ : side_.get(); }
  // Empty where cuBLASLt lacks the epilogue.
  MatmulPlan plan(const Matmul& matmul, StreamHandle stream) const;
  MatmulPlan forward(std::size_t l, Epilogue epilogue) const;
  MatmulPlan weight_gradient(std::size_t l, Epilogue epilogue) const;
  MatmulPlan data_gradient(std::size_t l, Epilogue epilogue) const;
  void plan_forward(std::size_t l);
  void plan_backward();
  BiasGradient plan_data_gradient(std::size_t l);
  void enqueue_forward(const Batch& batch, const Part& part);
  void enqueue_loss(const Batch& batch, const Part& part);
  void enqueue_backward(const Batch& batch, const Part& part);
  void enqueue_weight_gradient(std::size_t l);
  void enqueue_step(const Batch& batch, const Part& part);
  void enqueue_activation(std::size_t l, const Batch& batch, const Part& part);
  void enqueue_activation_gradient(std::size_t l, const Part& part);
  Normalise norm(std::size_t l) const;
  NormStatistics statistics(std::size_t l, const Part& part) const;
  Keeping keeping(std::size_t l, const Batch& batch, const Part& part) const;

  Runtime& runtime_;
  const Network& network_;
  SideStream& side_;
  StreamHandle stream_;  // the main one
  std::uint32_t rows_;
  bool training_;
  std::uint32_t unfused_ = 0;
  std::vector<Layer> layers_;
};

}  // namespace millrace::cuda
