#include "compute/cuda/status.h"

#include <string>
#include <string_view>

#include "compute/engine.h"

namespace millrace::cuda {
namespace {

[[noreturn]] void fail(const std::string& reason, std::string_view expression,
                       std::string_view file, int line, const StageName& stage) {
  const auto slash = file.rfind('/');
  if (slash != std::string_view::npos) file.remove_prefix(slash + 1);
  std::string message = "cuda: " + reason + " (last stage: " + stage.value + "; ";
  message += expression;
  message += " at ";
  message += file;
  throw DeviceError(message + ":" + std::to_string(line) + ")");
}

}  // namespace

void check(cudaError_t status, const char* expression, const char* file, int line,
           const StageName& stage) {
  if (status == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // forgotten, unless it is for good
  fail(cudaGetErrorString(status), expression, file, line, stage);
}

void check(cublasStatus_t status, const char* expression, const char* file, int line,
           const StageName& stage) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  fail(cublasLtGetStatusString(status), expression, file, line, stage);
}

}  // namespace millrace::cuda
