// The whole engine on a fake runtime: its products, kernels, graphs and events against the naive
// double-precision network, whatever the device does first and whichever epilogues it lacks.

#include "compute/cuda/device_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compute/cuda/slot_ring.h"
#include "compute/memory.h"
#include "tests/compute/cuda/engine_on_fake.h"
#include "tests/compute/cuda/fake_runtime.h"
#include "tests/compute/engine_data.h"
#include "tests/support/reference_mlp.h"

namespace millrace::cuda {
namespace {

using millrace::test::Data;
using millrace::test::expect_near;
using millrace::test::ReferenceMlp;
using millrace::test::Shape;
using test::EngineOnFake;
using test::FakeDevice;
using test::FakeRuntime;
using test::kSchedules;
using test::Schedule;

// ---------------------------------------------------------------------------- the arithmetic

struct Case {
  std::string name;
  ElementType storage;
  std::set<Epilogue> refused;
  std::int64_t refused_mask_rows = 0;
  bool tf32 = false;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  using enum Epilogue;
  const std::vector<Case> float32{
      {"all", ElementType::kFloat32, {}},
      {"no_relu_bias_gradient", ElementType::kFloat32, {kReluGradientBiasGradient}},
      {"no_relu_gradient", ElementType::kFloat32, {kReluGradientBiasGradient, kReluGradient}},
      {"no_mask", ElementType::kFloat32, {kBiasReluMask}},
      {"no_bias_gradient", ElementType::kFloat32, {kBiasGradientOfB}},
      {"no_mask_of_16", ElementType::kFloat32, {}, 16},
      {"no_mask_of_48", ElementType::kFloat32, {}, 48},
      {"no_relu", ElementType::kFloat32, {kBiasReluMask, kBiasRelu}},
      {"none",
       ElementType::kFloat32,
       {kBias, kBiasRelu, kBiasReluMask, kReluGradient, kReluGradientBiasGradient,
        kBiasGradientOfB}}};
  std::vector<Case> all{{"tf32_all", ElementType::kFloat32, {}, 0, true}};
  for (const Case& c : float32) {
    all.push_back({"f32_" + c.name, ElementType::kFloat32, c.refused, c.refused_mask_rows});
    all.push_back({"bf16_" + c.name, ElementType::kBFloat16, c.refused, c.refused_mask_rows});
  }
  return all;
}

class DeviceEngineTest : public testing::TestWithParam<Case> {};

// Of the samples' predictions, as Metrics has it.
double squared_error_sum(const Data& data, std::span<const float> predictions) {
  double sum = 0.0;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const double said =
        data.model.multilabel() ? (predictions[i] >= 0.0F ? 1.0 : 0.0) : double{predictions[i]};
    const double error = said - double{std::bit_cast<float>(data.labels[i])};
    const bool scaled = !data.model.target_scales.empty();
    const float deviation =
        scaled ? data.model.target_scales[i % data.model.classes].deviation : 1.0F;
    sum += std::pow(error / double{deviation}, 2.0) /
           (data.model.multilabel() ? 1.0 : data.model.classes);
  }
  return sum;
}

TEST_P(DeviceEngineTest, AgreesWithTheReference) {
  // As on a GPU (gpu_engine_test.cpp).
  const bool half = GetParam().storage == ElementType::kBFloat16;
  const double bound = half ? 0.12 : GetParam().tf32 ? 5e-2 : 1e-4;
  const double loss_bound = half ? 1e-2 : GetParam().tf32 ? 2e-3 : 1e-5;
  const std::vector<Shape> shapes{
      {1, {}, 2, 1, InputType::kUInt8},
      {5, {7}, 3, 16, InputType::kUInt8},
      {63, {33}, 2, 37, InputType::kFloat32},
      {64, {48, 16}, 10, 33, InputType::kUInt8},
      {30, {1, 7, 20}, 17, 15, InputType::kFloat32},
      {5, {}, 1, 16, InputType::kFloat32, Activation::kRelu, Loss::kSquaredError},
      {63, {33}, 40, 37, InputType::kUInt8, Activation::kRelu, Loss::kHuber, true},
      {63, {33}, 40, 37, InputType::kUInt8, Activation::kRelu, Loss::kBinaryCrossEntropy},
      {64, {48, 16}, 3, 130, InputType::kFloat32, Activation::kRelu, Loss::kAbsoluteError, true}};
  for (const Shape& shape : shapes) {
    SCOPED_TRACE(std::to_string(shape.features) + " features");
    const Data data(shape);
    const EngineOnFake fixture(data,
                               {.schedule = Schedule::kRandom,
                                .refused = GetParam().refused,
                                .refused_mask_rows = GetParam().refused_mask_rows},
                               {GetParam().storage, GetParam().tf32});
    Engine& engine = *fixture.engine;
    const Parameters begin = engine.parameters();
    ReferenceMlp reference(begin, data.model, half ? 5e-2 : GetParam().tf32 ? 1e-2 : 1e-4);
    OptimizerSpec sgd = data.train.optimizer;
    const Chunk chunk = data.packed();
    for (std::uint32_t s = 0; s < chunk.batches(); ++s) {
      const Chunk step = chunk.slice(s, 1);
      const std::size_t first = std::size_t{s} * chunk.batch;
      if (s == 2) engine.set_learning_rate(sgd.learning_rate = 0.02F);
      const auto expected =
          reference.step(data.rows(first, step.count), data.labels_of(first, step.count), sgd);
      engine.train(step);
      const Metrics metrics = engine.metrics();
      EXPECT_EQ(metrics.steps, 1U);
      EXPECT_EQ(metrics.samples, step.count);
      const double mean = expected.loss_sum / step.count;
      EXPECT_NEAR(metrics.mean_loss(), mean, loss_bound * (1 + mean));
      const double squared = expected.squared_error_sum / step.count;
      EXPECT_NEAR(
          metrics.mean_squared_error(), squared,
          loss_bound * (1 + squared) + expected.squared_error_margin(data.model) / step.count);
      EXPECT_LE(
          std::abs(static_cast<double>(metrics.correct) - static_cast<double>(expected.correct)),
          static_cast<double>(expected.close));
      EXPECT_EQ(metrics.first_nonfinite_step, std::nullopt);
    }
    expect_near(engine.parameters(), reference.parameters(), &begin, bound);
    expect_near(engine.optimizer_state(), reference.momentum(), nullptr, bound);

    const auto expected = reference.forward(data.reference, data.labels);
    engine.evaluate(chunk);
    const Metrics metrics = engine.metrics();
    EXPECT_NEAR(metrics.loss_sum, expected.loss_sum,
                loss_bound * (chunk.count + expected.loss_sum));
    EXPECT_EQ(metrics.steps, 0U);
    std::vector<float> logits(std::size_t{chunk.count} * shape.classes);
    engine.predict(chunk, logits);
    EXPECT_EQ(engine.metrics().loss_sum, metrics.loss_sum);
    if (data.model.has_targets()) {
      EXPECT_EQ(metrics.correct, 0U);
      EXPECT_NEAR(squared_error_sum(data, logits), metrics.squared_error_sum,
                  1e-4 * metrics.squared_error_sum);
      continue;
    }
    std::uint64_t correct = 0;
    for (std::size_t r = 0; r < chunk.count; ++r) {
      const auto row = std::span(logits).subspan(r * shape.classes, shape.classes);
      const auto guess = std::max_element(row.begin(), row.end()) - row.begin();
      correct += guess == data.labels[r] ? 1 : 0;
    }
    EXPECT_EQ(correct, metrics.correct);
  }
}

INSTANTIATE_TEST_SUITE_P(Epilogues, DeviceEngineTest, testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

TEST(DeviceEngine, SaysWhichProductsAreNotFused) {
  const Data data({5, {7}, 3, 16, InputType::kUInt8});
  const auto without = [&](std::set<Epilogue> refused) {
    return EngineOnFake(data, {.refused = std::move(refused)}).engine->info().description;
  };
  EXPECT_EQ(without({}), "fake");
  EXPECT_EQ(without({Epilogue::kBias}), "fake, 1 of 5 products without a fused epilogue");
  EXPECT_EQ(without({Epilogue::kBiasReluMask}), "fake, 1 of 5 products without a fused epilogue");
  EXPECT_THROW(without({Epilogue::kNone, Epilogue::kBias}), DeviceError);
}

// As where the library has none of the backward pass's, and without asking for them.
TEST(DeviceEngine, LeavesTheBackwardPassWithoutEpilogues) {
  const Data data({5, {7, 9}, 3, 16, InputType::kUInt8});
  const std::set<Epilogue> of_backward{Epilogue::kBiasReluMask, Epilogue::kReluGradient,
                                       Epilogue::kReluGradientBiasGradient,
                                       Epilogue::kBiasGradientOfB};
  for (const auto storage : {ElementType::kFloat32, ElementType::kBFloat16}) {
    const EngineOnFake expected(data, {.refused = of_backward}, {.storage = storage});
    const EngineOnFake found(data, {}, {.storage = storage, .fused_backward = false});
    EXPECT_EQ(found.engine->info().description, "fake");  // nothing that was wanted is missing
    EXPECT_LT(found.device->searches, expected.device->searches);
    for (const EngineOnFake* each : {&expected, &found}) each->engine->train(data.packed());
    EXPECT_EQ(found.engine->parameters(), expected.engine->parameters());
  }
}

// ------------------------------------------------------------------------ the order of things

struct Outcome {
  Parameters parameters;
  OptimizerState momenta;
  double loss = 0.0;
  bool operator==(const Outcome&) const = default;
};

enum class Source : std::uint8_t { kPageable, kPinned, kResident };

const Shape kManySteps{12, {9}, 3, 64, InputType::kUInt8};  // 160 samples: 40 batches of 4

// Three epochs in chunks of `group` batches of 4, the last one of 3; the memory of a chunk is
// overwritten as soon as train() returns.
Outcome train_in_chunks(Engine& engine, const Data& data, Source source, std::uint32_t group) {
  const std::uint32_t resident = engine.add_resident(data.resident());
  HostMemory& memory = source == Source::kPinned ? engine.host_memory() : pageable_memory();
  const std::size_t width = data.model.features;
  HostBuffer samples(memory, 160 * width);
  HostBuffer labels(memory, 160 * data.model.label_words() * sizeof(std::int32_t));
  std::vector<std::uint32_t> indices(160);
  for (int epoch = 0; epoch < 3; ++epoch) {
    Chunk whole = source == Source::kResident ? data.indexed(resident) : data.packed();
    whole.batch = 4;
    whole.count = 159;
    if (source == Source::kResident) {
      whole.indices = whole.indices.first(159);
    } else {
      whole.samples = whole.samples.first(159 * width);
      whole.labels = data.labels_of(0, 159);
    }
    for (std::uint32_t first = 0; first < whole.batches(); first += group) {
      Chunk chunk = whole.slice(first, group);
      if (source == Source::kResident) {
        std::copy(chunk.indices.begin(), chunk.indices.end(), indices.begin());
        chunk.indices = std::span(indices).first(chunk.count);
      } else {
        std::copy(chunk.samples.begin(), chunk.samples.end(), samples.data());
        auto* to = reinterpret_cast<std::int32_t*>(labels.data());
        std::copy(chunk.labels.begin(), chunk.labels.end(), to);
        chunk.samples = samples.bytes().first(chunk.samples.size());
        chunk.labels = {to, chunk.labels.size()};
      }
      engine.train(chunk);
      std::fill(indices.begin(), indices.end(), 0U);
      std::fill_n(samples.data(), samples.size(), std::byte{77});
      std::fill_n(labels.data(), labels.size(), std::byte{0});
    }
  }
  return {engine.parameters(), engine.optimizer_state(), engine.metrics().loss_sum};
}

TEST(DeviceEngineOrder, WhateverTheDeviceDoesFirstTheResultIsTheSame) {
  const Data data(kManySteps);
  Outcome expected;
  {
    const EngineOnFake fixture(data);
    const Parameters begin = fixture.engine->parameters();
    expected = train_in_chunks(*fixture.engine, data, Source::kPageable, 40);
    ReferenceMlp reference(begin);
    for (int epoch = 0; epoch < 3; ++epoch) {
      for (std::size_t first = 0; first < 159; first += 4) {
        const std::size_t rows = std::min<std::size_t>(4, 159 - first);
        reference.step(data.rows(first, rows), std::span(data.labels).subspan(first, rows),
                       data.train.optimizer);
      }
    }
    expect_near(expected.parameters, reference.parameters(), &begin, 1e-4);
  }
  for (const auto schedule : kSchedules) {
    for (const auto source : {Source::kPageable, Source::kPinned, Source::kResident}) {
      for (const std::uint32_t group : {1U, 3U, 8U}) {
        const EngineOnFake fixture(data, {.schedule = schedule});
        EXPECT_TRUE(train_in_chunks(*fixture.engine, data, source, group) == expected)
            << "schedule " << static_cast<int>(schedule) << ", source " << static_cast<int>(source)
            << ", " << group << " batches a chunk";
      }
    }
  }
}

TEST(DeviceEngineOrder, LabelsOfSeveralWordsGoWithTheirSamples) {
  const Data data({20, {33}, 3, 64, InputType::kUInt8, Activation::kRelu, Loss::kHuber, true});
  Outcome expected;
  for (const auto schedule : {Schedule::kAtOnce, Schedule::kLate, Schedule::kRandom}) {
    for (const auto source : {Source::kPageable, Source::kPinned, Source::kResident}) {
      for (const std::uint32_t group : {1U, 3U, 40U}) {
        const EngineOnFake fixture(data, {.schedule = schedule});
        const Outcome found = train_in_chunks(*fixture.engine, data, source, group);
        if (expected.parameters.empty()) expected = found;
        EXPECT_TRUE(found == expected)
            << "schedule " << static_cast<int>(schedule) << ", source " << static_cast<int>(source)
            << ", " << group << " batches a chunk";
      }
    }
  }
}

TEST(DeviceEngineOrder, AnEpochWaitsForNothingButSlots) {
  const Data data(kManySteps);
  const EngineOnFake fixture(data, {.schedule = Schedule::kLate});
  const std::uint32_t resident = fixture.engine->add_resident(data.resident());
  FakeDevice& device = *fixture.device;
  device.event_waits = device.stream_waits = 0;
  Chunk chunk = data.indexed(resident);
  chunk.batch = 4;
  for (std::uint32_t first = 0; first < 40; first += 4) {
    fixture.engine->set_learning_rate(0.01F + 0.001F * static_cast<float>(first));
    fixture.engine->train(chunk.slice(first, 4));
    // The first chunks find their slots free.
    const int before = static_cast<int>(first / 4) + 1 - static_cast<int>(SlotRing::kSlots);
    EXPECT_EQ(device.event_waits, std::max(0, before));
  }
  const int waits = device.event_waits;
  EXPECT_EQ(fixture.engine->metrics().steps, 40U);
  EXPECT_EQ(device.event_waits, waits + 1);
  EXPECT_EQ(device.stream_waits, 0);
}

TEST(DeviceEngineOrder, TheFirstChunkMakesTheMemoryOfAll) {
  const Data data(kManySteps);
  for (const bool resident : {false, true}) {
    const EngineOnFake fixture(data, {.schedule = Schedule::kLate});
    Engine& engine = *fixture.engine;
    Chunk chunk = resident ? data.indexed(engine.add_resident(data.resident())) : data.packed();
    chunk.batch = 4;
    engine.train(chunk.slice(0, 4));
    const int allocations = fixture.device->allocations;
    for (std::uint32_t first = 4; first < 40; first += 4) engine.train(chunk.slice(first, 4));
    engine.close_metrics();
    engine.evaluate(chunk);
    engine.close_metrics();
    EXPECT_EQ(fixture.device->allocations, allocations);
  }
}

// Three epochs of 40 steps with a snapshot and an evaluation after each, as the trainer has them:
// `ahead` chunks of an epoch are handed over before the sums of the one before it are asked for.
struct Epochs {
  std::vector<Metrics> sums;
  std::vector<std::pair<Parameters, OptimizerState>> saved;
  int waits = 0;  // of the host, for more than slots
  Outcome end;
};

Epochs run_epochs(Schedule schedule, ElementType storage, std::uint32_t ahead) {
  Data data(kManySteps);
  data.train.optimizer.ema = 0.5F;
  const EngineOnFake fixture(data, {.schedule = schedule}, {storage});
  Engine& engine = *fixture.engine;
  FakeDevice& device = *fixture.device;
  const std::uint32_t resident = engine.add_resident(data.resident());
  Chunk chunk = data.indexed(resident);
  chunk.batch = 4;
  Epochs epochs;
  const auto snapshot = engine.make_snapshot();
  const auto read = [&] {
    for (int i = 0; i < 2; ++i) epochs.sums.push_back(engine.metrics());
    snapshot->await();
    epochs.saved.push_back(snapshot->hand_out());
  };
  device.event_waits = device.stream_waits = 0;
  std::uint32_t pieces = 0;
  const auto handed_over = [&] {
    epochs.waits -= ++pieces > SlotRing::kSlots ? 1 : 0;  // waits for its slot
  };
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (std::uint32_t n = 0; n < 5; ++n) {
      if (epoch > 0 && n == ahead) read();
      engine.train(chunk.slice(8 * n, 8));
      handed_over();
    }
    snapshot->take();
    engine.close_metrics();
    engine.evaluate(data.indexed(resident));
    handed_over();
    engine.close_metrics();
  }
  read();
  epochs.waits += device.event_waits + device.stream_waits;
  epochs.end = {engine.parameters(), engine.optimizer_state(), 0.0};
  return epochs;
}

TEST(DeviceEngineOrder, SumsOfAnEpochAreReadWhileTheNextIsTrained) {
  for (const auto storage : {ElementType::kFloat32, ElementType::kBFloat16}) {
    const Epochs expected = run_epochs(Schedule::kAtOnce, storage, 0);
    EXPECT_GT(expected.sums[0].loss_sum, expected.sums[2].loss_sum);
    EXPECT_NE(expected.sums[0].loss_sum, expected.sums[1].loss_sum);
    EXPECT_NE(expected.saved[0], expected.saved[1]);
    EXPECT_EQ(expected.saved[2].first, expected.end.parameters);
    std::vector<Schedule> schedules{Schedule::kLate};
    if (storage == ElementType::kFloat32) {
      schedules.assign(std::begin(kSchedules), std::end(kSchedules));
    }
    for (const auto schedule : schedules) {
      for (const std::uint32_t ahead : {1U, 4U}) {
        SCOPED_TRACE("schedule " + std::to_string(static_cast<int>(schedule)) + ", " +
                     std::to_string(ahead) + " chunks ahead");
        const Epochs found = run_epochs(schedule, storage, ahead);
        EXPECT_TRUE(found.end == expected.end);
        ASSERT_EQ(found.sums.size(), 6U);
        for (std::size_t i = 0; i < 6; ++i) {
          EXPECT_EQ(found.sums[i].loss_sum, expected.sums[i].loss_sum);
          EXPECT_EQ(found.sums[i].correct, expected.sums[i].correct);
          EXPECT_EQ(found.sums[i].samples, 160U);
          EXPECT_EQ(found.sums[i].steps, i % 2 == 0 ? 40U : 0U);
          EXPECT_GE(found.sums[i].done, found.sums[std::max<std::size_t>(i, 1) - 1].done);
        }
        EXPECT_EQ(found.waits, 9) << "one for each of the sums and snapshots";
        EXPECT_EQ(found.saved, expected.saved);
      }
    }
  }
}

TEST(DeviceEngineOrder, ParametersThatAreAskedForLeaveTheSumsInOrder) {
  const Data data(kManySteps);
  const EngineOnFake fixture(data, {.schedule = Schedule::kLate});
  Engine& engine = *fixture.engine;
  engine.train(data.packed().slice(0, 1));
  engine.close_metrics();
  engine.train(data.packed().slice(0, 2));
  engine.close_metrics();
  engine.train(data.packed());
  engine.parameters();
  for (const std::uint64_t steps : {1U, 2U, 3U}) EXPECT_EQ(engine.metrics().steps, steps);
  EXPECT_EQ(engine.metrics().steps, 0U);
}

TEST(DeviceEngineOrder, TheDevicesOwnClockSaysWhatWasHidden) {
  const Data data(kManySteps);
  const EngineOnFake fixture(data, {.schedule = Schedule::kLate});
  Chunk chunk = data.packed();
  chunk.batch = 4;
  EXPECT_EQ(fixture.engine->stats().busy, 0.0);
  for (std::uint32_t first = 0; first < 40; first += 8)
    fixture.engine->train(chunk.slice(first, 8));
  fixture.engine->metrics();
  // The fake does one thing at a time, a microsecond each: samples, labels and constants of each of
  // five chunks are copied.
  const EngineStats stats = fixture.engine->stats();
  EXPECT_NEAR(stats.copying, 15e-6, 1e-9);
  EXPECT_GT(stats.busy, 5 * 8 * 5e-6);
  EXPECT_LE(stats.hidden, stats.copying);
}

TEST(DeviceEngineOrder, AChunkIsOneGraphAndTheTailAnother) {
  const Data data(kManySteps);
  const EngineOnFake fixture(data);
  const std::uint32_t resident = fixture.engine->add_resident(data.resident());
  FakeDevice& device = *fixture.device;
  const int searches = device.searches;
  Chunk chunk = data.indexed(resident);
  chunk.batch = 4;
  chunk.count = 158;  // 39 batches and two samples: four chunks of 8 batches, one of 7 and a tail
  const auto epoch = [&] {
    device.captures = device.graph_launches = device.kernels = device.products = 0;
    for (std::uint32_t first = 0; first < 40; first += 8)
      fixture.engine->train(chunk.slice(first, 8));
  };
  epoch();
  EXPECT_EQ(device.captures, 2) << "one for each length, whatever the slot";
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(device.graph_launches, 5) << "epoch " << i + 1;
    EXPECT_EQ(device.kernels, 5) << "epoch " << i + 1 << ": what takes a piece to its graph";
    EXPECT_EQ(device.products, 0) << "epoch " << i + 1;
    epoch();
  }
  EXPECT_EQ(device.captures, 0);
  fixture.engine->set_learning_rate(0.5F);
  epoch();
  EXPECT_EQ(device.captures, 0) << "a schedule of learning rates captures nothing anew";
  fixture.engine->evaluate(chunk.slice(0, 1));
  EXPECT_EQ(device.searches, searches) << "all are planned before the run";
}

