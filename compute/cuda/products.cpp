#include "compute/cuda/products.h"

namespace millrace::cuda {

Matmul forward_product(const Network& network, std::size_t l, bool training, Epilogue epilogue) {
  const bool top = l + 1 == network.layers();
  Matmul matmul;
  matmul.transpose_a = true;
  matmul.m = network.layout.padded(l + 1);
  matmul.n = network.rows(training);
  matmul.k = network.layout.padded(l);
  matmul.lda = matmul.k;
  matmul.ldb = matmul.k;
  matmul.ldd = matmul.m;
  matmul.input = network.arithmetic.storage;
  matmul.output = top ? ElementType::kFloat32 : network.arithmetic.storage;
  matmul.tf32 = network.arithmetic.tf32;
  matmul.epilogue = epilogue;
  matmul.a = network.parameter(network.layout.weight(l), training);
  matmul.b = (l == 0 ? network.x : network.y[l - 1]).data();
  const bool kept = training && network.layout.normed(l);
  matmul.d = (top ? network.logits : kept ? network.z[l] : network.y[l]).data();
  if (epilogue != Epilogue::kNone) {
    // A bias has the type of the output.
    const std::size_t offset = network.layout.bias(l);
    matmul.bias = top ? static_cast<void*>(network.values(training).as<float>() + offset)
                      : const_cast<std::byte*>(network.parameter(offset, training));
  }
  if (epilogue == Epilogue::kBiasReluMask) {
    matmul.mask = network.mask[l].data();
    matmul.mask_ld = network.mask_ld(l);
  }
  return matmul;
}

Matmul weight_gradient_product(const Network& network, std::size_t l, Epilogue epilogue) {
  Matmul matmul;
  matmul.transpose_b = true;
  matmul.m = network.layout.padded(l);
  matmul.n = network.layout.padded(l + 1);
  matmul.k = network.rows(true);
  matmul.lda = matmul.m;
  matmul.ldb = matmul.n;
  matmul.ldd = matmul.m;
  matmul.input = network.arithmetic.storage;
  matmul.output = ElementType::kFloat32;
  matmul.tf32 = network.arithmetic.tf32;
  matmul.epilogue = epilogue;
  matmul.a = (l == 0 ? network.x : network.y[l - 1]).data();
  matmul.b = network.dy[l].data();
  matmul.d = network.gradient.as<float>() + network.layout.weight(l);
  if (epilogue == Epilogue::kBiasGradientOfB) {
    matmul.bias = network.gradient.as<float>() + network.layout.bias(l);
  }
  return matmul;
}

Matmul data_gradient_product(const Network& network, std::size_t l, Epilogue epilogue) {
  Matmul matmul;
  matmul.m = network.layout.padded(l);
  matmul.n = network.rows(true);
  matmul.k = network.layout.padded(l + 1);
  matmul.lda = matmul.m;
  matmul.ldb = matmul.k;
  matmul.ldd = matmul.m;
  matmul.input = network.arithmetic.storage;
  matmul.output = network.arithmetic.storage;
  matmul.tf32 = network.arithmetic.tf32;
  matmul.epilogue = epilogue;
  matmul.a = network.parameter(network.layout.weight(l), true);
  matmul.b = network.dy[l].data();
  matmul.d = network.dy[l - 1].data();
  if (epilogue != Epilogue::kNone) {
    matmul.mask = network.mask[l - 1].data();
    matmul.mask_ld = network.mask_ld(l - 1);
  }
  if (epilogue == Epilogue::kReluGradientBiasGradient) {
    matmul.bias = network.gradient.as<float>() + network.layout.bias(l - 1);
  }
  return matmul;
}

}  // namespace millrace::cuda
