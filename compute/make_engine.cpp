#include <cmath>
#include <stdexcept>

#include "compute/cpu/cpu_engine.h"
#include "compute/cuda_engine.h"
#include "compute/engine.h"

namespace millrace {
namespace {

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument(message);
}

void check(const MlpSpec& model, const TrainSpec& train) {
  require(model.features > 0, "model: expected at least one feature, found 0");
  require(model.classes > 0, "model: expected at least one class, found 0");
  for (const auto width : model.hidden) {
    require(width > 0, "model: expected hidden layers of at least one unit, found 0");
  }
  require(std::isfinite(model.input_scale), "model: expected a finite input scale");
  require(train.batch > 0, "batch: expected at least 1, found 0");
  const auto rate = [](float value, const char* name) {
    require(std::isfinite(value) && value >= 0.0F,
            std::string(name) + ": expected a finite number of at least 0, found " +
                std::to_string(value));
  };
  rate(train.sgd.learning_rate, "learning rate");
  rate(train.sgd.momentum, "momentum");
  rate(train.sgd.weight_decay, "weight decay");
}

}  // namespace

std::unique_ptr<Engine> make_engine(const MlpSpec& model, const TrainSpec& train,
                                    const Device& device) {
  check(model, train);
  switch (device.kind) {
    case Device::Kind::kCuda:
      return make_cuda_engine(model, train, device);
    case Device::Kind::kCpu:
      return make_cpu_engine(model, train, device);
    case Device::Kind::kAuto:
      break;
  }
  const std::string obstacle = cuda_obstacle();
  if (obstacle.empty()) return make_cuda_engine(model, train, device);
  // Whoever built without CUDA knows it.
  return make_cpu_engine(model, train, device,
                         cuda_built() ? obstacle + ": training on the CPU" : std::string());
}

}  // namespace millrace
