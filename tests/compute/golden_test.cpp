// Holds the engines against PyTorch: the loss of every step and the final weights of the models of
// tests/golden/generate.py.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "compute/cuda_engine.h"
#include "compute/engine.h"
#include "compute/tensors.h"
#include "formats/safetensors.h"

namespace millrace {
namespace {

// Tests run in the project's root.
constexpr const char* kSgdTrace = "tests/golden/sgd_trace.safetensors";
constexpr const char* kOptionsTrace = "tests/golden/options_trace.safetensors";

struct Tolerance {
  double relative;
  double absolute;

  bool holds(double found, double expected) const {
    return std::abs(found - expected) <= absolute + relative * std::abs(expected);  // false for NaN
  }
};

// PyTorch's own float32 run stays within 1e-6 of its float64 run on every loss, and 3e-7 on every
// weight.
constexpr Tolerance kFloat32Loss{1e-5, 0};
constexpr Tolerance kFloat32Weight{1e-5, 1e-5};
// Over 204 steps; PyTorch's own float32 run stays within 1e-6 of its float64 run on every loss, and
// 8e-6 on every weight.
constexpr Tolerance kLongWeight{1e-5, 3e-5};
// Rounding both factors of every matrix product to bfloat16 in PyTorch moves these losses by up
// to 1.1 % and a weight by up to 0.013, where a unit crosses zero one step earlier.
constexpr Tolerance kBFloat16Loss{1e-2, 5e-3};
constexpr Tolerance kBFloat16Weight{1e-2, 2e-2};

// One model of the trace, ready to be trained.
class Trace {
 public:
  Trace(const char* file, const std::string& name) : file_(file), name_(name) {
    const auto options = nlohmann::json::parse(file_.metadata().at(name));
    const std::string data = options.at("data");
    const TensorView* samples = file_.find(data + ".samples");
    if (samples == nullptr || samples->shape.size() != 2)
      throw std::runtime_error(data + ".samples");
    samples_ = samples->values<std::uint8_t>();
    labels_ = file_.require(data + ".labels", DType::kInt32, std::array{samples->shape[0]})
                  .values<std::int32_t>();
    model_.features = static_cast<std::uint32_t>(samples->shape[1]);
    model_.hidden = options.at("hidden").get<std::vector<std::uint32_t>>();
    model_.classes = static_cast<std::uint32_t>(std::ranges::max(labels_)) + 1;
    train_.batch = options.at("batch");
    train_.optimizer = {options.at("lr"), options.at("momentum"), options.at("weight_decay")};
    if (options.contains("optimizer")) read_more(options);
    epochs_ = options.at("epochs");
    losses_ = losses<float>("loss", DType::kFloat32);
    losses64_ = losses<double>("loss64", DType::kFloat64);
  }

  const MlpSpec& model() const { return model_; }
  const TrainSpec& train() const { return train_; }
  std::uint32_t epochs() const { return epochs_; }
  std::span<const float> losses() const { return losses_; }
  std::span<const double> losses64() const { return losses64_; }

  // "init", "final" or "final64".
  Parameters parameters(const std::string& when) const {
    Parameters parameters;
    for (const Tensor& like : parameter_shapes(model_)) {
      parameters.push_back(tensor(when, like.name, like.shape));
    }
    return parameters;
  }

  // All samples, in file order.
  Chunk epoch() const {
    Chunk chunk;
    chunk.batch = train_.batch;
    chunk.count = static_cast<std::uint32_t>(labels_.size());
    chunk.samples = std::as_bytes(std::span(samples_));
    chunk.labels = labels_;
    return chunk;
  }

  // The same samples as a set to be resident in an engine.
  ResidentSet resident() const { return {std::as_bytes(std::span(samples_)), labels_, nullptr}; }