TEST(DeviceEngineOrder, ALongChunkIsCutIntoPieces) {
  const Data data({12, {9}, 3, 300, InputType::kUInt8});  // 750 samples
  Chunk chunk = data.packed();
  chunk.batch = 2;
  const auto train = [&](std::uint32_t group, FakeDevice** device) {
    const auto fixture = std::make_unique<EngineOnFake>(data);
    *device = fixture->device.get();
    for (std::uint32_t first = 0; first < chunk.batches(); first += group) {
      fixture->engine->train(chunk.slice(first, group));
    }
    EXPECT_EQ((*device)->graph_launches > 0, true);
    return Outcome{fixture->engine->parameters(), fixture->engine->optimizer_state(),
                   fixture->engine->metrics().loss_sum};
  };
  FakeDevice* device = nullptr;
  EXPECT_TRUE(train(375, &device) == train(10, &device));
}

// Its rows are filled up, and products read them.
TEST(DeviceEngineOrder, AShortBatchHasNothingOfTheSamplesBeforeIt) {
  Data data({63, {33}, 2, 37, InputType::kFloat32});
  const auto train = [&](bool evaluate) {
    const EngineOnFake fixture(data);
    if (evaluate) {
      std::vector<std::byte> nan(data.bytes.size(), std::byte{0xFF});
      Chunk chunk = data.packed();
      chunk.samples = nan;
      fixture.engine->evaluate(chunk);
      EXPECT_EQ(fixture.engine->metrics().samples, chunk.count);
    }
    fixture.engine->train(data.packed().slice(2, 1));
    const Metrics metrics = fixture.engine->metrics();
    EXPECT_EQ(metrics.samples, 19U);
    EXPECT_EQ(metrics.first_nonfinite_step, std::nullopt);
    return fixture.engine->parameters();
  };
  EXPECT_TRUE(train(true) == train(false));
}

