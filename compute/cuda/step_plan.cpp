#include "compute/cuda/step_plan.h"

#include <cmath>
#include <string>
#include <utility>

namespace millrace::cuda {

StepPlan::StepPlan(Runtime& runtime, const Network& network, StreamHandle stream,
                   std::uint32_t rows, bool training)
    : runtime_(runtime),
      network_(network),
      stream_(stream),
      rows_(rows),
      training_(training),
      layers_(network.layers()) {
  if (training_) plan_backward();
  for (std::size_t l = 0; l < layers_.size(); ++l) plan_forward(l);
}

void StepPlan::enqueue(const Batch& batch, std::uint32_t row) {
  const ParameterLayout& layout = network_.layout;
  runtime_.launch(Gather{batch.samples, network_.model.input == InputType::kUInt8, batch.indices,
                         rows_, layout.width(0), layout.padded(0), network_.model.input_scale,
                         network_.activations(network_.x)},
                  stream_);
  enqueue_forward(batch);
  runtime_.launch(
      SoftmaxLoss{network_.logits.as<float>(), batch.labels, batch.indices, rows_,
                  layout.width(layers_.size()), layout.padded(layers_.size()),
                  training_ ? network_.activations(network_.dy.back()) : Elements{},
                  network_.losses.as<float>() + row, network_.correct.as<std::uint8_t>() + row,
                  training_ ? network_.train.label_smoothing : 0.0F},
      stream_);
  if (training_) enqueue_backward(batch);
  warm_ = true;
}

Matmul StepPlan::forward(std::size_t l, Epilogue epilogue) const {
  const bool top = l + 1 == layers_.size();
  Matmul matmul;
  matmul.transpose_a = true;
  matmul.m = network_.layout.padded(l + 1);
  matmul.n = rows_;
  matmul.k = network_.layout.padded(l);
  matmul.lda = matmul.k;
  matmul.ldb = matmul.k;
  matmul.ldd = matmul.m;
  matmul.input = network_.arithmetic.storage;
  matmul.output = top ? ElementType::kFloat32 : network_.arithmetic.storage;
  matmul.tf32 = network_.arithmetic.tf32;
  matmul.epilogue = epilogue;
  matmul.a = network_.parameter(network_.layout.weight(l));
  matmul.b = (l == 0 ? network_.x : network_.y[l - 1]).data();
  matmul.d = (top ? network_.logits : network_.y[l]).data();
  if (epilogue != Epilogue::kNone) {
    // A bias has the type of the output.
    const std::size_t offset = network_.layout.bias(l);
    matmul.bias = top ? static_cast<void*>(network_.masters.as<float>() + offset)
                      : const_cast<std::byte*>(network_.parameter(offset));
  }
  if (epilogue == Epilogue::kBiasReluMask) {
    matmul.mask = network_.mask[l].data();
    matmul.mask_ld = network_.mask_ld(l);
  }
  return matmul;
}

Matmul StepPlan::weight_gradient(std::size_t l, Epilogue epilogue) const {
  Matmul matmul;
  matmul.transpose_b = true;
  matmul.m = network_.layout.padded(l);
  matmul.n = network_.layout.padded(l + 1);
  matmul.k = rows_;
  matmul.lda = matmul.m;
  matmul.ldb = matmul.n;
  matmul.ldd = matmul.m;
  matmul.input = network_.arithmetic.storage;
  matmul.output = ElementType::kFloat32;
  matmul.tf32 = network_.arithmetic.tf32;
  matmul.epilogue = epilogue;
  matmul.a = (l == 0 ? network_.x : network_.y[l - 1]).data();
  matmul.b = network_.dy[l].data();
  matmul.d = network_.gradient.as<float>() + network_.layout.weight(l);
  if (epilogue == Epilogue::kBiasGradientOfB) {
    matmul.bias = network_.gradient.as<float>() + network_.layout.bias(l);
  }
  return matmul;
}

Matmul StepPlan::data_gradient(std::size_t l, Epilogue epilogue) const {
  Matmul matmul;
  matmul.m = network_.layout.padded(l);
  matmul.n = rows_;
  matmul.k = network_.layout.padded(l + 1);
  matmul.lda = matmul.m;
  matmul.ldb = matmul.k;
  matmul.ldd = matmul.m;
  matmul.input = network_.arithmetic.storage;
  matmul.output = network_.arithmetic.storage;
  matmul.tf32 = network_.arithmetic.tf32;
  matmul.epilogue = epilogue;
  matmul.a = network_.parameter(network_.layout.weight(l));
  matmul.b = network_.dy[l].data();
  matmul.d = network_.dy[l - 1].data();
  if (epilogue != Epilogue::kNone) {
    matmul.mask = network_.mask[l - 1].data();
    matmul.mask_ld = network_.mask_ld(l - 1);
  }
  if (epilogue == Epilogue::kReluGradientBiasGradient) {
    matmul.bias = network_.gradient.as<float>() + network_.layout.bias(l - 1);
  }
  return matmul;
}

MatmulPlan StepPlan::plan(const Matmul& matmul) const {
  return {runtime_, runtime_.plan(matmul, stream_)};
}

MatmulPlan StepPlan::plan_plain(const Matmul& matmul) const {
  MatmulPlan plain = plan(matmul);
  if (!plain) {
    throw DeviceError("cuBLASLt has no algorithm for a product of " + std::to_string(matmul.m) +
                      " x " + std::to_string(matmul.k) + " and " + std::to_string(matmul.k) +
                      " x " + std::to_string(matmul.n));
  }
  return plain;
}

// After plan_backward(), which plans the forward products that leave masks.
void StepPlan::plan_forward(std::size_t l) {
  Layer& layer = layers_[l];
  if (layer.forward) return;
  const bool top = l + 1 == layers_.size();
  layer.forward = plan(forward(l, top ? Epilogue::kBias : Epilogue::kBiasRelu));
  layer.forward_fused = static_cast<bool>(layer.forward);
  if (layer.forward_fused) return;
  layer.forward = plan_plain(forward(l, Epilogue::kNone));
  ++unfused_;
}

void StepPlan::plan_backward() {
  bool has_bias_gradient = false;  // by the layer above's product
  for (std::size_t l = layers_.size(); l-- > 0;) {
    Layer& layer = layers_[l];
    if (has_bias_gradient) {
      layer.weight_gradient = plan(weight_gradient(l, Epilogue::kNone));
    } else {
      layer.weight_gradient = plan(weight_gradient(l, Epilogue::kBiasGradientOfB));
      layer.sums_columns = !layer.weight_gradient;
    }
    if (!layer.weight_gradient) {
      layer.weight_gradient = plan_plain(weight_gradient(l, Epilogue::kNone));
      ++unfused_;
    }
    has_bias_gradient = false;
    if (l == 0) continue;
    if (drops()) {
      // What the layer below passes on is decided after its product, so is the gradient's way.
      layer.data_gradient = plan_plain(data_gradient(l, Epilogue::kNone));
      continue;
    }
    // A mask is of use only if one product writes it and the other reads it.
    MatmulPlan below = plan(forward(l - 1, Epilogue::kBiasReluMask));
    if (below) {
      // The epilogue sums in the type it stores: too coarse for a gradient in bfloat16.
      if (network_.arithmetic.storage == ElementType::kFloat32) {
        layer.data_gradient = plan(data_gradient(l, Epilogue::kReluGradientBiasGradient));
        has_bias_gradient = static_cast<bool>(layer.data_gradient);
      }
      if (!layer.data_gradient)
        layer.data_gradient = plan(data_gradient(l, Epilogue::kReluGradient));
    }
    layer.data_gradient_fused = static_cast<bool>(layer.data_gradient);
    if (layer.data_gradient_fused) {
      layers_[l - 1].forward = std::move(below);
      layers_[l - 1].forward_fused = true;
    } else {
      layer.data_gradient = plan_plain(data_gradient(l, Epilogue::kNone));
      ++unfused_;
    }
  }
}

Dropout StepPlan::dropout(std::size_t l, const Batch& batch) const {
  Dropout dropout;
  dropout.y = network_.activations(network_.y[l]);
  dropout.step = batch.step;
  dropout.seed = network_.train.seed;
  dropout.rows = rows_;
  dropout.width = network_.layout.padded(l + 1);
  dropout.layer = static_cast<std::uint32_t>(l);
  dropout.threshold = static_cast<std::uint32_t>(std::lround(network_.model.dropout * 65536.0F));
  dropout.factor = 1.0F / (1.0F - network_.model.dropout);
  return dropout;
}

void StepPlan::enqueue_forward(const Batch& batch) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const bool top = l + 1 == layers_.size();
    runtime_.run(layers_[l].forward.get(), stream_);
    if (!layers_[l].forward_fused) {
      const Elements y = top ? Elements{network_.logits.data(), ElementType::kFloat32}
                             : network_.activations(network_.y[l]);
      const Elements bias{network_.masters.as<float>() + network_.layout.bias(l),
                          ElementType::kFloat32};
      runtime_.launch(BiasRelu{y, bias, rows_, network_.layout.padded(l + 1), !top}, stream_);
    }
    if (!top && drops()) runtime_.launch(dropout(l, batch), stream_);
  }
}

