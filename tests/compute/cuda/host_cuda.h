#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/compute/cuda/fake_runtime.h"

namespace millrace::cuda::test {

/// The calls of the CUDA runtime and of cuBLASLt that compute/cuda makes, defined over a
/// FakeRuntime: a program that has this file and host_cublaslt.cpp runs cuda_runtime.cpp and
/// lt_product.cpp without a GPU, and never calls NVIDIA's libraries. What the headers and the
/// documentation forbid, and the calls made here need not do, is a violation.
class HostCuda {
 public:
  /// How cuBLASLt says that it lacks an epilogue.
  enum class Refusal : std::uint8_t { kRun, kSearch, kNothingFound, kState };

  HostCuda();
  ~HostCuda();
  HostCuda(const HostCuda&) = delete;
  HostCuda& operator=(const HostCuda&) = delete;

  // What a test chooses.
  std::shared_ptr<FakeDevice> device = std::make_shared<FakeDevice>();
  int gpus = 1;
  int expected_gpu = 0;  ///< whose calls these are to be
  int driver = 13000;    ///< the CUDA version that it knows; 0: there is none
  bool kernels = true;   ///< of this build, for this GPU
  Refusal refusal = Refusal::kRun;

  // What it may look at. Those of `device` belong to it too.
  std::vector<std::string> violations;
  std::map<std::string, int> calls;

  /// The one there is; there is one at a time.
  static HostCuda& get();

  // For the calls themselves.
  FakeRuntime runtime{device};
  int current_gpu = 0;
  bool capturing = false;
  std::map<const void*, const void*> workspaces;  // of products, and the stream of each
  int last_error = 0;

  void violation(const std::string& what) { violations.push_back(what); }
};

}  // namespace millrace::cuda::test