TEST(DeviceEngineOrder, ManyLengthsOfChunksDoNotPileUpGraphs) {
  const Data data(kManySteps);
  const EngineOnFake fixture(data);
  Chunk chunk = data.packed();
  for (chunk.batch = 1; chunk.batch <= 4; ++chunk.batch) {
    for (std::uint32_t n = 1; n < 40; ++n) fixture.engine->train(chunk.slice(0, n));
  }
  EXPECT_GT(fixture.device->captures, 64);
  EXPECT_LE(fixture.device->graphs, 64);
}

// --------------------------------------------------------------------------- what goes wrong

// Everything that an engine can be asked for.
Data rich_data() {
  Data data({12, {9, 6}, 3, 20, InputType::kUInt8, Activation::kGelu});
  data.model.batch_norm = true;
  data.model.dropout = 0.2F;
  data.train.micro_batch = 8;
  data.train.optimizer = {0.01F, 0.0F, 0.01F, OptimizerSpec::Kind::kAdamW};
  data.train.optimizer.clip_norm = 0.5F;
  data.train.optimizer.ema = 0.9F;
  return data;
}

TEST(DeviceEngineErrors, ADataSetThatDoesNotFitLeavesTheEngineUsable) {
  const Data data(kManySteps);
  const EngineOnFake fixture(data);
  fixture.engine->add_resident(data.resident());
  const std::size_t used = fixture.device->used;
  fixture.device->memory = used + 1000;
  try {
    fixture.engine->add_resident(data.resident());
    ADD_FAILURE() << "accepted";
  } catch (const DeviceError& error) {
    EXPECT_STREQ(error.what(), "a resident data set: asked for 1920 bytes, 1000 are free");
  }
  EXPECT_EQ(fixture.device->used, used);
  fixture.device->memory = std::size_t{1} << 30U;
  EXPECT_EQ(fixture.engine->add_resident(data.resident()), 1U);
  fixture.engine->train(data.indexed(1));
  EXPECT_EQ(fixture.engine->metrics().samples, 160U);
}

