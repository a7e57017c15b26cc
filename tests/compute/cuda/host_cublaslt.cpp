// The part of cuBLASLt that lt_product.cpp calls, as cublasLt.h and the documentation of
// cublasLtMatmul() have it. What a product means is worked out from its descriptors alone.

#include <cublasLt.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/compute/cuda/host_cuda.h"

// NOLINTBEGIN(bugprone-easily-swappable-parameters, readability-identifier-naming)

namespace millrace::cuda::test {
namespace {

// Attributes by number, with the sizes that the header gives them.
class Attributes {
 public:
  explicit Attributes(std::map<int, std::size_t> sizes) : sizes_(std::move(sizes)) {}

  cublasStatus_t set(int attribute, const void* value, std::size_t bytes) {
    const auto size = sizes_.find(attribute);
    if (size == sizes_.end() || size->second != bytes || value == nullptr) {
      HostCuda::get().violation("an attribute " + std::to_string(attribute) + " of " +
                                std::to_string(bytes) + " bytes");
      return CUBLAS_STATUS_INVALID_VALUE;
    }
    const auto* begin = static_cast<const std::byte*>(value);
    values_[attribute].assign(begin, begin + bytes);
    return CUBLAS_STATUS_SUCCESS;
  }
  template <class T>
  T get(int attribute, T otherwise) const {
    const auto found = values_.find(attribute);
    if (found != values_.end()) std::memcpy(&otherwise, found->second.data(), sizeof(T));
    return otherwise;
  }
  bool operator==(const Attributes& other) const { return values_ == other.values_; }

 private:
  std::map<int, std::size_t> sizes_;
  std::map<int, std::vector<std::byte>> values_;
};

struct Operation {
  cublasComputeType_t compute;
  cudaDataType_t scale;
  Attributes attributes{{{CUBLASLT_MATMUL_DESC_TRANSA, 4},
                         {CUBLASLT_MATMUL_DESC_TRANSB, 4},
                         {CUBLASLT_MATMUL_DESC_EPILOGUE, 4},
                         {CUBLASLT_MATMUL_DESC_BIAS_POINTER, 8},
                         {CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, 4},
                         {CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, 8},
                         {CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, 8}}};
  MatmulHandle product{};  // once it ran
};
struct Shape {
  cudaDataType_t type;
  std::uint64_t rows;
  std::uint64_t columns;
  std::int64_t ld;
  bool operator==(const Shape&) const = default;
};
struct Preference {
  Attributes attributes{{{CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, 8},
                         {CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, 4},
                         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, 4},
                         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, 4},
                         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, 4},
                         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, 4}}};
};

template <class T, class P>
T& object(P pointer) {
  return *reinterpret_cast<T*>(pointer);
}

// What an algorithm was found for, and what it may rely on.
struct Search {
  const void* operation;
  Shape a;
  Shape b;
  Shape d;
  Attributes preference;
  std::size_t workspace;
};

void require(bool holds, const char* message) {
  if (!holds) throw std::logic_error(message);
}

ElementType element(cudaDataType_t type) {
  require(type == CUDA_R_32F || type == CUDA_R_16BF, "a type of element");
  return type == CUDA_R_32F ? ElementType::kFloat32 : ElementType::kBFloat16;
}

Epilogue epilogue(cublasLtEpilogue_t of) {
  switch (of) {
    case CUBLASLT_EPILOGUE_DEFAULT:
      return Epilogue::kNone;
    case CUBLASLT_EPILOGUE_BIAS:
      return Epilogue::kBias;
    case CUBLASLT_EPILOGUE_RELU_BIAS:
      return Epilogue::kBiasRelu;
    case CUBLASLT_EPILOGUE_RELU_AUX_BIAS:
      return Epilogue::kBiasReluMask;
    case CUBLASLT_EPILOGUE_DRELU:
      return Epilogue::kReluGradient;
    case CUBLASLT_EPILOGUE_DRELU_BGRAD:
      return Epilogue::kReluGradientBiasGradient;
    case CUBLASLT_EPILOGUE_BGRADB:
      return Epilogue::kBiasGradientOfB;
    default:
      throw std::logic_error("an epilogue");
  }
}

