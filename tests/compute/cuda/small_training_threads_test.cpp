// SmallTraining with a real thread for each of a device's: under ThreadSanitizer a meeting that is
// missing shows as a race, whatever order the threads happen to take.

#include <gtest/gtest.h>

#include <barrier>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "compute/cuda/small_training.h"
#include "tests/compute/cuda/fake_runtime.h"

namespace millrace::cuda {
namespace {

constexpr std::uint32_t kThreads = SmallTraining::kThreads;

// One of a block's threads. The first of a warp is all of it.
struct Thread {
  std::uint32_t number;
  std::barrier<>* meeting;

  template <class F>
  void each(std::uint32_t count, const F& f) const {
    for (std::uint32_t i = number; i < count; i += kThreads) f(i);
  }
  template <class F>
  void each_group(std::uint32_t count, const F& f) const {
    constexpr std::uint32_t kWarp = kThreads / SmallTraining::kGroups;
    if (number % kWarp != 0) return;
    for (std::uint32_t i = number / kWarp; i < count; i += SmallTraining::kGroups) {
      f(OneThread{}, i);
    }
  }
  void sync() const { meeting->arrive_and_wait(); }
};

// As launch.cu has it.
void run_on_threads(const SmallTraining& kernel) {
  const std::uint32_t blocks = kernel.blocks();
  std::barrier<> all(blocks * kThreads);
  std::vector<std::unique_ptr<std::barrier<>>> meetings;
  std::vector<std::vector<float>> memory(blocks, std::vector<float>(kernel.memory()));
  std::vector<std::thread> threads;
  for (std::uint32_t b = 0; b < blocks; ++b) {
    meetings.push_back(std::make_unique<std::barrier<>>(kThreads));
    for (std::uint32_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, b, t, meeting = meetings.back().get(), own = memory[b].data()] {
        const Thread block{t, meeting};
        kernel.stage(block, b, 0, own);
        for (std::uint32_t step = 0; step < kernel.steps(); ++step) {
          kernel.forward(block, b, step, own);
          auto arrived = all.arrive();
          if (step + 1 < kernel.steps()) kernel.stage(block, b, step + 1, own);
          all.wait(std::move(arrived));
          kernel.output(block, b, step, own);
          all.arrive_and_wait();
          kernel.update(block, b, step, own);
        }
      });
    }
  }
  for (std::thread& thread : threads) thread.join();
}

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
    kernel.samples = {samples_.data(), true, nullptr, rows, features, features, 1.0F / 255.0F, {}};
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
    kernel.optimizer.gradient = kernel.gradient = take(parameters);
    kernel.optimizer.first = take(parameters);
    kernel.optimizer.trained = kernel.optimizer.size = parameters;
    steps_.resize(kernel.steps());
    for (StepConstants& step : steps_) {
      step.optimizer.learning_rate = 0.1F;
      step.optimizer.momentum = 0.9F;
    }
    kernel.optimizer.step = steps_.data();
    kernel.parts = take(kernel.parts_size());
    kernel.y = take(std::size_t{batch} * hidden);
    kernel.dy = take(std::size_t{batch} * hidden);
    kernel.logits = take(std::size_t{batch} * kOutputs);
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

TEST(SmallTrainingThreads, MeetWhereTheyMust) {
  for (const auto& [features, hidden, batch] :
       {std::tuple{32U, 32U, 12U}, std::tuple{48U, 16U, 7U}}) {
    Problem expected(features, hidden, batch);
    test::run_on_host(expected.kernel);
    Problem found(features, hidden, batch);
    run_on_threads(found.kernel);
    EXPECT_TRUE(found.memory() == expected.memory()) << features << " features";
    EXPECT_NE(found.kernel.losses[0], 0.0F);
  }
}

}  // namespace
}  // namespace millrace::cuda
