#include "compute/cuda/step_plan.h"

#include <cmath>
#include <string>
#include <utility>

#include "compute/cuda/products.h"

namespace millrace::cuda {

StepPlan::StepPlan(Runtime& runtime, const Network& network, SideStream& side, bool training)
    : runtime_(runtime),
      network_(network),
      side_(side),
      stream_(side.main()),
      rows_(network.rows(training)),
      training_(training),
      layers_(network.layers()) {
  side_.fork();
  if (training_) plan_backward();
  for (std::size_t l = 0; l < layers_.size(); ++l) plan_forward(l);
  side_.join();
}

void StepPlan::enqueue(const Batch& batch, const Part& part) {
  const Gather gather = network_.gather(batch.samples, batch.indices, part.rows, training_);
  if (training_) {
    if (!side_.forked()) side_.fork();  // else since the step before has read its samples
    runtime_.launch(gather, side_.get());
    side_.join();
  } else {
    runtime_.launch(gather, stream_);
  }
  enqueue_forward(batch, part);
  enqueue_loss(batch, part);
  if (training_) enqueue_backward(batch, part);
}

MatmulPlan StepPlan::plan(const Matmul& matmul, StreamHandle stream) const {
  MatmulPlan made(runtime_, runtime_.plan(matmul, stream));
  if (!made && matmul.epilogue == Epilogue::kNone) {
    throw DeviceError("cuBLASLt has no algorithm for a product of " + std::to_string(matmul.m) +
                      " x " + std::to_string(matmul.k) + " and " + std::to_string(matmul.k) +
                      " x " + std::to_string(matmul.n));
  }
  return made;
}

MatmulPlan StepPlan::forward(std::size_t l, Epilogue epilogue) const {
  return plan(forward_product(network_, l, training_, epilogue), stream_);
}

MatmulPlan StepPlan::weight_gradient(std::size_t l, Epilogue epilogue) const {
  return plan(weight_gradient_product(network_, l, epilogue), stream_of(l));
}

MatmulPlan StepPlan::data_gradient(std::size_t l, Epilogue epilogue) const {
  return plan(data_gradient_product(network_, l, epilogue), stream_);
}

// After plan_backward(), which plans the forward products that leave masks.
void StepPlan::plan_forward(std::size_t l) {
  Layer& layer = layers_[l];
  if (layer.forward) return;
  if (network_.layout.normed(l)) {
    layer.forward = forward(l, Epilogue::kNone);
    layer.forward_fused = true;  // there is no bias
    return;
  }
  const bool top = l + 1 == layers_.size();
  layer.forward = forward(l, top || !relu() ? Epilogue::kBias : Epilogue::kBiasRelu);
  layer.forward_fused = static_cast<bool>(layer.forward);
  if (layer.forward_fused) return;
  layer.forward = forward(l, Epilogue::kNone);
  ++unfused_;
}

void StepPlan::plan_backward() {
  const bool fuses = network_.arithmetic.fused_backward;
  auto bias = BiasGradient::kColumns;  // of the layer: what the one above leaves to do
  for (std::size_t l = layers_.size(); l-- > 0;) {
    Layer& layer = layers_[l];
    if (bias == BiasGradient::kColumns && fuses) {
      layer.weight_gradient = weight_gradient(l, Epilogue::kBiasGradientOfB);
      if (layer.weight_gradient) {
        bias = BiasGradient::kDone;
      } else {
        ++unfused_;
      }
    }
    if (!layer.weight_gradient) layer.weight_gradient = weight_gradient(l, Epilogue::kNone);
    layer.bias = bias;
    if (l > 0) bias = plan_data_gradient(l);
  }
}

// Returns what is left of the bias gradient of the layer below.
StepPlan::BiasGradient StepPlan::plan_data_gradient(std::size_t l) {
  Layer& layer = layers_[l];
  Layer& below = layers_[l - 1];
  const bool normed = network_.layout.normed(l - 1);
  // Of dropout and norms: what the layer below passes on is decided after its product.
  const bool fuses = network_.arithmetic.fused_backward && !drops() && relu() && !normed;
  // A mask is of use only if one product writes it and the other reads it.
  MatmulPlan masked;
  if (fuses) masked = forward(l - 1, Epilogue::kBiasReluMask);
  if (masked) {
    auto bias = BiasGradient::kColumns;
    // The epilogue sums in the type it stores: too coarse for a gradient in bfloat16.
    if (network_.arithmetic.storage == ElementType::kFloat32) {
      layer.data_gradient = data_gradient(l, Epilogue::kReluGradientBiasGradient);
      if (layer.data_gradient) bias = BiasGradient::kDone;
    }
    if (!layer.data_gradient) layer.data_gradient = data_gradient(l, Epilogue::kReluGradient);
    layer.data_gradient_fused = static_cast<bool>(layer.data_gradient);
    if (layer.data_gradient_fused) {
      below.forward = std::move(masked);
      below.forward_fused = true;
      return bias;
    }
  }
  if (fuses) ++unfused_;
  layer.data_gradient = data_gradient(l, Epilogue::kNone);
  return normed ? BiasGradient::kDone : BiasGradient::kParts;
}

Keeping StepPlan::keeping(std::size_t l, const Batch& batch, const Part& part) const {
  Keeping keeping;
  if (!drops()) return keeping;
  keeping.step = batch.step;
  keeping.seed = network_.train.seed;
  keeping.layer = static_cast<std::uint32_t>(l);
  keeping.first = part.first;
  keeping.threshold = static_cast<std::uint32_t>(std::lround(network_.model.dropout * 65536.0F));
  keeping.factor = 1.0F / (1.0F - network_.model.dropout);
  return keeping;
}

// Of training by the batch, else by the running statistics.
Normalise StepPlan::norm(std::size_t l) const {
  const ParameterLayout& layout = network_.layout;
  const auto* values = network_.values(training_).as<const float>();
  Normalise norm;
  norm.factor = values + layout.factor(l);
  norm.shift = values + layout.bias(l);
  if (training_) {
    norm.mean = network_.batch_mean(l);
    norm.inverse = network_.batch_inverse(l);
  } else {
    norm.mean = values + layout.mean(l);
    norm.variance = values + layout.variance(l);
  }
  return norm;
}

NormStatistics StepPlan::statistics(std::size_t l, const Part& part) const {
  auto* masters = network_.masters.as<float>();
  return {network_.activations(network_.z[l]),
          part.rows,
          network_.layout.padded(l + 1),
          network_.batch_mean(l),
          network_.batch_inverse(l),
          masters + network_.layout.mean(l),
          masters + network_.layout.variance(l)};
}

// What a hidden layer's forward product leaves to do.
void StepPlan::enqueue_activation(std::size_t l, const Batch& batch, const Part& part) {
  const Elements y = network_.activations(network_.y[l]);
  const bool normed = network_.layout.normed(l);
  if (relu() && !normed) {
    if (drops()) {
      runtime_.launch(Dropout{y, keeping(l, batch, part), rows_, network_.layout.padded(l + 1)},
                      stream_);
    }
    return;
  }
  Activate activate;
  activate.sums = y;
  if (normed) {
    activate.norm = norm(l);
    if (training_) {
      activate.sums = network_.activations(network_.z[l]);
      runtime_.launch(statistics(l, part), stream_);
    }
  }
  activate.y = y;
  if (training_ && !relu()) activate.slopes = network_.activations(network_.slopes[l]);
  activate.rows = rows_;
  activate.width = network_.layout.width(l + 1);
  activate.padded = network_.layout.padded(l + 1);
  activate.kind = network_.model.activation;
  activate.keeping = keeping(l, batch, part);
  runtime_.launch(activate, stream_);
}

// From the gradient of a hidden layer's outputs, as the product left it, to that of its sums.
void StepPlan::enqueue_activation_gradient(std::size_t l, const Part& part) {
  const Elements dy = network_.activations(network_.dy[l]);
  const Elements y = network_.activations(network_.y[l]);
  const std::uint32_t width = network_.layout.padded(l + 1);
  const float factor = 1.0F / (1.0F - network_.model.dropout);
  const Elements slopes = relu() ? Elements{} : network_.activations(network_.slopes[l]);
  const OutputGradient gradient{dy, y, slopes, factor};
  auto* gradients = network_.gradient.as<float>();
  if (network_.layout.normed(l)) {
    const Elements z = network_.activations(network_.z[l]);
    float* of_factor = gradients + network_.layout.factor(l);
    float* of_shift = gradients + network_.layout.bias(l);
    runtime_.launch(NormGradientSums{gradient, z, network_.batch_mean(l), network_.batch_inverse(l),
                                     of_factor, of_shift, part.rows, width},
                    stream_);
    runtime_.launch(NormGradient{gradient, z, norm(l), of_factor, of_shift, part.rows, width},
                    stream_);
  } else {
    runtime_.launch(ActivationGradient{gradient, network_.parts[l].as<float>(), rows_, width},
                    stream_);
  }
}

void StepPlan::enqueue_forward(const Batch& batch, const Part& part) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const bool top = l + 1 == layers_.size();
    runtime_.run(layers_[l].forward.get(), stream_);
    if (!layers_[l].forward_fused) {
      const Elements y = top ? Elements{network_.logits.data(), ElementType::kFloat32}
                             : network_.activations(network_.y[l]);
      const Elements bias{network_.values(training_).as<float>() + network_.layout.bias(l),
                          ElementType::kFloat32};
      runtime_.launch(BiasRelu{y, bias, rows_, network_.layout.padded(l + 1), !top && relu()},
                      stream_);
    }
    if (!top) enqueue_activation(l, batch, part);
  }
}

