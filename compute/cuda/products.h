#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/cuda/matmul.h"
#include "compute/cuda/network.h"

namespace millrace::cuda {

// The three products of a layer over the network's rows, in the terms of cuBLASLt.
//
// Forward, layer l, row-major:       y = relu(x · Wᵀ + b),  x: [rows, in], W: [out, in]
//   column-major, as cuBLASLt reads: D[out, rows] = op(A)ᵀ · B, A = W as [in, out], ld in;
//   B = x as [in, rows], ld in; D = y, ld out; a bias for each row of D.
// Gradient of weights:               dW = dyᵀ · x
//   D[in, out] = A · Bᵀ, A = x as [in, rows], ld in; B = dy as [out, rows], ld out; D = dW, ld in;
//   the sums of dy over the batch are sums of op(B) over k, one for each column of D.
// Gradient of the layer below:       dx = (dy · W) * relu'(x)
//   D[in, rows] = A · B, A = W as [in, out], ld in; B = dy as [out, rows], ld out; D = dx, ld in;
//   the mask's bits are the elements of x, and a sum for each row of D the bias gradient below.

Matmul forward_product(const Network& network, std::size_t l, bool training, Epilogue epilogue);
Matmul weight_gradient_product(const Network& network, std::size_t l, Epilogue epilogue);
/// Of the layer below l, which is above 0.
Matmul data_gradient_product(const Network& network, std::size_t l, Epilogue epilogue);

}  // namespace millrace::cuda