 private:
  void read_more(const nlohmann::json& options) {
    const auto kind = optimizer_called(options.at("optimizer").get<std::string>());
    if (!kind) throw std::runtime_error("unknown optimizer");
    train_.optimizer.kind = *kind;
    train_.optimizer.beta1 = options.at("beta1");
    train_.optimizer.beta2 = options.at("beta2");
    train_.optimizer.epsilon = options.at("epsilon");
    train_.label_smoothing = options.at("label_smoothing");
    train_.seed = options.at("seed");
    model_.batch_norm = options.at("batch_norm");
    model_.dropout = options.at("dropout");
  }
  template <typename T>
  std::vector<T> losses(const std::string& kind, DType dtype) const {
    const std::uint64_t steps = std::uint64_t{epochs_} * epoch().batches();
    return file_.require(name_ + "." + kind, dtype, std::array{steps}).template values<T>();
  }
  Tensor tensor(const std::string& when, const std::string& name,
                std::vector<std::uint64_t> shape) const {
    const TensorView& view = file_.require(name_ + "." + when + "." + name, DType::kFloat32, shape);
    return {name, std::move(shape), view.values<float>()};
  }

  SafetensorsFile file_;
  std::string name_;
  MlpSpec model_;
  TrainSpec train_;
  std::uint32_t epochs_ = 0;
  std::vector<std::uint8_t> samples_;
  std::vector<std::int32_t> labels_;
  std::vector<float> losses_;
  std::vector<double> losses64_;
};

// threads: 0 stands for the GPU.
std::unique_ptr<Engine> start(const Trace& trace, Precision precision, std::uint32_t threads) {
  TrainSpec train = trace.train();
  train.precision = precision;
  const auto kind = threads == 0 ? Device::Kind::kCuda : Device::Kind::kCpu;
  auto engine = make_engine(trace.model(), train, {.kind = kind, .threads = threads});
  engine->set_parameters(trace.parameters("init"));
  return engine;
}

// Mean loss of every step of all epochs.
std::vector<double> train_stepwise(Engine& engine, const Trace& trace) {
  std::vector<double> losses;
  const Chunk epoch = trace.epoch();
  for (std::uint32_t e = 0; e < trace.epochs(); ++e) {
    for (std::uint32_t step = 0; step < epoch.batches(); ++step) {
      engine.train(epoch.slice(step, 1));
      const Metrics metrics = engine.metrics();
      EXPECT_EQ(metrics.steps, 1U);
      EXPECT_EQ(metrics.samples, epoch.slice(step, 1).count);
      losses.push_back(metrics.mean_loss());
    }
  }
  return losses;
}

template <typename T>
void expect_losses(std::span<const double> found, std::span<const T> expected,
                   Tolerance tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t step = 0; step < found.size(); ++step) {
    EXPECT_TRUE(tolerance.holds(found[step], expected[step]))
        << "loss of step " << step << ": expected " << expected[step] << ", found " << found[step];
  }
}

void expect_parameters(const Parameters& found, const Parameters& expected, Tolerance tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t t = 0; t < found.size(); ++t) {
    EXPECT_EQ(found[t].name, expected[t].name);
    ASSERT_EQ(found[t].shape, expected[t].shape);
    std::size_t worst = 0;
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < found[t].values.size(); ++i) {
      const auto error = [&](std::size_t at) {
        return std::abs(found[t].values[at] - expected[t].values[at]);
      };
      if (!tolerance.holds(found[t].values[i], expected[t].values[i])) ++wrong;
      if (!(error(i) <= error(worst))) worst = i;
    }
    EXPECT_EQ(wrong, 0U) << found[t].name << ": value " << worst << " is " << found[t].values[worst]
                         << ", expected " << expected[t].values[worst];
  }
}

constexpr std::uint32_t kGpu = 0;

struct Case {
  const char* name;
  std::uint32_t threads;  // or kGpu
  const char* file = kSgdTrace;
};

void PrintTo(const Case& which, std::ostream* out) {
  *out << which.name << " on ";
  if (which.threads == kGpu) {
    *out << "a GPU";
  } else {
    *out << which.threads;
  }
}

class Golden : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (GetParam().threads != kGpu) return;
    if (const std::string obstacle = cuda_obstacle(); !obstacle.empty()) GTEST_SKIP() << obstacle;
  }

  Trace trace_{GetParam().file, GetParam().name};
};

