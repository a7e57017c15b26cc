#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compute/cuda/small_training.h"
#include "tests/compute/cuda/arrays.h"

namespace millrace::cuda::test {

/// SmallTraining of a network of these padded widths with 10 classes and momentum, for three steps
/// of `batch` samples and one of half as many.
inline SmallTraining small_problem(std::uint32_t features, std::uint32_t hidden,
                                   std::uint32_t outputs, std::uint32_t batch, Arrays& arrays) {
  const std::uint32_t rows = 3 * batch + batch / 2;
  std::uint32_t state = 7;
  const auto draw = [&state] { return (state = state * 1664525U + 1013904223U) >> 8U; };
  std::vector<std::uint8_t> samples(std::size_t{rows} * features);
  for (std::uint8_t& sample : samples) sample = static_cast<std::uint8_t>(draw());
  std::vector<std::int32_t> labels(rows);
  for (std::int32_t& label : labels) label = static_cast<std::int32_t>(draw() % 10);
  SmallTraining kernel;
  kernel.bias[0] = std::size_t{features} * hidden;
  kernel.weight[1] = kernel.bias[0] + hidden;
  kernel.bias[1] = kernel.weight[1] + std::size_t{hidden} * outputs;
  std::vector<float> parameters(kernel.bias[1] + outputs);
  for (float& value : parameters) value = static_cast<float>(draw() % 1000) / 5000.0F - 0.1F;
  kernel.samples = {arrays.input(samples), true, nullptr, rows, rows, features, features,
                    1.0F / 255.0F,         {}};
  kernel.labels = arrays.input(labels);
  kernel.rows = rows;
  kernel.batch = batch;
  kernel.hidden = hidden;
  kernel.outputs = outputs;
  kernel.classes = 10;
  const auto zeros = [&arrays](std::size_t size) {
    return arrays.output(std::vector<float>(size));
  };
  kernel.optimizer.weights = arrays.output(parameters);
  kernel.optimizer.first = zeros(parameters.size());
  kernel.optimizer.trained = kernel.optimizer.end = parameters.size();
  std::vector<StepConstants> steps(kernel.steps());
  for (StepConstants& step : steps) {
    step.optimizer.learning_rate = 0.1F;
    step.optimizer.momentum = 0.9F;
  }
  kernel.optimizer.step = arrays.input(steps);
  kernel.parts = zeros(kernel.parts_size());
  kernel.y = zeros(std::size_t{batch} * hidden);
  kernel.dy = zeros(std::size_t{batch} * hidden);
  kernel.dz = zeros(std::size_t{batch} * outputs);
  kernel.losses = zeros(rows);
  kernel.correct = arrays.output(std::vector<std::uint8_t>(rows));
  return kernel;
}

}  // namespace millrace::cuda::test
