// Linked to tests that look for a GPU: they find one, which is made of host memory.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/compute/cuda/host_cuda.h"

namespace millrace::cuda::test {
namespace {

// Kernels that are held against those of all threads are run by all threads; for networks that
// takes too long.
class ThreadsOfKernels final : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& test) override {
    HostCuda::get().device->threads = test.test_suite_name() == std::string("GpuKernels");
  }
};

class HostGpu final : public testing::Environment {
 public:
  void SetUp() override {
    host_ = std::make_unique<HostCuda>();
    host_->device->schedule = Schedule::kRandom;
    host_->device->clock = true;
    // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): GoogleTest owns it.
    testing::UnitTest::GetInstance()->listeners().Append(new ThreadsOfKernels);
  }
  void TearDown() override {
    EXPECT_EQ(host_->device->live, 0) << "left behind";
    EXPECT_EQ(host_->violations, std::vector<std::string>{});
    EXPECT_EQ(host_->device->violations, std::vector<std::string>{});
    host_.reset();
  }

 private:
  std::unique_ptr<HostCuda> host_;
};

// NOLINTNEXTLINE(cppcoreguidelines-owning-memory): GoogleTest owns it.
const auto* const gpu = testing::AddGlobalTestEnvironment(new HostGpu);

}  // namespace
}  // namespace millrace::cuda::test