void StepPlan::enqueue_loss(const Batch& batch, const Part& part) {
  const ParameterLayout& layout = network_.layout;
  const std::uint32_t outputs = layout.width(layers_.size());
  const std::uint32_t stride = layout.padded(layers_.size());
  const Elements gradient = training_ ? network_.activations(network_.dy.back()) : Elements{};
  float* losses = network_.losses.as<float>() + part.row;
  if (network_.model.has_targets()) {
    runtime_.launch(TargetLoss{network_.logits.as<float>(), batch.labels, batch.indices, part.rows,
                               rows_, outputs, stride, gradient, losses,
                               network_.squared_errors.as<float>() + part.row, part.step_rows,
                               network_.model.loss, network_.target_scales.as<const TargetScale>()},
                    stream_);
    return;
  }
  runtime_.launch(
      SoftmaxLoss{network_.logits.as<float>(), batch.labels, batch.indices, part.rows, rows_,
                  outputs, stride, gradient, losses, network_.correct.as<std::uint8_t>() + part.row,
                  training_ ? network_.train.label_smoothing : 0.0F, part.step_rows,
                  training_ ? network_.class_weights.as<float>() : nullptr},
      stream_);
}

void StepPlan::enqueue_backward(const Batch& batch, const Part& part) {
  const bool by_layer = updates_by_layer();
  const auto update = [&](std::size_t l, StreamHandle stream) {
    runtime_.launch(network_.update(batch.step, l), stream);
  };
  for (std::size_t l = layers_.size() - 1; l > 0; --l) {
    side_.fork();  // the gradient of the layer's sums is there, and the layer above's weights are
                   // free
    enqueue_weight_gradient(l);
    if (by_layer && l + 1 < layers_.size()) update(l + 1, side_.get());
    runtime_.run(layers_[l].data_gradient.get(), stream_);
    if (!layers_[l].data_gradient_fused) enqueue_activation_gradient(l - 1, part);
  }
  if (by_layer && layers_.size() > 1) {
    side_.fork();
    update(1, side_.get());
  }
  enqueue_weight_gradient(0);
  if (!by_layer) side_.join();
  side_.fork();  // the samples have been read
  by_layer ? update(0, stream_) : enqueue_step(batch, part);
}