TEST_P(Golden, Float32IsPyTorchsRun) {
  const auto engine = start(trace_, Precision::kFloat32, GetParam().threads);
  const std::vector<double> losses = train_stepwise(*engine, trace_);
  expect_losses<float>(losses, trace_.losses(), kFloat32Loss);
  expect_losses<double>(losses, trace_.losses64(), kFloat32Loss);
  expect_parameters(engine->parameters(), trace_.parameters("final"), kFloat32Weight);
}

TEST_P(Golden, BFloat16StaysNearPyTorchsRun) {
  const auto engine = start(trace_, Precision::kBFloat16, GetParam().threads);
  if (engine->info().precision != Precision::kBFloat16) GTEST_SKIP() << engine->info().notice;
  const std::vector<double> losses = train_stepwise(*engine, trace_);
  expect_losses<float>(losses, trace_.losses(), kBFloat16Loss);
  expect_parameters(engine->parameters(), trace_.parameters("final"), kBFloat16Weight);
}

TEST_P(Golden, WholeEpochsAsOneChunkGiveTheSameBits) {
  const auto stepwise = start(trace_, Precision::kFloat32, GetParam().threads);
  train_stepwise(*stepwise, trace_);

  const auto packed = start(trace_, Precision::kFloat32, GetParam().threads);
  const auto indexed = start(trace_, Precision::kFloat32, GetParam().threads);
  std::vector<std::uint32_t> order(trace_.epoch().count);
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  Chunk indices;
  indices.batch = trace_.train().batch;
  indices.count = trace_.epoch().count;
  indices.source = indexed->add_resident(trace_.resident());
  indices.indices = order;
  for (std::uint32_t e = 0; e < trace_.epochs(); ++e) {
    packed->train(trace_.epoch());
    indexed->train(indices);
  }
  EXPECT_EQ(packed->parameters(), stepwise->parameters());
  EXPECT_EQ(indexed->parameters(), stepwise->parameters());
}

// Optimizers, normalisation, dropout and label smoothing, over 204 steps.
class GoldenOptions : public Golden {};

TEST_P(GoldenOptions, Float32IsPyTorchsRun) {
  const auto engine = start(trace_, Precision::kFloat32, GetParam().threads);
  const std::vector<double> losses = train_stepwise(*engine, trace_);
  ASSERT_GE(losses.size(), 200U);
  expect_losses<double>(losses, trace_.losses64(), kFloat32Loss);
  expect_parameters(engine->parameters(), trace_.parameters("final64"), kLongWeight);
}

TEST_P(GoldenOptions, BFloat16LearnsAsWell) {
  const auto engine = start(trace_, Precision::kBFloat16, GetParam().threads);
  if (engine->info().precision != Precision::kBFloat16) GTEST_SKIP() << engine->info().notice;
  const std::vector<double> losses = train_stepwise(*engine, trace_);
  // The first steps have hardly drifted apart; the last have, but have learnt the same.
  const std::span<const double> expected = trace_.losses64();
  expect_losses<double>(std::span(losses).first(6), expected.first(6), {2e-2, 0});
  const auto last_epoch = [](std::span<const double> all) {
    double sum = 0.0;
    for (const double loss : all.last(6)) sum += loss / 6;
    return sum;
  };
  EXPECT_NEAR(last_epoch(losses), last_epoch(expected), 0.1 * last_epoch(expected) + 5e-3);
}

TEST_P(GoldenOptions, EvaluationUsesRunningStatisticsAndAllUnits) {
  const auto engine = start(trace_, Precision::kFloat32, GetParam().threads);
  train_stepwise(*engine, trace_);
  // By every sample alone as by all at once.
  engine->evaluate(trace_.epoch());
  const Metrics together = engine->metrics();
  for (std::uint32_t i = 0; i < trace_.epoch().batches(); ++i) {
    engine->evaluate(trace_.epoch().slice(i, 1));
  }
  const Metrics apart = engine->metrics();
  // A GPU's products may sum in another order where there are fewer rows.
  const double rounding = GetParam().threads == kGpu ? 1e-6 * together.loss_sum : 0.0;
  EXPECT_NEAR(together.loss_sum, apart.loss_sum, rounding);
  EXPECT_EQ(together.correct, apart.correct);
  EXPECT_GT(together.accuracy(), 0.85);
}