TEST(DeviceEngineErrors, ADataSetThatWouldFillTheDeviceIsRefusedAndChunksStillFit) {
  const Data data(kManySteps);
  const EngineOnFake fixture(data, {.schedule = Schedule::kLate});
  fixture.engine->add_resident({});
  const std::size_t used = fixture.device->used;
  fixture.device->memory = used + data.bytes.size() + data.labels.size() * sizeof(std::int32_t);
  EXPECT_THROW(fixture.engine->add_resident(data.resident()), DeviceError);
  EXPECT_EQ(fixture.device->used, used);
  fixture.device->memory = used;
  for (int i = 0; i < 5; ++i) fixture.engine->train(data.packed());
  EXPECT_EQ(fixture.engine->metrics().samples, 5 * 160U);
}

TEST(DeviceEngineErrors, AModelThatDoesNotFitLeavesNothingBehind) {
  for (const Data& data : {Data(kManySteps), rich_data()}) {
    std::size_t needed = 0;
    {
      const EngineOnFake fixture(data);
      needed = fixture.device->used;
    }
    for (std::size_t memory = 0; memory < needed; memory += needed / 50) {
      const auto device = std::make_shared<FakeDevice>();
      device->memory = memory;
      try {
        make_device_engine(std::make_unique<FakeRuntime>(device), data.model, data.train, {}, 0);
        ADD_FAILURE() << "accepted";
      } catch (const DeviceError& error) {
        const std::string line = error.what();
        EXPECT_NE(line.find(": asked for "), std::string::npos) << line;
        EXPECT_NE(line.find(" are free"), std::string::npos) << line;
      }
      EXPECT_EQ(device->live, 0);
    }
  }
}

