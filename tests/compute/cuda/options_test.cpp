// What training can be asked for beside plain SGD: the engine on a fake device against the CPU
// engine, which is held against PyTorch's traces. Dropout keeps the same activations on both, so
// that losses and parameters agree.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "compute/cuda/device_engine.h"
#include "tests/compute/cuda/engine_on_fake.h"
#include "tests/compute/cuda/fake_runtime.h"
#include "tests/compute/engine_data.h"

namespace millrace::cuda {
namespace {

using millrace::test::Data;
using test::EngineOnFake;
using test::FakeDevice;
using test::FakeRuntime;
using test::Schedule;

using Kind = OptimizerSpec::Kind;

struct Case {
  std::string name;
  Kind optimizer = Kind::kSgd;
  float dropout = 0.0F;
  float smoothing = 0.0F;
  std::vector<std::uint32_t> hidden{40, 24};
  Activation activation = Activation::kRelu;
  float ema = 0.0F;
  float clip_norm = 0.0F;
  std::uint32_t micro_batch = 0;
  bool batch_norm = false;
  std::vector<float> class_weights = {};
  Loss loss = Loss::kCrossEntropy;
  std::uint32_t outputs = 10;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class DeviceEngineOptions : public testing::TestWithParam<Case> {
 protected:
  static Data data() {
    const Case& c = GetParam();
    Data data({63, c.hidden, c.outputs, 37, InputType::kUInt8, c.activation, c.loss,
               c.loss != Loss::kCrossEntropy && c.loss != Loss::kBinaryCrossEntropy});
    data.model.dropout = c.dropout;
    data.model.batch_norm = c.batch_norm;
    data.train.label_smoothing = c.smoothing;
    data.train.class_weights = c.class_weights;
    OptimizerSpec& optimizer = data.train.optimizer;
    optimizer.ema = c.ema;
    optimizer.clip_norm = c.clip_norm;
    data.train.micro_batch = c.micro_batch;
    optimizer.kind = c.optimizer;
    optimizer.learning_rate = optimizer.adaptive() ? 0.002F : 0.05F;
    if (optimizer.adaptive()) optimizer.momentum = 0.0F;
    return data;
  }
};

const FakeDevice kRandom{.schedule = Schedule::kRandom};

double distance(const Tensor& a, const Tensor& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    sum += std::pow(double{a.values[i]} - double{b.values[i]}, 2.0);
  }
  return std::sqrt(sum);
}

TEST_P(DeviceEngineOptions, FollowTheCpuStepByStep) {
  const Data data = this->data();
  using enum ElementType;
  for (const auto& [storage, fused] : {std::pair(kFloat32, true), std::pair(kFloat32, false),
                                       std::pair(kBFloat16, true), std::pair(kBFloat16, false)}) {
    SCOPED_TRACE(fused ? "epilogues" : "no epilogues");
    const bool exact = storage == kFloat32;
    const EngineOnFake fixture(data, kRandom, {.storage = storage, .fused_backward = fused});
    Engine* const found = fixture.engine.get();
    const auto expected = data.engine(Precision::kFloat32, 2);
    const Parameters begin = expected->parameters();
    const Chunk chunk = data.packed();
    for (int round = 0; round < 4; ++round) {
      for (std::uint32_t s = 0; s < chunk.batches(); ++s) {
        for (Engine* engine : {found, expected.get()}) engine->train(chunk.slice(s, 1));
        const Metrics theirs = expected->metrics();
        const Metrics ours = found->metrics();
        const double relative = exact ? 2e-5 : 3e-2;
        EXPECT_NEAR(ours.mean_loss(), theirs.mean_loss(), relative * theirs.mean_loss())
            << "round " << round << ", step " << s;
        EXPECT_NEAR(ours.mean_squared_error(), theirs.mean_squared_error(),
                    relative * theirs.mean_squared_error())
            << "round " << round << ", step " << s;
      }
    }
    const Parameters trained = expected->parameters();
    const Parameters ours = found->parameters();
    // Adam makes whole steps of small gradients too, which are rounded three times: a leaky ReLU's.
    // Normalisation divides what rounding did to the sums by their deviation in a few rows.
    const bool magnified = data.train.optimizer.adaptive() || data.model.batch_norm;
    const double rounded = magnified ? 0.6 : 0.3;
    for (std::size_t t = 0; t < trained.size(); ++t) {
      EXPECT_LE(distance(ours[t], trained[t]),
                (exact ? 1e-3 : rounded) * distance(begin[t], trained[t]))
          << trained[t].name;
    }
    for (Engine* engine : {found, expected.get()}) engine->evaluate(chunk);
    const double loss = expected->metrics().loss_sum;
    EXPECT_NEAR(found->metrics().loss_sum, loss, (exact ? 2e-5 : 3e-2) * loss);
    const auto state = expected->optimizer_state();
    const auto our_state = found->optimizer_state();
    ASSERT_EQ(our_state.size(), state.size());
    for (std::size_t t = 0; t < state.size(); ++t) {
      EXPECT_EQ(our_state[t].name, state[t].name);
      EXPECT_EQ(our_state[t].shape, state[t].shape);
      const Tensor zero{"", {}, std::vector<float>(state[t].values.size())};
      EXPECT_LE(distance(our_state[t], state[t]),
                (exact ? 1e-3 : rounded) * distance(state[t], zero) + 1e-6)
          << state[t].name;
    }
  }
}

TEST_P(DeviceEngineOptions, GiveTheSameBitsInAnyChunksAndAfterAResumption) {
  const Data data = this->data();
  Chunk chunk = data.packed();
  chunk.batch = 5;
  const EngineOnFake whole(data, kRandom);
  for (int round = 0; round < 3; ++round) whole.engine->train(chunk);
  whole.engine->metrics();
  whole.engine->evaluate(chunk);

  EngineOnFake parts(data, kRandom);
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t first = 0; first < chunk.batches(); first += 3) {
      parts.engine->train(chunk.slice(first, 3));
      parts.engine->evaluate(chunk);  // which changes nothing
      if (round != 1 || first != 9) continue;
      auto other = make_device_engine(std::make_unique<FakeRuntime>(parts.device), data.model,
                                      data.train, {}, 0);
      other->set_parameters(parts.engine->parameters());
      other->set_optimizer_state(parts.engine->optimizer_state());
      parts.engine = std::move(other);
    }
  }
  EXPECT_TRUE(parts.engine->parameters() == whole.engine->parameters());
  EXPECT_TRUE(parts.engine->optimizer_state() == whole.engine->optimizer_state());
  parts.engine->metrics();
  parts.engine->evaluate(chunk);
  EXPECT_EQ(parts.engine->metrics().loss_sum, whole.engine->metrics().loss_sum);
}

