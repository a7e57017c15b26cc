// SmallTraining with all of a device's threads: under ThreadSanitizer a meeting that is missing
// shows as a race, whatever order the threads happen to take.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include "compute/cuda/small_training.h"
#include "tests/compute/cuda/emulated_device.h"

namespace millrace::cuda {
namespace {

// A network, its samples and all the memory that the kernel works on.
class Problem {
 public:
  Problem(std::uint32_t features, std::uint32_t hidden, std::uint32_t batch) {
    constexpr std::uint32_t kOutputs = 16;
    const std::uint32_t rows = 3 * batch + batch / 2;
    std::uint32_t state = 7;
    const auto draw = [&state] { return (state = state * 1664525U + 1013904223U) >> 8U; };
    for (std::size_t i = 0; i < std::size_t{rows} * features; ++i) {
      samples_.push_back(static_cast<std::uint8_t>(draw()));
    }
    for (std::uint32_t i = 0; i < rows; ++i) labels_.push_back(static_cast<int>(draw() % 10));
    kernel.bias[0] = std::size_t{features} * hidden;
    kernel.weight[1] = kernel.bias[0] + hidden;
    kernel.bias[1] = kernel.weight[1] + std::size_t{hidden} * kOutputs;
    const std::size_t parameters = kernel.bias[1] + kOutputs;
    kernel.samples = {samples_.data(), true,     nullptr,       rows, rows,
                      features,        features, 1.0F / 255.0F, {}};
    kernel.labels = labels_.data();
    kernel.rows = rows;
    kernel.batch = batch;
    kernel.hidden = hidden;
    kernel.outputs = kOutputs;
    kernel.classes = 10;
    kernel.optimizer.weights = take(parameters);
    for (std::size_t i = 0; i < parameters; ++i) {
      kernel.optimizer.weights[i] = static_cast<float>(draw() % 1000) / 5000.0F - 0.1F;
    }
    kernel.optimizer.first = take(parameters);
    kernel.optimizer.trained = kernel.optimizer.end = parameters;
    steps_.resize(kernel.steps());
    for (StepConstants& step : steps_) {
      step.optimizer.learning_rate = 0.1F;
      step.optimizer.momentum = 0.9F;
    }
    kernel.optimizer.step = steps_.data();
    kernel.parts = take(kernel.parts_size());
    kernel.y = take(std::size_t{batch} * hidden);
    kernel.dy = take(std::size_t{batch} * hidden);
    kernel.dz = take(std::size_t{batch} * kOutputs);
    kernel.losses = take(rows);
    correct_.resize(rows);
    kernel.correct = correct_.data();
  }

  const std::vector<std::vector<float>>& memory() const { return memory_; }

  SmallTraining kernel;

 private:
  float* take(std::size_t floats) {
    memory_.emplace_back(floats);
    return memory_.back().data();
  }

  std::vector<std::uint8_t> samples_;
  std::vector<std::int32_t> labels_;
  std::vector<StepConstants> steps_;
  std::vector<std::uint8_t> correct_;
  std::vector<std::vector<float>> memory_;
};

TEST(SmallTrainingKernel, ThreadsMeetWhereTheyMust) {
  for (const auto& [features, hidden, batch] :
       {std::tuple{32U, 32U, 12U}, std::tuple{48U, 16U, 7U},
        std::tuple{16U, 16U, 40U}}) {  // several rows for each warp
    Problem expected(features, hidden, batch);
    test::emulate(expected.kernel);
    EXPECT_NE(expected.kernel.losses[0], 0.0F);
    for (int repeat = 0; repeat < 3; ++repeat) {  // each in an order of its own
      Problem found(features, hidden, batch);
      test::emulate(found.kernel);
      EXPECT_TRUE(found.memory() == expected.memory()) << features << " features";
    }
  }
}

}  // namespace
}  // namespace millrace::cuda