TEST(DeviceEngineErrors, ADeadDeviceIsReportedWithTheLastStageAndSurvived) {
  const Data data(kManySteps);
  const EngineOnFake fixture(data, {.schedule = Schedule::kLate});
  fixture.engine->train(data.packed());
  fixture.device->dead = true;
  for (int i = 0; i < 2; ++i) {
    try {
      fixture.engine->metrics();
      ADD_FAILURE() << "accepted";
    } catch (const DeviceError& error) {
      EXPECT_NE(std::string(error.what()).find("last stage: training on a chunk"),
                std::string::npos)
          << error.what();
    }
  }
}

TEST(DeviceEngineErrors, ADeviceThatDiesAtAnyCallIsReportedAndSurvived) {
  const Data data = rich_data();
  int calls = 0;
  int captures = 0;
  for (bool died = true; died; calls += 1 + calls / 6) {
    const auto device = std::make_shared<FakeDevice>();
    device->schedule = Schedule::kRandom;
    device->calls_left = calls;
    died = false;
    std::unique_ptr<Engine> engine;
    try {
      engine = make_device_engine(std::make_unique<FakeRuntime>(device), data.model, data.train,
                                  {ElementType::kBFloat16, false}, 0);
      const std::uint32_t source = engine->add_resident(data.resident());
      for (int round = 0; round < 5; ++round) {
        engine->train(round % 2 == 0 ? data.packed() : data.indexed(source));
        engine->evaluate(data.packed());
      }
      std::vector<float> logits(std::size_t{data.packed().count} * 3);
      engine->predict(data.packed(), logits);
      engine->set_parameters(engine->parameters());
      engine->set_optimizer_state(engine->optimizer_state());
      EXPECT_EQ(engine->metrics().steps, 15U);
    } catch (const DeviceError& error) {
      died = true;
      EXPECT_NE(std::string(error.what()).find("last stage: "), std::string::npos) << error.what();
    }
    captures = device->captures;
    engine.reset();
    ASSERT_EQ(device->live, 0) << "after " << calls << " calls";
  }
  EXPECT_GT(captures, 0);
  EXPECT_GT(calls, 500);
}

