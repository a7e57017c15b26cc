#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>

namespace millrace::cuda {

/// The stage that is being enqueued; for check().
struct StageName {
  const char* value = "starting";
};

/// Throws DeviceError unless the status is that of success. Work that failed on the device after
/// it was enqueued shows in a later call, so the stage may be more telling than the expression.
void check(cudaError_t status, const char* expression, const char* file, int line,
           const StageName& stage);
void check(cublasStatus_t status, const char* expression, const char* file, int line,
           const StageName& stage);

}  // namespace millrace::cuda

/// Where a member stage_ names the stage.
#define MILLRACE_CHECK(expression) \
  ::millrace::cuda::check((expression), #expression, __FILE__, __LINE__, stage_)
