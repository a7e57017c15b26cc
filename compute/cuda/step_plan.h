#pragma once

#include <cstdint>
#include <vector>

#include "compute/cuda/network.h"
#include "compute/cuda/owned.h"

namespace millrace::cuda {

/// Where the samples of one step lie on the device. Without indices, row r is sample r.
struct Batch {
  const void* samples = nullptr;
  const std::int32_t* labels = nullptr;
  const std::uint32_t* indices = nullptr;
  const StepConstants* step = nullptr;  ///< of training
};

/// One step of a fixed number of rows: its products planned once, with their epilogues where
/// cuBLASLt has them and as kernels of their own where not.
class StepPlan {
 public:
  /// Throws DeviceError where not even the plain products can be had. `runtime` and `network`
  /// outlive it. Trying the products on `stream` overwrites activations and gradients, which each
  /// step makes anew.
  StepPlan(Runtime& runtime, const Network& network, StreamHandle stream, std::uint32_t rows,
           bool training);

  /// `row`: where in the piece's losses the step's begin.
  void enqueue(const Batch& batch, std::uint32_t row);

  /// True once enqueued: its kernels are loaded then, which a capture must not do.
  bool warm() const noexcept { return warm_; }
  /// Products whose epilogues run as kernels of their own.
  std::uint32_t unfused() const noexcept { return unfused_; }

 private:
  struct Layer {
    MatmulPlan forward;
    bool forward_fused = false;
    MatmulPlan weight_gradient;
    bool sums_columns = false;  // the bias gradient is left to a kernel
    MatmulPlan data_gradient;   // of the layer below; empty for the first
    bool data_gradient_fused = false;
  };

  bool drops() const { return training_ && network_.model.dropout > 0.0F; }
  bool relu() const { return network_.model.activation == Activation::kRelu; }
  MatmulPlan plan(const Matmul& matmul) const;
  MatmulPlan plan_plain(const Matmul& matmul) const;
  void plan_forward(std::size_t l);
  void plan_backward();
  void enqueue_forward(const Batch& batch);
  void enqueue_backward(const Batch& batch);
  void enqueue_activation(std::size_t l, const Batch& batch);
  void enqueue_activation_gradient(std::size_t l);
  Keeping keeping(std::size_t l, const Batch& batch) const;
  OptimizerUpdate update(const Batch& batch) const;

  Runtime& runtime_;
  const Network& network_;
  StreamHandle stream_;
  std::uint32_t rows_;
  bool training_;
  bool warm_ = false;
  std::uint32_t unfused_ = 0;
  std::vector<Layer> layers_;
};

}  // namespace millrace::cuda