TEST(DeviceEngineErrors, AChunkThatFoundNoMemoryWasNoStep) {
  const Data data = rich_data();
  const EngineOnFake expected(data);
  expected.engine->train(data.packed());
  const EngineOnFake fixture(data);
  fixture.device->memory = fixture.device->used;
  int refused = 0;
  for (bool trained = false; !trained; fixture.device->memory += 256) {
    try {
      fixture.engine->train(data.packed());
      trained = true;
    } catch (const DeviceError& error) {
      ++refused;
      EXPECT_NE(std::string(error.what()).find(": asked for "), std::string::npos) << error.what();
    }
  }
  EXPECT_GT(refused, 8);  // at each array of a chunk and of its graph
  EXPECT_TRUE(fixture.engine->parameters() == expected.engine->parameters());
  EXPECT_TRUE(fixture.engine->optimizer_state() == expected.engine->optimizer_state());
}

TEST(DeviceEngineErrors, BadChunksAreRefusedBeforeAnythingIsEnqueued) {
  Data data(kManySteps);
  const EngineOnFake fixture(data);
  Engine& engine = *fixture.engine;
  const Outcome before{engine.parameters(), engine.optimizer_state(), 0.0};
  EXPECT_THROW(engine.train(data.indexed(0)), std::invalid_argument);
  const std::uint32_t source = engine.add_resident(data.resident());
  const Data good = data;
  data.order.back() = 160;
  EXPECT_THROW(engine.train(data.indexed(source)), std::out_of_range);
  for (const std::int32_t label : {-1, 3}) {
    data.labels.back() = label;
    EXPECT_THROW(engine.train(data.packed()), std::out_of_range);
    EXPECT_THROW(engine.evaluate(data.packed()), std::out_of_range);
    EXPECT_THROW(engine.add_resident(data.resident()), std::out_of_range);
  }
  Chunk chunk = good.packed();
  for (const std::uint32_t batch : {0U, 65U}) {
    chunk.batch = batch;
    EXPECT_THROW(engine.train(chunk), std::invalid_argument);
  }
  chunk = good.packed();
  ++chunk.count;
  EXPECT_THROW(engine.train(chunk), std::invalid_argument);
  ResidentSet set = good.resident();
  set.samples = set.samples.first(set.samples.size() - 1);
  EXPECT_THROW(engine.add_resident(set), std::invalid_argument);
  EXPECT_THROW(engine.set_parameters({}), std::invalid_argument);
  EXPECT_THROW(engine.set_learning_rate(-1.0F), std::invalid_argument);
  std::vector<float> few(3);
  EXPECT_THROW(engine.predict(good.packed(), few), std::invalid_argument);
  EXPECT_TRUE((Outcome{engine.parameters(), engine.optimizer_state(), 0.0} == before));
  EXPECT_EQ(engine.metrics().samples, 0U);
}