TEST_P(DeviceEngineOptions, AScheduleRunsInTheSameGraphs) {
  const Data data = this->data();
  Chunk chunk = data.packed();
  chunk.batch = 4;
  chunk.count = 80;
  chunk.samples = chunk.samples.first(std::size_t{80} * data.model.features);
  chunk.labels = data.labels_of(0, 80);
  const EngineOnFake one_by_one(data, kRandom);
  const EngineOnFake scheduled(data, kRandom);
  FakeDevice& device = *scheduled.device;
  std::vector<float> rates(chunk.batches());
  for (int round = 0; round < 6; ++round) {
    for (std::size_t s = 0; s < rates.size(); ++s) {
      rates[s] = 0.001F * static_cast<float>(1 + round + static_cast<int>(s));
      one_by_one.engine->set_learning_rate(rates[s]);
      one_by_one.engine->train(chunk.slice(static_cast<std::uint32_t>(s), 1));
    }
    chunk.learning_rates = rates;
    if (round == 5) device.kernels = device.graph_launches = device.products = device.captures = 0;
    scheduled.engine->train(chunk);
    chunk.learning_rates = {};
  }
  EXPECT_EQ(device.kernels, device.graph_launches) << "what takes a piece to its graph";
  EXPECT_EQ(device.products + device.captures, 0);
  EXPECT_TRUE(scheduled.engine->parameters() == one_by_one.engine->parameters());
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Kind kind : {Kind::kSgd, Kind::kNesterov, Kind::kAdam, Kind::kAdamW}) {
    all.push_back({name_of(kind), kind});
  }
  all.push_back({"dropout", Kind::kSgd, 0.3F});
  all.push_back({"smoothing", Kind::kSgd, 0.0F, 0.1F});
  Case weighted{"weights_of_classes", Kind::kSgd, 0.0F, 0.1F};
  weighted.class_weights = {1.0F, 0.5F, 2.0F, 1.0F, 0.0F, 3.0F, 1.0F, 0.25F, 1.0F, 1.5F};
  all.push_back(weighted);
  weighted.name = "weights_of_classes_of_a_small_network";
  weighted.hidden = {32};
  all.push_back(weighted);
  all.push_back({"linear", Kind::kAdam, 0.0F, 0.1F, {}});
  all.push_back({"all", Kind::kAdamW, 0.2F, 0.02F, {70, 24, 33}});
  for (const auto activation :
       {Activation::kGelu, Activation::kTanh, Activation::kSigmoid, Activation::kLeakyRelu}) {
    std::string name = name_of(activation);
    std::ranges::replace(name, '-', '_');
    all.push_back({name, Kind::kSgd, 0.0F, 0.0F, {40, 21}, activation});
    all.push_back({name + "_all", Kind::kAdamW, 0.2F, 0.02F, {70, 24, 33}, activation});
  }
  Case averaged{"average"};
  averaged.ema = 0.6F;
  all.push_back(averaged);
  for (const float norm : {0.3F, 1e30F}) {
    Case clipped{norm < 1.0F ? "clipped" : "never_clipped"};
    clipped.clip_norm = norm;
    all.push_back(clipped);
  }
  // Batches of 37 and 19, of 5, and of 4.
  for (const std::uint32_t rows : {1U, 3U, 16U, 36U}) {
    Case parts{"parts_of_" + std::to_string(rows)};
    parts.micro_batch = rows;
    parts.dropout = 0.25F;
    all.push_back(parts);
  }
  all.push_back(
      {"parts_all", Kind::kAdamW, 0.2F, 0.02F, {24, 33}, Activation::kGelu, 0.9F, 0.5F, 3});
  for (const auto activation : {Activation::kRelu, Activation::kGelu}) {
    for (const bool all_else : {false, true}) {
      Case normed{std::string("norm_") + name_of(activation) + (all_else ? "_all" : "")};
      normed.batch_norm = true;
      normed.activation = activation;
      normed.hidden = {40, 21};
      if (all_else) {
        normed.optimizer = Kind::kNesterov;
        normed.dropout = 0.2F;
        normed.smoothing = 0.1F;
        normed.ema = 0.9F;
        normed.clip_norm = 0.5F;
        normed.micro_batch = 16;
      }
      all.push_back(normed);
    }
  }
  for (const Loss loss :
       {Loss::kSquaredError, Loss::kAbsoluteError, Loss::kHuber, Loss::kBinaryCrossEntropy}) {
    Case numbers{std::string(name_of(loss)) + "_of_numbers"};
    numbers.loss = loss;
    numbers.outputs = loss == Loss::kHuber ? 40 : loss == Loss::kAbsoluteError ? 1 : 5;
    all.push_back(numbers);
  }
  Case numbers{"numbers_all",     Kind::kAdamW, 0.2F, 0.0F, {24, 33},
               Activation::kGelu, 0.9F,         0.5F, 16};
  numbers.loss = Loss::kSquaredError;
  numbers.outputs = 3;
  numbers.batch_norm = true;
  all.push_back(numbers);
  averaged = {"average_all", Kind::kAdamW, 0.2F, 0.02F, {24, 33}, Activation::kGelu, 0.9F};
  all.push_back(averaged);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Cases, DeviceEngineOptions, testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace millrace::cuda
