#include "compute/cuda/lt_product.h"

#include <algorithm>
#include <cstdint>

namespace millrace::cuda {
namespace {

cudaDataType_t data_type(ElementType type) {
  return type == ElementType::kFloat32 ? CUDA_R_32F : CUDA_R_16BF;
}

cublasLtEpilogue_t lt_epilogue(Epilogue epilogue) {
  switch (epilogue) {
    case Epilogue::kNone:
      break;
    case Epilogue::kBias:
      return CUBLASLT_EPILOGUE_BIAS;
    case Epilogue::kBiasRelu:
      return CUBLASLT_EPILOGUE_RELU_BIAS;
    case Epilogue::kBiasReluMask:
      return CUBLASLT_EPILOGUE_RELU_AUX_BIAS;
    case Epilogue::kReluGradient:
      return CUBLASLT_EPILOGUE_DRELU;
    case Epilogue::kReluGradientBiasGradient:
      return CUBLASLT_EPILOGUE_DRELU_BGRAD;
    case Epilogue::kBiasGradientOfB:
      return CUBLASLT_EPILOGUE_BGRADB;
  }
  return CUBLASLT_EPILOGUE_DEFAULT;
}

// The largest power of two that divides the address, as far as cuBLASLt cares.
std::uint32_t alignment(const void* address) {
  const auto bits = reinterpret_cast<std::uintptr_t>(address);
  return static_cast<std::uint32_t>(std::min<std::uintptr_t>(bits & (~bits + 1), 256));
}

// Ends with the scope, whatever happens in it.
class Preference {
 public:
  explicit Preference(const StageName& stage) : stage_(stage) {
    MILLRACE_CHECK(cublasLtMatmulPreferenceCreate(&value_));
  }
  ~Preference() { cublasLtMatmulPreferenceDestroy(value_); }
  Preference(const Preference&) = delete;
  Preference& operator=(const Preference&) = delete;

  template <class T>
  void set(cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
    MILLRACE_CHECK(cublasLtMatmulPreferenceSetAttribute(value_, attribute, &value, sizeof value));
  }
  cublasLtMatmulPreference_t get() const { return value_; }

 private:
  const StageName& stage_;
  cublasLtMatmulPreference_t value_ = nullptr;
};

}  // namespace

std::unique_ptr<LtProduct> LtProduct::make(cublasLtHandle_t handle, const Matmul& matmul,
                                           std::size_t workspace_bytes, const StageName& stage) {
  std::unique_ptr<LtProduct> product(new LtProduct(matmul));
  product->describe(stage);
  if (!product->search(handle, workspace_bytes, stage)) return nullptr;
  return product;
}

void LtProduct::describe(const StageName& stage_) {
  const Matmul& matmul = matmul_;
  const auto set = [&](cublasLtMatmulDescAttributes_t attribute, const auto& value) {
    MILLRACE_CHECK(cublasLtMatmulDescSetAttribute(operation_, attribute, &value, sizeof value));
  };
  const auto layout = [&](cublasLtMatrixLayout_t& made, ElementType type, std::int64_t rows,
                          std::int64_t columns, std::int64_t ld) {
    MILLRACE_CHECK(cublasLtMatrixLayoutCreate(&made, data_type(type),
                                              static_cast<std::uint64_t>(rows),
                                              static_cast<std::uint64_t>(columns), ld));
  };
  MILLRACE_CHECK(cublasLtMatmulDescCreate(
      &operation_, matmul.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F));
  const cublasOperation_t transpose[] = {CUBLAS_OP_N, CUBLAS_OP_T};
  set(CUBLASLT_MATMUL_DESC_TRANSA, transpose[matmul.transpose_a ? 1 : 0]);
  set(CUBLASLT_MATMUL_DESC_TRANSB, transpose[matmul.transpose_b ? 1 : 0]);
  set(CUBLASLT_MATMUL_DESC_EPILOGUE, lt_epilogue(matmul.epilogue));
  // The search wants the addresses too: their alignment decides what may be used.
  if (matmul.bias != nullptr) {
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, matmul.bias);
    set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, data_type(matmul.output));
  }
  if (matmul.mask != nullptr) {
    set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, matmul.mask);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, matmul.mask_ld);
  }
  // Layouts are of the matrices as stored, before they are transposed.
  layout(a_, matmul.input, matmul.transpose_a ? matmul.k : matmul.m,
         matmul.transpose_a ? matmul.m : matmul.k, matmul.lda);
  layout(b_, matmul.input, matmul.transpose_b ? matmul.n : matmul.k,
         matmul.transpose_b ? matmul.k : matmul.n, matmul.ldb);
  layout(d_, matmul.output, matmul.m, matmul.n, matmul.ldd);
}

LtProduct::~LtProduct() {
  if (d_ != nullptr) cublasLtMatrixLayoutDestroy(d_);
  if (b_ != nullptr) cublasLtMatrixLayoutDestroy(b_);
  if (a_ != nullptr) cublasLtMatrixLayoutDestroy(a_);
  if (operation_ != nullptr) cublasLtMatmulDescDestroy(operation_);
}

bool LtProduct::search(cublasLtHandle_t handle, std::size_t workspace_bytes,
                       const StageName& stage_) {
  Preference preference(stage_);
  const std::uint64_t bytes = workspace_bytes;
  preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, bytes);
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment(matmul_.a));
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment(matmul_.b));
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment(matmul_.d));
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment(matmul_.d));
  // Parts of a long sum are added up in float32 and then rounded, not rounded to bfloat16 and
  // added. (All of cuBLASLt's ways to add them up have a fixed order.)
  const std::uint32_t reductions = matmul_.output == ElementType::kFloat32
                                       ? CUBLASLT_REDUCTION_SCHEME_MASK
                                       : CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
  preference.set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions);
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle, operation_, a_, b_, d_, d_,
                                                               preference.get(), 1, &found, &count);
  if (LtProduct::refuses(matmul_, status)) return false;
  MILLRACE_CHECK(status);
  if (count == 0 || found.state != CUBLAS_STATUS_SUCCESS) return false;
  algorithm_ = found.algo;
  return true;
}

bool LtProduct::refuses(const Matmul& matmul, cublasStatus_t status) noexcept {
  if (status == CUBLAS_STATUS_SUCCESS) return false;
  return matmul.epilogue != Epilogue::kNone || status == CUBLAS_STATUS_NOT_SUPPORTED;
}

cublasStatus_t LtProduct::run(cublasLtHandle_t handle, void* workspace, std::size_t workspace_bytes,
                              cudaStream_t stream) const {
  const float one = 1.0F;
  const float zero = 0.0F;
  return cublasLtMatmul(handle, operation_, &one, matmul_.a, a_, matmul_.b, b_, &zero, matmul_.d,
                        d_, matmul_.d, d_, &algorithm_, workspace, workspace_bytes, stream);
}

}  // namespace millrace::cuda