void StepPlan::enqueue_backward(const Batch& batch) {
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const Layer& layer = layers_[l];
    runtime_.run(layer.weight_gradient.get(), stream_);
    if (layer.sums_columns) {
      const Elements sums{network_.gradient.as<float>() + network_.layout.bias(l),
                          ElementType::kFloat32};
      runtime_.launch(ColumnSums{network_.activations(network_.dy[l]), sums, rows_,
                                 network_.layout.padded(l + 1)},
                      stream_);
    }
    if (l == 0) continue;
    runtime_.run(layer.data_gradient.get(), stream_);
    if (!layer.data_gradient_fused) {
      runtime_.launch(
          ReluGradient{network_.activations(network_.dy[l - 1]),
                       network_.activations(network_.y[l - 1]), rows_, network_.layout.padded(l),
                       1.0F / (1.0F - network_.model.dropout)},
          stream_);
    }
  }
  // Last: the products above read the weights that the forward products read.
  runtime_.launch(update(batch), stream_);
}

OptimizerUpdate StepPlan::update(const Batch& batch) const {
  OptimizerUpdate update;
  update.weights = network_.masters.as<float>();
  update.gradient = network_.gradient.as<float>();
  update.first = network_.first.as<float>();
  update.second = network_.second.as<float>();
  update.rounded = network_.activations(network_.rounded);
  update.step = batch.step;
  update.size = network_.layout.size();
  return update;
}

}  // namespace millrace::cuda