// Sums first: they take a few of the device's processors, the product all.
void StepPlan::enqueue_weight_gradient(std::size_t l) {
  const StreamHandle stream = stream_of(l);
  const std::uint32_t width = network_.layout.padded(l + 1);
  auto* parts = network_.parts[l].as<float>();
  if (layers_[l].bias == BiasGradient::kColumns) {
    const OutputGradient as_it_is{network_.activations(network_.dy[l]), {}, {}};
    runtime_.launch(ActivationGradient{as_it_is, parts, rows_, width}, stream);
  }
  if (layers_[l].bias != BiasGradient::kDone) {
    auto* sums = network_.gradient.as<float>() + network_.layout.bias(l);
    runtime_.launch(PartSums{parts, sums, width}, stream);
  }
  runtime_.run(layers_[l].weight_gradient.get(), stream);
}

// Of all layers at once, when all gradients are there.
void StepPlan::enqueue_step(const Batch& batch, const Part& part) {
  const std::size_t size = network_.layout.trained();
  // Of a step of one part as well, so that one update serves all.
  if (network_.accumulates()) {
    runtime_.launch(AddGradient{network_.gradient.as<const float>(), network_.total.as<float>(),
                                size, part.first != 0},
                    stream_);
  }
  if (part.first + part.rows < part.step_rows) return;
  if (network_.clips()) {
    auto* squares = network_.squares.as<double>();
    runtime_.launch(SquareSums{network_.step_gradient().as<const float>(), size, squares}, stream_);
    runtime_.launch(
        ClipFactor{squares, network_.train.optimizer.clip_norm, network_.clip.as<float>()},
        stream_);
  }
  runtime_.launch(network_.update(batch.step), stream_);
}

}  // namespace millrace::cuda
