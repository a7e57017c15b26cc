#pragma once

#include <cstdint>

#include "compute/cuda/elements.h"

namespace millrace::cuda {

/// What happens to a product's elements before they are stored; cublasLtEpilogue_t defines them.
enum class Epilogue : std::uint8_t {
  kNone,
  kBias,                      ///< + bias[row]
  kBiasRelu,                  ///< max(… + bias[row], 0)
  kBiasReluMask,              ///< the same, and leaves a bit for each element that was positive
  kReluGradient,              ///< * mask's bit
  kReluGradientBiasGradient,  ///< the same, and bias[row] = sum over the columns of what is stored
  kBiasGradientOfB,           ///< bias[column] = sum over k of op(B)[k, column]
};

/// A matrix product with fixed shapes and addresses, in the column-major terms of cuBLASLt:
///     D[m, n] = epilogue(op(A)[m, k] · op(B)[k, n]), alpha 1, beta 0
/// A row-major [rows, width] matrix is a column-major [width, rows] one of leading dimension
/// width.
struct Matmul {
  bool transpose_a = false;
  bool transpose_b = false;
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::int64_t lda = 0;
  std::int64_t ldb = 0;
  std::int64_t ldd = 0;
  ElementType input = ElementType::kFloat32;   ///< of A and B
  ElementType output = ElementType::kFloat32;  ///< of D and bias
  bool tf32 = false;  ///< float32 inputs may lose bits: 10 of the fraction are kept
  Epilogue epilogue = Epilogue::kNone;
  const void* a = nullptr;
  const void* b = nullptr;
  void* d = nullptr;
  void* bias = nullptr;  ///< read or written, as the epilogue says
  /// One bit an element of D, column by column, `mask_ld` bits each: a multiple of 128, at least m.
  void* mask = nullptr;
  std::int64_t mask_ld = 0;
};

}  // namespace millrace::cuda
