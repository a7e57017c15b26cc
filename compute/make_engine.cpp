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

void check_targets(const MlpSpec& model, const TrainSpec& train) {
  if (!model.has_targets()) {
    require(model.target_scales.empty(), "scales of targets: expected none with cross-entropy");
    return;
  }
  const std::string of = std::string(" with the loss ") + name_of(model.loss);
  require(train.label_smoothing == 0.0F, "label smoothing: expected none" + of);
  require(train.class_weights.empty(), "class weights: expected none" + of);
  require(!model.multilabel() || model.target_scales.empty(),
          "scales of targets: expected none" + of);
  require(model.target_scales.empty() || model.target_scales.size() == model.classes,
          "scales of targets: expected " + std::to_string(model.classes) + ", found " +
              std::to_string(model.target_scales.size()));
  for (const TargetScale& scale : model.target_scales) {
    require(std::isfinite(scale.mean),
            "mean of a target: expected a finite number, found " + std::to_string(scale.mean));
    require(std::isfinite(scale.deviation) && scale.deviation > 0.0F,
            "deviation of a target: expected a finite number above 0, found " +
                std::to_string(scale.deviation));
  }
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
  rate(train.optimizer.learning_rate, "learning rate");
  rate(train.optimizer.momentum, "momentum");
  rate(train.optimizer.weight_decay, "weight decay");
  const auto fraction = [](float value, const char* name) {
    require(value >= 0.0F && value < 1.0F, std::string(name) +
                                               ": expected a number from 0 to below 1, found " +
                                               std::to_string(value));
  };
  fraction(train.optimizer.beta1, "beta1");
  fraction(train.optimizer.beta2, "beta2");
  rate(train.optimizer.clip_norm, "norm to clip gradients to");
  fraction(train.optimizer.ema, "decay of the average");
  fraction(model.dropout, "dropout");
  fraction(train.label_smoothing, "label smoothing");
  require(train.class_weights.empty() || train.class_weights.size() == model.classes,
          "class weights: expected " + std::to_string(model.classes) + ", found " +
              std::to_string(train.class_weights.size()));
  for (const float weight : train.class_weights) rate(weight, "class weight");
  check_targets(model, train);
  require(std::isfinite(train.optimizer.epsilon) && train.optimizer.epsilon > 0.0F,
          "epsilon: expected a finite number above 0, found " +
              std::to_string(train.optimizer.epsilon));
  require(train.optimizer.kind != OptimizerSpec::Kind::kNesterov || train.optimizer.momentum > 0.0F,
          "nesterov: expected momentum above 0, found 0");
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
