#pragma once

#include <cublasLt.h>

#include <cstddef>
#include <memory>

#include "compute/cuda/matmul.h"
#include "compute/cuda/status.h"

namespace millrace::cuda {

/// A Matmul in the descriptors of cuBLASLt, with the algorithm that its heuristic puts first. No
/// timing: what is chosen, and so every bit of a result, depends on the kind of device alone.
class LtProduct {
 public:
  /// Null where cuBLASLt has no algorithm.
  static std::unique_ptr<LtProduct> make(cublasLtHandle_t handle, const Matmul& matmul,
                                         std::size_t workspace_bytes, const StageName& stage);
  ~LtProduct();
  LtProduct(const LtProduct&) = delete;
  LtProduct& operator=(const LtProduct&) = delete;

  /// Whether a status of a search or a first run means that there is no such product. Releases
  /// differ in what they say of an epilogue that does not go with a type or shape; a device that
  /// fails altogether will fail the plain product too, which then tells.
  static bool refuses(const Matmul& matmul, cublasStatus_t status) noexcept;

  cublasStatus_t run(cublasLtHandle_t handle, void* workspace, std::size_t workspace_bytes,
                     cudaStream_t stream) const;

 private:
  explicit LtProduct(const Matmul& matmul) : matmul_(matmul) {}
  void describe(const StageName& stage);
  bool search(cublasLtHandle_t handle, std::size_t workspace_bytes, const StageName& stage);

  const Matmul matmul_;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr;
  cublasLtMatrixLayout_t b_ = nullptr;
  cublasLtMatrixLayout_t d_ = nullptr;
  cublasLtMatmulAlgo_t algorithm_{};
};

}  // namespace millrace::cuda