// The rows of the documentation's table of types that the engine is in, and its rules for sizes.
Matmul product_of(const Operation& operation, const Shape& a, const Shape& b, const Shape& d) {
  const Attributes& attributes = operation.attributes;
  Matmul product;
  product.transpose_a = attributes.get(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_N) == CUBLAS_OP_T;
  product.transpose_b = attributes.get(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N) == CUBLAS_OP_T;
  product.m = static_cast<std::int64_t>(d.rows);
  product.n = static_cast<std::int64_t>(d.columns);
  product.k = static_cast<std::int64_t>(product.transpose_a ? a.rows : a.columns);
  require((product.transpose_a ? a.columns : a.rows) == d.rows, "rows of A");
  require((product.transpose_b ? b.rows : b.columns) == d.columns, "columns of B");
  require((product.transpose_b ? b.columns : b.rows) == static_cast<std::uint64_t>(product.k),
          "A and B do not go together");
  for (const Shape& shape : {a, b, d}) {
    require(shape.ld >= static_cast<std::int64_t>(shape.rows), "a leading dimension");
  }
  product.lda = a.ld;
  product.ldb = b.ld;
  product.ldd = d.ld;

  require(operation.scale == CUDA_R_32F && a.type == b.type, "types");
  product.input = element(a.type);
  product.output = element(d.type);
  product.tf32 = operation.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
  require(product.tf32 || operation.compute == CUBLAS_COMPUTE_32F, "a type to compute in");
  if (product.tf32) require(a.type == CUDA_R_32F, "TF32 of what is no float32");
  if (a.type == CUDA_R_32F) require(d.type == CUDA_R_32F, "float32 to bfloat16");

  product.epilogue =
      epilogue(attributes.get(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT));
  product.bias = attributes.get<void*>(CUBLASLT_MATMUL_DESC_BIAS_POINTER, nullptr);
  require(attributes.get(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, d.type) == d.type, "type of a bias");
  product.mask = attributes.get<void*>(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, nullptr);
  product.mask_ld = attributes.get<std::int64_t>(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, 0);
  return product;
}

void check_alignment(const void* memory, std::uint32_t least) {
  require(least != 0 && (least & (least - 1)) == 0, "an alignment that is no power of two");
  require(reinterpret_cast<std::uintptr_t>(memory) % least == 0, "less aligned than was said");
}

std::vector<Search>& searches() {
  static std::vector<Search> all;
  return all;
}

// Runs f, whose logic_errors are violations.
template <class F>
cublasStatus_t call(const char* name, const F& f) {
  HostCuda& host = HostCuda::get();
  ++host.calls[name];
  try {
    return f(host);
  } catch (const std::logic_error& error) {
    host.violation(std::string(name) + ": " + error.what());
    return CUBLAS_STATUS_INVALID_VALUE;
  } catch (const std::exception&) {
    return CUBLAS_STATUS_EXECUTION_FAILED;
  }
}

template <class T, class P>
cublasStatus_t create(P* made, T value) {
  *made = reinterpret_cast<P>(std::make_unique<T>(std::move(value)).release());
  ++HostCuda::get().device->live;
  return CUBLAS_STATUS_SUCCESS;
}
template <class T, class P>
cublasStatus_t destroy(P pointer) {
  const std::unique_ptr<T> owner(&object<T>(pointer));
  --HostCuda::get().device->live;
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace
}  // namespace millrace::cuda::test

using namespace millrace::cuda::test;  // NOLINT(google-build-using-namespace)
using millrace::cuda::Matmul;
using millrace::cuda::StreamHandle;

