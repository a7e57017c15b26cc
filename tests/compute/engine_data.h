#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "compute/engine.h"

namespace millrace::test {

struct Shape {
  std::uint32_t features;
  std::vector<std::uint32_t> hidden;
  std::uint32_t classes;
  std::uint32_t batch;
  InputType input;
  Activation activation = Activation::kRelu;
  Loss loss = Loss::kCrossEntropy;
  bool scaled = false;  ///< of a loss of numbers: with MlpSpec::target_scales
};

/// Samples of a shape in both forms: as the engine takes them and as the reference does. Two whole
/// batches and half a one.
struct Data {
  explicit Data(const Shape& shape) {
    model.features = shape.features;
    model.hidden = shape.hidden;
    model.classes = shape.classes;
    model.input = shape.input;
    model.activation = shape.activation;
    model.loss = shape.loss;
    for (std::uint32_t t = 0; shape.scaled && t < shape.classes; ++t) {
      model.target_scales.push_back(
          {10.0F * static_cast<float>(t % 5) - 15.0F, 0.25F * static_cast<float>(t % 7 + 1)});
    }
    model.input_scale = shape.input == InputType::kUInt8 ? 1.0F / 255.0F : 0.5F;
    train.batch = shape.batch;
    train.optimizer = {0.05F, 0.9F, 0.01F};
    train.seed = 3;
    const std::size_t count = 2 * std::size_t{shape.batch} + (shape.batch + 1) / 2;
    std::uint32_t state = 12345;
    const auto draw = [&state] { return (state = state * 1664525U + 1013904223U) >> 8U; };
    for (std::size_t i = 0; i < count * shape.features; ++i) {
      if (shape.input == InputType::kUInt8) {
        bytes.push_back(static_cast<std::byte>(draw() & 255U));
        reference.push_back(double{model.input_scale} * static_cast<double>(bytes.back()));
      } else {
        const float value = static_cast<float>(draw()) / 8388608.0F - 1.0F;
        const auto raw = std::as_bytes(std::span(&value, 1));
        bytes.insert(bytes.end(), raw.begin(), raw.end());
        reference.push_back(double{model.input_scale} * double{value});
      }
    }
    for (std::size_t i = 0; i < count * model.label_words(); ++i) {
      if (!model.has_targets()) {
        labels.push_back(static_cast<std::int32_t>(draw() % shape.classes));
        continue;
      }
      if (model.multilabel()) {
        labels.push_back(std::bit_cast<std::int32_t>(draw() % 3 == 0 ? 1.0F : 0.0F));
        continue;
      }
      // Within and beyond where a Huber loss is square.
      float target = static_cast<float>(draw()) / 3355443.2F - 2.5F;
      if (shape.scaled) {
        const TargetScale& scale = model.target_scales[i % shape.classes];
        target = target * scale.deviation + scale.mean;
      }
      labels.push_back(std::bit_cast<std::int32_t>(target));
    }
    for (std::uint32_t i = 0; i < count; ++i) order.push_back(i);
  }

  Chunk packed() const {
    Chunk chunk;
    chunk.batch = train.batch;
    chunk.count = static_cast<std::uint32_t>(size());
    chunk.samples = bytes;
    chunk.labels = labels;
    return chunk;
  }
  Chunk indexed(std::uint32_t source) const {
    Chunk chunk;
    chunk.batch = train.batch;
    chunk.count = static_cast<std::uint32_t>(size());
    chunk.source = source;
    chunk.indices = order;
    return chunk;
  }
  /// The same samples in another order, which is what indices in that order stand for.
  Data in_order(std::vector<std::uint32_t> ids) const {
    Data other = *this;
    const std::size_t width = bytes.size() / size();
    const std::size_t words = model.label_words();
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto sample = std::span(bytes).subspan(ids[i] * width, width);
      std::copy(sample.begin(), sample.end(),
                other.bytes.begin() + static_cast<std::ptrdiff_t>(i * width));
      const auto label = std::span(labels).subspan(ids[i] * words, words);
      std::copy(label.begin(), label.end(),
                other.labels.begin() + static_cast<std::ptrdiff_t>(i * words));
    }
    return other;
  }
  std::size_t size() const { return labels.size() / model.label_words(); }
  ResidentSet resident() const { return {bytes, labels, nullptr}; }
  std::span<const double> rows(std::size_t first, std::size_t n) const {
    return std::span(reference).subspan(first * model.features, n * model.features);
  }
  std::span<const std::int32_t> labels_of(std::size_t first, std::size_t n) const {
    return std::span(labels).subspan(first * model.label_words(), n * model.label_words());
  }
  std::unique_ptr<Engine> engine(Precision precision, std::uint32_t threads,
                                 Device::Kind kind = Device::Kind::kCpu) const {
    TrainSpec spec = train;
    spec.precision = precision;
    return make_engine(model, spec, {.kind = kind, .threads = threads});
  }

  MlpSpec model;
  TrainSpec train;
  std::vector<std::byte> bytes;
  std::vector<double> reference;
  std::vector<std::int32_t> labels;
  std::vector<std::uint32_t> order;
};

inline void expect_equal_sums(const Metrics& found, const Metrics& expected) {
  EXPECT_EQ(found.loss_sum, expected.loss_sum);
  EXPECT_EQ(found.correct, expected.correct);
  EXPECT_EQ(found.squared_error_sum, expected.squared_error_sum);
  EXPECT_EQ(found.samples, expected.samples);
  EXPECT_EQ(found.steps, expected.steps);
}

}  // namespace millrace::test