TEST_P(GoldenOptions, AnyThreadsAndAResumptionGiveTheSameBits) {
  for (const Precision precision : {Precision::kFloat32, Precision::kBFloat16}) {
    const auto on = [](std::uint32_t threads) {
      return GetParam().threads == kGpu ? kGpu : threads;
    };
    const auto whole = start(trace_, precision, on(1));
    const auto first = start(trace_, precision, on(3));
    const auto second = start(trace_, precision, on(2));
    for (int e = 0; e < 4; ++e) whole->train(trace_.epoch());
    const Chunk epoch = trace_.epoch();
    first->train(epoch);
    first->train(epoch.slice(0, 2));
    second->set_parameters(first->parameters());
    second->set_optimizer_state(first->optimizer_state());
    for (std::uint32_t s = 2; s < epoch.batches(); ++s) second->train(epoch.slice(s, 1));
    for (int e = 0; e < 2; ++e) second->train(epoch);
    EXPECT_TRUE(second->parameters() == whole->parameters());
    EXPECT_TRUE(second->optimizer_state() == whole->optimizer_state());
  }
}

// Each case once more on the GPU.
std::vector<Case> with_gpu(std::vector<Case> cases) {
  std::vector<Case> on_gpu;
  for (Case& c : cases) {
    const std::string_view name = c.name;
    if (std::ranges::none_of(on_gpu, [&](const Case& other) { return name == other.name; })) {
      on_gpu.push_back({c.name, kGpu, c.file});
    }
  }
  cases.insert(cases.end(), on_gpu.begin(), on_gpu.end());
  return cases;
}

std::string name_of_case(const testing::TestParamInfo<Case>& tested) {
  const std::string name = tested.param.name;
  if (tested.param.threads == kGpu) return name + "_cuda";
  return name + "_" + std::to_string(tested.param.threads) + "_threads";
}

const std::vector<Case> kCases{{"linear", 1},
                               {"one_hidden", 1},
                               {"two_hidden", 1},
                               {"momentum", 1},
                               {"weight_decay", 1},
                               {"momentum_and_decay", 1},
                               {"whole_set_a_batch", 1},
                               {"one_sample_a_batch", 1},
                               {"tutorial", 1},
                               {"two_hidden", 3},
                               {"momentum_and_decay", 2},
                               {"tutorial", 2},
                               {"tutorial", 3}};

INSTANTIATE_TEST_SUITE_P(Models, Golden, testing::ValuesIn(with_gpu(kCases)), name_of_case);

const std::vector<Case> kOptionCases{{"nesterov", 1, kOptionsTrace},
                                     {"adam", 2, kOptionsTrace},
                                     {"adamw", 1, kOptionsTrace},
                                     {"label_smoothing", 2, kOptionsTrace},
                                     {"dropout", 2, kOptionsTrace},
                                     {"batch_norm", 1, kOptionsTrace},
                                     {"batch_norm_nesterov", 2, kOptionsTrace},
                                     {"everything", 3, kOptionsTrace}};

INSTANTIATE_TEST_SUITE_P(Models, GoldenOptions, testing::ValuesIn(with_gpu(kOptionCases)),
                         name_of_case);

TEST(GoldenTrace, EveryModelIsTrainedHere) {
  for (const auto* cases : {&kCases, &kOptionCases}) {
    const SafetensorsFile file(cases->front().file);
    for (const auto& entry : file.metadata()) {
      if (entry.first == "torch") continue;  // the version that made it
      EXPECT_TRUE(std::ranges::any_of(*cases, [&](const Case& c) { return c.name == entry.first; }))
          << entry.first;
    }
  }
}

}  // namespace
}  // namespace millrace