TEST(DeviceEngineErrors, ALossThatIsNotFiniteNamesItsStep) {
  Data data({5, {}, 3, 4, InputType::kFloat32});
  const float nan = std::nanf("");
  const auto raw = std::as_bytes(std::span(&nan, 1));
  std::copy(raw.begin(), raw.end(), data.bytes.begin() + 2 * 4 * 5 * 4);  // third step
  const EngineOnFake fixture(data);
  fixture.engine->train(data.packed().slice(0, 1));
  EXPECT_EQ(fixture.engine->metrics().first_nonfinite_step, std::nullopt);
  fixture.engine->train(data.packed().slice(1, 2));
  fixture.engine->train(data.packed().slice(0, 1));
  EXPECT_EQ(fixture.engine->metrics().first_nonfinite_step, std::optional<std::uint64_t>(1));
}

// --------------------------------------------------------------------------------- its state

TEST(DeviceEngineState, ContinuesFromItsStateAsIfItHadNeverStopped) {
  for (const auto storage : {ElementType::kFloat32, ElementType::kBFloat16}) {
    const Data data(kManySteps);
    const Chunk chunk = data.packed();
    const EngineOnFake first(data, {}, {storage});
    first.engine->train(chunk.slice(0, 1));
    const EngineOnFake second(data, {.schedule = Schedule::kLate}, {storage});
    second.engine->train(chunk.slice(1, 1));
    second.engine->set_parameters(first.engine->parameters());
    second.engine->set_optimizer_state(first.engine->optimizer_state());
    for (const EngineOnFake* fixture : {&first, &second}) {
      fixture->engine->set_learning_rate(0.02F);
      fixture->engine->train(chunk.slice(1, 2));
    }
    EXPECT_TRUE(second.engine->parameters() == first.engine->parameters());
    EXPECT_TRUE(second.engine->optimizer_state() == first.engine->optimizer_state());
  }
}

