// Every optimizer with every schedule, and with every kind of layer, against the losses of PyTorch
// in double precision (tests/golden/generate.py), step by step.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "compute/cuda_engine.h"
#include "compute/engine.h"
#include "formats/safetensors.h"
#include "train/schedule.h"

namespace millrace {
namespace {

// Tests run in the project's root.
constexpr const char* kMatrix = "tests/golden/matrix_trace.safetensors";
constexpr const char* kData = "tests/golden/options_trace.safetensors";

struct Samples {
  Samples() {
    const SafetensorsFile file(kData);
    const TensorView* samples = file.find("small.samples");
    if (samples == nullptr) throw std::runtime_error("small.samples");
    values = samples->values<std::uint8_t>();
    features = static_cast<std::uint32_t>(samples->shape.at(1));
    labels = file.require("small.labels", DType::kInt32, std::array{samples->shape.at(0)})
                 .values<std::int32_t>();
  }
  Chunk chunk(std::uint32_t batch) const {
    Chunk chunk;
    chunk.batch = batch;
    chunk.count = static_cast<std::uint32_t>(labels.size());
    chunk.samples = std::as_bytes(std::span(values));
    chunk.labels = labels;
    return chunk;
  }
  std::vector<std::uint8_t> values;
  std::vector<std::int32_t> labels;
  std::uint32_t features = 0;
};

ScheduleSpec schedule_of(const nlohmann::json& options) {
  using Kind = ScheduleSpec::Kind;
  ScheduleSpec spec;
  const std::string name = options.at("schedule");
  if (name == "step") spec.kind = Kind::kStep;
  if (name == "cosine") spec.kind = Kind::kCosine;
  if (name == "one-cycle") spec.kind = Kind::kOneCycle;
  spec.warmup_epochs = options.at("warmup");
  spec.step_epochs = options.at("step_epochs");
  spec.gamma = options.at("gamma");
  return spec;
}

// The losses that the trace has, by an engine of ours.
std::vector<double> losses(const nlohmann::json& options, const Samples& samples,
                           Precision precision, Device::Kind device) {
  MlpSpec model;
  model.features = samples.features;
  model.hidden = options.at("hidden").get<std::vector<std::uint32_t>>();
  model.classes = static_cast<std::uint32_t>(std::ranges::max(samples.labels)) + 1;
  model.batch_norm = options.at("batch_norm");
  model.dropout = options.at("dropout");
  model.activation = activation_called(options.at("activation").get<std::string>()).value();
  const std::uint32_t accumulate = options.at("accumulate");
  TrainSpec train;
  train.micro_batch = options.at("batch");
  train.batch = train.micro_batch * accumulate;
  train.precision = precision;
  train.seed = options.at("seed");
  train.label_smoothing = options.at("label_smoothing");
  train.optimizer = {options.at("lr"), options.at("momentum"), options.at("weight_decay")};
  train.optimizer.kind = optimizer_called(options.at("optimizer").get<std::string>()).value();
  train.optimizer.epsilon = options.at("epsilon");
  train.optimizer.clip_norm = options.at("clip_norm");
  train.optimizer.ema = options.at("ema");
  const auto engine = make_engine(model, train, {.kind = device, .threads = 1});
  const Chunk epoch = samples.chunk(train.batch);
  const std::uint64_t epochs = options.at("epochs");
  const Schedule schedule(schedule_of(options), train.optimizer.learning_rate, epoch.batches(),
                          epochs);
  std::vector<double> found;
  for (std::uint64_t step = 0; step < epochs * epoch.batches(); ++step) {
    const std::vector<float> rate{schedule.at(step)};
    Chunk slice = epoch.slice(static_cast<std::uint32_t>(step % epoch.batches()), 1);
    slice.learning_rates = rate;
    engine->train(slice);
    double loss = engine->metrics().mean_loss();
    if (train.optimizer.ema > 0.0F) {
      engine->evaluate(epoch);
      loss = engine->metrics().mean_loss();
    }
    found.push_back(loss);
  }
  return found;
}

template <class F>
void each_case(const F& f) {
  const SafetensorsFile file(kMatrix);
  for (const auto& [name, text] : file.metadata()) {
    if (name == "torch" || name.starts_with("millrace.")) continue;
    const TensorView* view = file.find(name);
    ASSERT_NE(view, nullptr) << name;
    f(name, nlohmann::json::parse(text), view->values<float>());
  }
}

class GoldenMatrix : public testing::TestWithParam<Device::Kind> {
 protected:
  void SetUp() override {
    if (GetParam() != Device::Kind::kCuda) return;
    if (const std::string obstacle = cuda_obstacle(); !obstacle.empty()) GTEST_SKIP() << obstacle;
  }
};

TEST_P(GoldenMatrix, Float32LossesArePyTorchs) {
  const Samples samples;
  std::uint32_t cases = 0;
  each_case([&](const std::string& name, const nlohmann::json& options,
                const std::vector<float>& expected) {
    const std::vector<double> found = losses(options, samples, Precision::kFloat32, GetParam());
    ++cases;
    ASSERT_EQ(found.size(), expected.size());
    ASSERT_GE(found.size(), 200U);
    double worst = 0.0;
    for (std::size_t step = 0; step < found.size(); ++step) {
      const double error = std::abs(found[step] - double{expected[step]}) / double{expected[step]};
      if (!(error <= worst)) worst = error;
    }
    EXPECT_LE(worst, 1e-5) << name;
  });
  EXPECT_EQ(cases, 132U);
}

// The last losses, which 200 steps of rounding have moved, are of as good a net.
TEST_P(GoldenMatrix, BFloat16LearnsAsWell) {
  const Samples samples;
  each_case([&](const std::string& name, const nlohmann::json& options,
                const std::vector<float>& expected) {
    const auto mean_of_last = [](auto begin, auto end) {
      double sum = 0.0;
      for (auto at = end - 12; at != end; ++at) sum += double{*at} / 12;
      return begin == end ? 0.0 : sum;
    };
    const std::vector<double> found = losses(options, samples, Precision::kBFloat16, GetParam());
    EXPECT_NEAR(found.front(), expected.front(), 2e-2 * expected.front()) << name;
    const double wanted = mean_of_last(expected.begin(), expected.end());
    EXPECT_NEAR(mean_of_last(found.begin(), found.end()), wanted, 0.15 * wanted + 1e-2) << name;
  });
}

INSTANTIATE_TEST_SUITE_P(Devices, GoldenMatrix,
                         testing::Values(Device::Kind::kCpu, Device::Kind::kCuda),
                         [](const auto& tested) {
                           return tested.param == Device::Kind::kCpu ? "cpu" : "cuda";
                         });

// Or the matrix could shrink unseen.
TEST(GoldenMatrixTrace, HasEveryOptimizerWithEveryScheduleAndLayer) {
  std::set<std::string> pairs;
  each_case([&](const std::string&, const nlohmann::json& options, const std::vector<float>&) {
    const std::string optimizer = options.at("optimizer");
    pairs.insert(optimizer + " " + options.at("schedule").get<std::string>());
    const bool normed = options.at("batch_norm");
    const bool dropped = options.at("dropout").get<double>() > 0.0;
    const bool smoothed = options.at("label_smoothing").get<double>() > 0.0;
    pairs.insert(optimizer + " " + options.at("activation").get<std::string>() + " " +
                 std::to_string(static_cast<int>(normed)) +
                 std::to_string(static_cast<int>(dropped)) +
                 std::to_string(static_cast<int>(smoothed)));
  });
  for (const std::string optimizer : {"sgd", "nesterov", "adam", "adamw"}) {
    for (const char* schedule : {"constant", "step", "cosine", "one-cycle", "warmup"}) {
      EXPECT_TRUE(pairs.contains(optimizer + " " + schedule)) << optimizer << ' ' << schedule;
    }
    for (const char* activation : {"relu", "gelu", "tanh", "sigmoid", "leaky-relu"}) {
      for (const char* layers : {"000", "100", "010", "001", "111"}) {
        EXPECT_TRUE(pairs.contains(optimizer + " " + activation + " " + layers))
            << optimizer << ' ' << activation << ' ' << layers;
      }
    }
  }
}

}  // namespace
}  // namespace millrace