extern "C" {

const char* cublasLtGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_NOT_SUPPORTED ? "not supported" : "some status";
}
cublasStatus_t cublasLtCreate(cublasLtHandle_t* made) { return create(made, 0); }
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) { return destroy<int>(handle); }

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* made, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  return create(made, Operation{compute, scale});
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, size_t bytes) {
  return object<Operation>(operation).attributes.set(attribute, value, bytes);
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t operation) {
  const auto product = object<Operation>(operation).product;
  if (product) HostCuda::get().runtime.destroy(product);
  return destroy<Operation>(operation);
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* made, cudaDataType type,
                                          uint64_t rows, uint64_t columns, int64_t ld) {
  return create(made, Shape{type, rows, columns, ld});
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  return destroy<Shape>(layout);
}
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* made) {
  return create(made, Preference{});
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void* value, size_t bytes) {
  return object<Preference>(preference).attributes.set(attribute, value, bytes);
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  return destroy<Preference>(preference);
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t /*handle*/,
                                              cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t found[], int* count) {
  return call("cublasLtMatmulAlgoGetHeuristic", [&](HostCuda& host) {
    require(!host.capturing, "while capturing");
    require(object<Shape>(c) == object<Shape>(d) && wanted == 1, "of C, or how many");
    const Attributes& wishes = object<Preference>(preference).attributes;
    const Matmul product = product_of(object<Operation>(operation), object<Shape>(a),
                                      object<Shape>(b), object<Shape>(d));
    // Parts of a sum are not rounded to bfloat16 before they are added up.
    const auto reductions = wishes.get<std::uint32_t>(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                                                      CUBLASLT_REDUCTION_SCHEME_MASK);
    require(product.output == millrace::cuda::ElementType::kFloat32 ||
                reductions == CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE,
            "reductions");
    const auto most = wishes.get<std::uint64_t>(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, 0);
    *count = 0;
    found[0] = {};
    found[0].algo.data[0] = searches().size();
    found[0].workspaceSize = most;  // takes all that it may
    searches().push_back({operation, object<Shape>(a), object<Shape>(b), object<Shape>(d), wishes,
                          found[0].workspaceSize});
    if (host.device->refused.contains(product.epilogue)) {
      if (host.refusal == HostCuda::Refusal::kSearch) return CUBLAS_STATUS_NOT_SUPPORTED;
      if (host.refusal == HostCuda::Refusal::kNothingFound) return CUBLAS_STATUS_SUCCESS;
      if (host.refusal == HostCuda::Refusal::kState) found[0].state = CUBLAS_STATUS_NOT_SUPPORTED;
    }
    *count = 1;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t /*handle*/, cublasLtMatmulDesc_t operation,
                              const void* alpha, const void* a, cublasLtMatrixLayout_t a_layout,
                              const void* b, cublasLtMatrixLayout_t b_layout, const void* beta,
                              const void* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              size_t workspace_bytes, cudaStream_t stream) {
  return call("cublasLtMatmul", [&](HostCuda& host) {
    require(stream != nullptr, "on the legacy default stream");
    require(host.current_gpu == host.expected_gpu, "on another GPU");
    require(*static_cast<const float*>(alpha) == 1.0F && *static_cast<const float*>(beta) == 0.0F,
            "factors");
    require(c == d && c_layout == d_layout, "another C than D");
    const Search& search = searches().at(algorithm->data[0]);
    require(search.operation == operation && search.a == object<Shape>(a_layout) &&
                search.b == object<Shape>(b_layout) && search.d == object<Shape>(d_layout),
            "an algorithm that was found for another product");
    require(workspace_bytes >= search.workspace, "too small a workspace");
    check_alignment(workspace, 256);
    require(host.workspaces.try_emplace(workspace, stream).first->second == stream,
            "one workspace on two streams");
    const auto least = [&](cublasLtMatmulPreferenceAttributes_t of) {
      return search.preference.get<std::uint32_t>(of, 256);
    };
    check_alignment(a, least(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES));
    check_alignment(b, least(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES));
    check_alignment(c, least(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES));
    check_alignment(d, least(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES));
    auto& of = object<Operation>(operation);
    const StreamHandle on{stream};
    if (of.product) {
      host.runtime.run(of.product, on);
      return CUBLAS_STATUS_SUCCESS;
    }
    // The first run is a trial: nobody may want what it leaves.
    Matmul product =
        product_of(of, object<Shape>(a_layout), object<Shape>(b_layout), object<Shape>(d_layout));
    product.a = a;
    product.b = b;
    product.d = d;
    of.product = host.runtime.plan(product, on);
    return of.product ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
  });
}

}  // extern "C"
// NOLINTEND(bugprone-easily-swappable-parameters, readability-identifier-naming)