// A graphics card of the generation before has tensor cores for neither.
TEST(DeviceEngineState, WithoutShortFloatsItTrainsInFloat32AndSaysSo) {
  const Data data({5, {7}, 3, 16, InputType::kUInt8});
  const auto on = [&](Capability capability, Arithmetic arithmetic) {
    const auto device = std::make_shared<FakeDevice>();
    device->capability = capability;
    auto engine = make_device_engine(std::make_unique<FakeRuntime>(device), data.model, data.train,
                                     arithmetic, 1);
    engine->train(data.packed());
    return engine;
  };
  constexpr Capability turing{.major = 7, .minor = 5};
  const auto expected = on(turing, {});
  EXPECT_EQ(expected->info().notice, "");
  const auto bfloat16 = on(turing, {.storage = ElementType::kBFloat16});
  EXPECT_EQ(bfloat16->info().precision, Precision::kFloat32);
  EXPECT_EQ(bfloat16->info().notice,
            "GPU 1 has compute capability 7.5, and bfloat16 needs 8.0: training in float32");
  EXPECT_TRUE(bfloat16->parameters() == expected->parameters());
  const auto tf32 = on(turing, {.tf32 = true});
  EXPECT_EQ(tf32->info().precision, Precision::kFloat32);
  EXPECT_NE(tf32->info().notice.find("and TF32 needs"), std::string::npos) << tf32->info().notice;

  constexpr Capability ampere{.major = 8, .minor = 0};
  EXPECT_EQ(on(ampere, {.storage = ElementType::kBFloat16})->info().precision,
            Precision::kBFloat16);
  EXPECT_EQ(on(ampere, {.tf32 = true})->info().precision, Precision::kTf32);
  EXPECT_EQ(on(ampere, {.tf32 = true})->info().notice, "");
}

TEST(DeviceEngineState, TakesEachStepsOwnLearningRate) {
  const Data data({5, {7}, 3, 16, InputType::kUInt8});
  const std::vector<float> rates{0.05F, 0.0F, 0.2F};
  const EngineOnFake one_by_one(data);
  for (std::uint32_t s = 0; s < 3; ++s) {
    one_by_one.engine->set_learning_rate(rates[s]);
    one_by_one.engine->train(data.packed().slice(s, 1));
  }
  one_by_one.engine->set_learning_rate(data.train.optimizer.learning_rate);
  const EngineOnFake whole(data, {.schedule = Schedule::kRandom});
  Chunk chunk = data.packed();
  chunk.learning_rates = rates;
  whole.engine->train(chunk);
  EXPECT_TRUE(whole.engine->parameters() == one_by_one.engine->parameters());
  // The engine's own rate is as it was.
  for (const EngineOnFake* fixture : {&one_by_one, &whole}) fixture->engine->train(data.packed());
  EXPECT_TRUE(whole.engine->parameters() == one_by_one.engine->parameters());
  chunk.learning_rates = std::span(rates).first(2);
  EXPECT_THROW(whole.engine->train(chunk), std::invalid_argument);
}

TEST(DeviceEngineState, MomentaThatComeLateReachGraphsToo) {
  Data data(kManySteps);
  data.train.optimizer.momentum = 0.0F;
  const EngineOnFake fixture(data);
  Engine& engine = *fixture.engine;
  EXPECT_TRUE(engine.optimizer_state().empty());
  engine.set_optimizer_state({});
  for (int i = 0; i < 5; ++i) engine.train(data.packed());
  EXPECT_GT(fixture.device->graph_launches, 0);
  OptimizerState zero = engine.parameters();
  for (Tensor& tensor : zero) std::fill(tensor.values.begin(), tensor.values.end(), 0.0F);
  engine.set_optimizer_state(zero);
  const Parameters before = engine.parameters();
  engine.train(data.packed().slice(0, 1));
  // Without momentum, the buffer is the last step's gradient.
  const OptimizerState state = engine.optimizer_state();
  const Parameters after = engine.parameters();
  for (std::size_t t = 0; t < state.size(); ++t) {
    for (std::size_t i = 0; i < state[t].values.size(); ++i) {
      EXPECT_EQ(after[t].values[i],
                before[t].values[i] - data.train.optimizer.learning_rate * state[t].values[i]);
    }
  }
  engine.train(data.packed());
  EXPECT_FALSE(engine.optimizer_state() == state);
}

}  // namespace
}  // namespace millrace::cuda
