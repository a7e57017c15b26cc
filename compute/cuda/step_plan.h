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
///
/// Forward, layer l, row-major:       y = relu(x · Wᵀ + b),  x: [rows, in], W: [out, in]
///   column-major, as cuBLASLt reads: D[out, rows] = op(A)ᵀ · B, A = W as [in, out], ld in;
///   B = x as [in, rows], ld in; D = y, ld out; a bias for each row of D.
/// Gradient of weights:               dW = dyᵀ · x
///   D[in, out] = A · Bᵀ, A = x as [in, rows], ld in; B = dy as [out, rows], ld out; D = dW, ld in;
///   the sums of dy over the batch are sums of op(B) over k, one for each column of D.
/// Gradient of the layer below:       dx = (dy · W) * relu'(x)
///   D[in, rows] = A · B, A = W as [in, out], ld in; B = dy as [out, rows], ld out; D = dx, ld in;
///   the mask's bits are the elements of x, and a sum for each row of D the bias gradient below.
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
  Matmul forward(std::size_t l, Epilogue epilogue) const;
  Matmul weight_gradient(std::size_t l, Epilogue epilogue) const;
  Matmul data_gradient(std::size_t l, Epilogue epilogue) const;
  MatmulPlan plan(const Matmul& matmul) const;
  MatmulPlan plan_plain(const Matmul& matmul) const;
  void plan_forward(std::size_t l);
  void plan_backward();
  void enqueue_forward(const Batch& batch);
  void enqueue_backward(const Batch& batch);
  Dropout dropout(std::size_t l, const Batch& batch) const;
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
