#include "compute/cuda/network.h"

#include <utility>

namespace millrace::cuda {

Network::Network(Runtime& runtime, const MlpSpec& spec, TrainSpec how_to, Arithmetic how,
                 std::uint32_t piece_rows)
    : model(spec), train(std::move(how_to)), layout(spec), arithmetic(how) {
  const std::size_t rows = this->rows(false);
  const std::size_t train_rows = this->rows(true);
  const std::size_t element = size_of(arithmetic.storage);
  const auto buffer = [&](std::size_t bytes, const char* what) {
    return device_buffer(runtime, bytes, what);
  };
  masters = buffer(layout.size() * sizeof(float), "the parameters");
  gradient = buffer(layout.trained() * sizeof(float), "the gradients");
  if (accumulates()) {
    total = buffer(layout.trained() * sizeof(float), "the sums of gradients");
  }
  if (clips()) {
    squares = buffer(SquareSums::kBlocks * sizeof(double), "the squares of gradients");
    clip = buffer(sizeof(float), "the factor of gradients");
  }
  const bool averages = train.optimizer.ema > 0.0F;
  if (averages) average = buffer(layout.size() * sizeof(float), "the averages");
  if (arithmetic.storage != ElementType::kFloat32) {
    rounded = buffer(layout.trained() * element, "the rounded parameters");
    if (averages) rounded_average = buffer(layout.trained() * element, "the rounded averages");
  }
  x = buffer(element * rows * layout.padded(0), "a batch");
  for (std::size_t l = 0; l < layers(); ++l) {
    const std::size_t width = layout.padded(l + 1);
    if (l + 1 < layers()) {
      y.push_back(buffer(element * rows * width, "the activations"));
      if (layout.normed(l)) {
        z.push_back(buffer(element * train_rows * width, "the sums"));
        batch.push_back(buffer(2 * sizeof(float) * width, "the statistics"));
      }
      if (model.activation != Activation::kRelu) {
        slopes.push_back(buffer(element * train_rows * width, "the activations' slopes"));
      }
      mask.push_back(buffer(static_cast<std::size_t>(mask_ld(l)) / 8 * train_rows, "the masks"));
    }
    dy.push_back(buffer(element * train_rows * width, "the gradients of activations"));
    parts.push_back(
        buffer(sizeof(float) * ActivationGradient::kParts * width, "the parts of bias gradients"));
  }
  logits = buffer(sizeof(float) * rows * layout.padded(layers()), "the logits");
  if (!train.class_weights.empty()) {
    class_weights = buffer(sizeof(float) * train.class_weights.size(), "the weights of classes");
  }
  if (!model.target_scales.empty()) {
    target_scales =
        buffer(sizeof(TargetScale) * model.target_scales.size(), "the scales of targets");
  }
  losses = buffer(sizeof(float) * piece_rows, "the losses");
  if (model.has_targets()) {
    squared_errors = buffer(sizeof(float) * piece_rows, "the squared errors");
  } else {
    correct = buffer(piece_rows, "the judgements");
  }
  metrics = buffer(sizeof(DeviceMetrics), "the metrics");
}

std::int64_t Network::mask_ld(std::size_t l) const {
  constexpr std::size_t kMaskMultiple = 128;  // asked for by cuBLASLt
  return static_cast<std::int64_t>(round_up(layout.padded(l + 1), kMaskMultiple));
}

const std::byte* Network::parameter(std::size_t offset, bool training) const {
  const DeviceBuffer& copy = training || !averaged() ? rounded : rounded_average;
  return (copy.bytes() != 0 ? copy : values(training)).data() +
         offset * size_of(arithmetic.storage);
}

Gather Network::gather(const void* samples, const std::uint32_t* indices, std::uint32_t count,
                       bool training) const {
  return {samples,          model.input == InputType::kUInt8,
          indices,          count,
          rows(training),   layout.width(0),
          layout.padded(0), model.input_scale,
          activations(x)};
}

OptimizerUpdate Network::update(const StepConstants* step) const {
  OptimizerUpdate update;
  update.weights = masters.as<float>();
  update.gradient = step_gradient().as<const float>();
  update.clip = clip.as<const float>();
  update.first = first.as<float>();
  update.second = second.as<float>();
  update.average = average.as<float>();
  update.rounded = activations(rounded);
  update.step = step;
  update.trained = layout.trained();
  update.end = layout.size();
  return update;
}

OptimizerUpdate Network::update(const StepConstants* step, std::size_t l) const {
  OptimizerUpdate of_layer = update(step);
  of_layer.begin = layout.weight(l);
  of_layer.end = layout.end(l);
  return of_layer;
}

void Network::clear(Runtime& runtime, StreamHandle stream) const {
  const auto zero = [&](const DeviceBuffer& buffer) {
    if (buffer.bytes() != 0) runtime.fill_zero(buffer.data(), buffer.bytes(), stream);
  };
  for (const DeviceBuffer* buffer : {&gradient, &total, &squares, &clip, &x, &logits, &losses,
                                     &correct, &squared_errors, &metrics})
    zero(*buffer);
  for (const auto* buffers : {&y, &slopes, &z, &batch, &mask, &dy}) {
    for (const DeviceBuffer& buffer : *buffers) zero(buffer);
  }
}

void Network::make_moments(Runtime& runtime, StreamHandle stream) {
  const auto make = [&](DeviceBuffer& buffer, const char* what) {
    if (buffer.bytes() != 0) return;
    buffer = device_buffer(runtime, layout.trained() * sizeof(float), what);
    runtime.fill_zero(buffer.data(), buffer.bytes(), stream);
  };
  make(first, "the momenta");
  if (train.optimizer.adaptive()) make(second, "the second moments");
}

}  // namespace millrace::cuda
