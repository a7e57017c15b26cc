// What Engine::predict hands out, held against the naive network and against evaluate().

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "compute/cpu/layout.h"
#include "compute/engine.h"
#include "compute/stage.h"
#include "tests/support/reference_mlp.h"

namespace millrace {
namespace {

struct Samples {
  Samples(std::uint32_t features, std::uint32_t classes, std::uint32_t count) {
    std::uint32_t state = 12345;
    const auto draw = [&state] { return (state = state * 1664525U + 1013904223U) >> 16U; };
    for (std::uint32_t i = 0; i < count * features; ++i) {
      bytes.push_back(static_cast<std::byte>(draw() & 255U));
      scaled.push_back(static_cast<double>(bytes.back()) / 255.0);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      labels.push_back(static_cast<std::int32_t>(draw() % classes));
    }
  }
  Chunk chunk() const {
    const auto count = static_cast<std::uint32_t>(labels.size());
    Chunk chunk;
    chunk.batch = chunk.count = count;
    chunk.samples = bytes;
    chunk.labels = labels;
    return chunk;
  }

  std::vector<std::byte> bytes;
  std::vector<double> scaled;
  std::vector<std::int32_t> labels;
};

std::unique_ptr<Engine> engine_of(const MlpSpec& model, Precision precision,
                                  std::uint32_t threads) {
  TrainSpec train;
  train.precision = precision;
  train.seed = 3;
  return make_engine(model, train, {Device::Kind::kCpu, 0, threads});
}

MlpSpec model_of(std::uint32_t features, std::vector<std::uint32_t> hidden, std::uint32_t classes) {
  MlpSpec model;
  model.features = features;
  model.hidden = std::move(hidden);
  model.classes = classes;
  return model;
}

// The loss and the guesses that logits say, in double precision.
test::ReferenceMlp::Result judged(std::span<const float> logits,
                                  std::span<const std::int32_t> labels) {
  test::ReferenceMlp::Result result;
  const std::size_t classes = logits.size() / labels.size();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.subspan(i * classes, classes);
    const auto best = std::ranges::max_element(row);
    double sum = 0.0;
    for (const float z : row) sum += std::exp(double{z} - double{*best});
    const auto label = static_cast<std::size_t>(labels[i]);
    result.loss_sum += std::log(sum) + double{*best} - double{row[label]};
    if (static_cast<std::size_t>(best - row.begin()) == label) ++result.correct;
  }
  return result;
}

class Predict : public testing::TestWithParam<Precision> {
 protected:
  void SetUp() override {
    const auto info = engine_of(model_of(2, {}, 2), GetParam(), 1)->info();
    if (info.precision != GetParam()) GTEST_SKIP() << info.notice;
  }
};

TEST_P(Predict, HandsOutWhatEvaluateCounts) {
  const std::vector<MlpSpec> models{model_of(5, {}, 3), model_of(63, {31}, 17),
                                    model_of(784, {48, 16}, 10), model_of(20, {7}, 70)};
  for (const MlpSpec& model : models) {
    // More samples than the engine takes at once.
    const std::uint32_t count = model.features < 100 ? 4170 : 130;
    const Samples samples(model.features, model.classes, count);
    std::vector<float> first;
    for (const std::uint32_t threads : {1U, 3U}) {
      const auto engine = engine_of(model, GetParam(), threads);
      std::vector<float> logits(std::size_t{count} * model.classes, std::nanf(""));
      engine->predict(samples.chunk(), logits);
      const Metrics metrics = engine->metrics();
      const auto told = judged(logits, samples.labels);
      EXPECT_EQ(metrics.samples, count);
      EXPECT_EQ(metrics.correct, told.correct);
      EXPECT_NEAR(metrics.loss_sum, told.loss_sum, 1e-5 * told.loss_sum);
      engine->evaluate(samples.chunk());
      EXPECT_EQ(engine->metrics().loss_sum, metrics.loss_sum);
      if (threads == 1) first = logits;
      EXPECT_EQ(logits, first) << threads << " threads";
    }
  }
}

TEST_P(Predict, AgreesWithTheReference) {
  const MlpSpec model = model_of(50, {20}, 4);
  const Samples samples(model.features, model.classes, 40);
  const auto engine = engine_of(model, GetParam(), 2);
  std::vector<float> logits(samples.labels.size() * model.classes);
  engine->predict(samples.chunk(), logits);
  const test::ReferenceMlp reference(engine->parameters());
  // A sample's loss for each label is its logits up to a constant.
  for (std::size_t i = 0; i < samples.labels.size(); ++i) {
    const auto sample = std::span(samples.scaled).subspan(i * model.features, model.features);
    const auto row = std::span(logits).subspan(i * model.classes, model.classes);
    const auto loss = [&](std::int32_t label) {
      return reference.forward(sample, std::span(&label, 1)).loss_sum;
    };
    for (std::int32_t label = 1; label < 4; ++label) {
      EXPECT_NEAR(double{row[0]} - double{row[static_cast<std::size_t>(label)]},
                  loss(label) - loss(0), GetParam() == Precision::kFloat32 ? 1e-5 : 2e-2);
    }
  }
}

// However many threads that takes: lanes, register tiles and padding depend on the number of rows.
TEST_P(Predict, SaysTheSameOfASampleAmongAnyNumber) {
  MlpSpec normalised = model_of(50, {70, 33}, 4);
  normalised.batch_norm = true;
  MlpSpec smooth = model_of(50, {20}, 4);
  smooth.activation = Activation::kGelu;
  // The widest's many rows are worth more than one thread.
  for (const MlpSpec& model : {model_of(784, {512, 40}, 10), normalised, smooth}) {
    const Samples all(model.features, model.classes, 300);
    const auto engine = engine_of(model, GetParam(), 3);
    const auto logits_of = [&](std::size_t first, std::size_t count) {
      Chunk chunk = all.chunk();
      chunk.batch = chunk.count = static_cast<std::uint32_t>(count);
      chunk.samples = chunk.samples.subspan(first * model.features);
      chunk.labels = chunk.labels.subspan(first);
      std::vector<float> logits(count * model.classes, std::nanf(""));
      engine->predict(chunk, logits);
      return logits;
    };
    const std::vector<float> expected = logits_of(0, 300);
    for (const std::size_t count : {1U, 2U, 3U, 7U, 8U, 9U, 13U, 16U, 17U, 31U, 33U, 64U, 65U}) {
      for (const std::size_t first : {std::size_t{0}, 300 - count}) {
        const auto from = expected.begin() + static_cast<std::ptrdiff_t>(first * model.classes);
        const std::vector<float> same(from,
                                      from + static_cast<std::ptrdiff_t>(count * model.classes));
        EXPECT_EQ(logits_of(first, count), same) << first << ", " << count;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, Predict,
                         testing::Values(Precision::kFloat32, Precision::kBFloat16),
                         [](const auto& tested) {
                           return tested.param == Precision::kFloat32 ? "Float32" : "BFloat16";
                         });

TEST(PredictErrors, RefusesRoomOfTheWrongSize) {
  const Samples samples(5, 3, 4);
  const auto engine = engine_of(model_of(5, {}, 3), Precision::kFloat32, 1);
  std::vector<float> room(11);
  EXPECT_THROW(engine->predict(samples.chunk(), room), std::invalid_argument);
  EXPECT_EQ(engine->metrics().samples, 0U);
}

// Hears which threads compute.
class Computing final : public StageListener {
 public:
  void begin(Stage stage, std::uint64_t) noexcept override {
    if (stage != Stage::kCompute) return;
    const std::lock_guard lock(mutex_);
    threads_.insert(std::this_thread::get_id());
  }
  void end(Stage) noexcept override {}
  std::set<std::thread::id> threads() {
    const std::lock_guard lock(mutex_);
    return std::exchange(threads_, {});
  }

 private:
  std::mutex mutex_;
  std::set<std::thread::id> threads_;
};

TEST(PredictThreads, WakesNobodyForAFewRows) {
  Computing computing;
  const StageListening listening(computing);
  const MlpSpec model = model_of(784, {32}, 10);
  const auto engine = engine_of(model, Precision::kFloat32, 3);
  const auto threads_for = [&](std::uint32_t rows) {
    const Samples samples(model.features, model.classes, rows);
    std::vector<float> logits(std::size_t{rows} * model.classes);
    engine->predict(samples.chunk(), logits);
    return computing.threads();
  };
  const std::set<std::thread::id> caller{std::this_thread::get_id()};
  EXPECT_EQ(threads_for(1), caller);
  EXPECT_EQ(threads_for(100), caller);
  EXPECT_EQ(threads_for(2000).size(), 3U);
  EXPECT_EQ(threads_for(1), caller);
}

TEST(CopyRows, PutsActivationsInRows) {
  const cpu::ActLayout layout{10, 70};
  std::vector<float> activations(layout.size(), -1.0F);
  for (std::size_t r = 0; r < 10; ++r) {
    for (std::size_t c = 0; c < 70; ++c) {
      activations[layout.offset(r, c)] = static_cast<float>(100 * r + c);
    }
  }
  for (const std::size_t columns : {1U, 32U, 33U, 70U}) {
    std::vector<float> out(3 * columns + 1, -2.0F);
    cpu::copy_rows(activations.data(), layout, 3, columns, out.data());
    for (std::size_t i = 0; i < 3 * columns; ++i) {
      const std::size_t expected = 100 * (i / columns) + i % columns;
      EXPECT_EQ(out[i], static_cast<float>(expected)) << columns;
    }
    EXPECT_EQ(out.back(), -2.0F) << columns;
  }
}

}  // namespace
}  // namespace millrace
