#include "compute/cuda/small_plan.h"

#include <utility>

namespace millrace::cuda {
namespace {

// TF32 is what products may do, not what they have to: by them a step took three times as long.
bool plain(const Network& network) {
  const MlpSpec& model = network.model;
  return network.arithmetic.one_kernel && network.arithmetic.storage == ElementType::kFloat32 &&
         network.layers() == 2 && model.activation == Activation::kRelu && model.dropout == 0.0F &&
         !model.batch_norm && !network.clips() && !network.accumulates() &&
         network.train.class_weights.empty() && !model.has_targets();
}

}  // namespace

std::optional<SmallPlan> SmallPlan::make(Runtime& runtime, const Network& network) {
  if (!plain(network)) return std::nullopt;
  SmallPlan plan(network);
  Piece largest;
  largest.training = true;
  largest.batch = largest.rows = network.train.batch;
  const SmallTraining kernel = plan.training(largest, {});
  if (!kernel.fits() || !runtime.prepare(kernel)) return std::nullopt;
  plan.parts_ = device_buffer(runtime, kernel.parts_size() * sizeof(float), "the parts of sums");
  return plan;
}

SmallTraining SmallPlan::training(const Piece& piece, const Batch& batch) const {
  const Network& network = *network_;
  const ParameterLayout& layout = network.layout;
  SmallTraining kernel;
  kernel.samples = network.gather(batch.samples, batch.indices, piece.rows, true);
  kernel.labels = batch.labels;
  kernel.rows = piece.rows;
  kernel.batch = piece.batch;
  kernel.hidden = layout.padded(1);
  kernel.outputs = layout.padded(2);
  kernel.classes = layout.width(2);
  for (const std::size_t l : {0U, 1U}) {
    kernel.weight[l] = layout.weight(l);
    kernel.bias[l] = layout.bias(l);
  }
  kernel.optimizer = network.update(batch.step);
  kernel.parts = parts_.as<float>();
  kernel.y = network.y[0].as<float>();
  kernel.dy = network.dy[0].as<float>();
  kernel.dz = network.dy[1].as<float>();
  kernel.losses = network.losses.as<float>();
  kernel.correct = network.correct.as<std::uint8_t>();
  kernel.smoothing = network.train.label_smoothing;
  return kernel;
}

}  // namespace millrace::cuda
