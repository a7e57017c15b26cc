// Holds the engine against PyTorch: the loss of every step and the final weights of the models of
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
#include <vector>

#include "compute/engine.h"
#include "formats/safetensors.h"

namespace millrace {
namespace {

constexpr const char* kTrace =
    "tests/golden/sgd_trace.safetensors";  // tests run in the project's root

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
// Rounding both factors of every matrix product to bfloat16 in PyTorch moves these losses by up
// to 1.1 % and a weight by up to 0.013, where a unit crosses zero one step earlier.
constexpr Tolerance kBFloat16Loss{1e-2, 5e-3};
constexpr Tolerance kBFloat16Weight{1e-2, 2e-2};

// One model of the trace, ready to be trained.
class Trace {
 public:
  explicit Trace(const std::string& name) : file_(kTrace), name_(name) {
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
    train_.sgd = {options.at("lr"), options.at("momentum"), options.at("weight_decay")};
    epochs_ = options.at("epochs");
    losses_ = losses<float>("loss", DType::kFloat32);
    losses64_ = losses<double>("loss64", DType::kFloat64);
  }

  const MlpSpec& model() const { return model_; }
  const TrainSpec& train() const { return train_; }
  std::uint32_t epochs() const { return epochs_; }
  std::span<const float> losses() const { return losses_; }
  std::span<const double> losses64() const { return losses64_; }

  // "init" or "final".
  Parameters parameters(const std::string& when) const {
    const auto widths = model_.widths();
    Parameters parameters;
    for (std::size_t layer = 0; layer + 1 < widths.size(); ++layer) {
      const std::string module = std::to_string(2 * layer);
      parameters.push_back(tensor(when, module + ".weight", {widths[layer + 1], widths[layer]}));
      parameters.push_back(tensor(when, module + ".bias", {widths[layer + 1]}));
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

std::unique_ptr<Engine> start(const Trace& trace, Precision precision, std::uint32_t threads) {
  TrainSpec train = trace.train();
  train.precision = precision;
  auto engine = make_engine(trace.model(), train, {.kind = Device::Kind::kCpu, .threads = threads});
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

struct Case {
  const char* name;
  std::uint32_t threads;
};

void PrintTo(const Case& which, std::ostream* out) {
  *out << which.name << " on " << which.threads;
}

class Golden : public testing::TestWithParam<Case> {
 protected:
  Trace trace_{GetParam().name};
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

INSTANTIATE_TEST_SUITE_P(Models, Golden, testing::ValuesIn(kCases), [](const auto& tested) {
  return std::string(tested.param.name) + "_" + std::to_string(tested.param.threads) + "_threads";
});

TEST(GoldenTrace, EveryModelIsTrainedHere) {
  const SafetensorsFile file(kTrace);
  for (const auto& entry : file.metadata()) {
    if (entry.first == "torch") continue;  // the version that made it
    EXPECT_TRUE(std::ranges::any_of(kCases, [&](const Case& c) { return c.name == entry.first; }))
        << entry.first;
  }
}

}  // namespace
}  // namespace millrace
