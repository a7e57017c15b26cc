// What the engine refuses, and how numbers that are not finite show.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "compute/cores.h"
#include "compute/cuda_engine.h"
#include "tests/compute/engine_data.h"

namespace millrace {
namespace {

using test::Data;
using test::Shape;

const Shape kSmall{5, {7, 6}, 3, 4, InputType::kFloat32};

TEST(EngineErrors, ALabelOutsideStopsTheChunkBeforeAnyStep) {
  for (const std::int32_t label : {-1, 3}) {
    Data data(kSmall);
    data.labels.back() = label;
    const auto engine = data.engine(Precision::kFloat32, 2);
    const Parameters before = engine->parameters();
    EXPECT_THROW(engine->train(data.packed()), std::out_of_range);
    EXPECT_THROW(engine->evaluate(data.packed()), std::out_of_range);
    EXPECT_THROW(engine->add_resident(data.resident()), std::out_of_range);
    EXPECT_TRUE(engine->parameters() == before);
    EXPECT_EQ(engine->metrics().samples, 0U);
  }
}

TEST(EngineErrors, ChunksThatDoNotFitAreRefused) {
  Data data(kSmall);
  const auto engine = data.engine(Precision::kFloat32, 2);
  const Parameters before = engine->parameters();
  EXPECT_THROW(engine->train(data.indexed(0)), std::invalid_argument);  // no such set
  const std::uint32_t source = engine->add_resident(data.resident());
  data.order.back() = static_cast<std::uint32_t>(data.labels.size());
  EXPECT_THROW(engine->train(data.indexed(source)), std::out_of_range);
  Chunk chunk = data.packed();
  chunk.batch = 5;
  EXPECT_THROW(engine->train(chunk), std::invalid_argument);
  chunk.batch = 0;
  EXPECT_THROW(engine->train(chunk), std::invalid_argument);
  chunk = data.packed();
  const std::vector<float> rates{0.1F, 0.1F, -1.0F};
  chunk.learning_rates = rates;
  EXPECT_THROW(engine->train(chunk), std::invalid_argument);
  chunk.learning_rates = std::span(rates).first(2);
  EXPECT_THROW(engine->train(chunk), std::invalid_argument);
  chunk = data.packed();
  ++chunk.count;
  EXPECT_THROW(engine->train(chunk), std::invalid_argument);
  ResidentSet set = data.resident();
  set.samples = set.samples.first(set.samples.size() - 1);
  EXPECT_THROW(engine->add_resident(set), std::invalid_argument);
  EXPECT_TRUE(engine->parameters() == before);
}

TEST(EngineErrors, ImpossibleSpecsAreRefused) {
  const auto refused = [](const std::function<void(Data&)>& spoil) {
    Data data(kSmall);
    spoil(data);
    EXPECT_THROW(data.engine(Precision::kFloat32, 1), std::invalid_argument);
  };
  refused([](Data& d) { d.model.features = 0; });
  refused([](Data& d) { d.model.classes = 0; });
  refused([](Data& d) { d.model.hidden = {3, 0}; });
  refused([](Data& d) { d.model.input_scale = std::numeric_limits<float>::infinity(); });
  refused([](Data& d) { d.train.batch = 0; });
  refused([](Data& d) { d.train.class_weights = {1.0F, 1.0F}; });
  for (const float bad : {-1.0F, std::numeric_limits<float>::quiet_NaN()}) {
    refused([bad](Data& d) { d.train.class_weights = {1.0F, bad, 1.0F}; });
    refused([bad](Data& d) { d.train.optimizer.learning_rate = bad; });
    refused([bad](Data& d) { d.train.optimizer.momentum = bad; });
    refused([bad](Data& d) { d.train.optimizer.weight_decay = bad; });
  }
}

TEST(EngineErrors, TensorsThatDoNotFitAreNamed) {
  const Data data(kSmall);
  const auto engine = data.engine(Precision::kFloat32, 1);
  const Parameters good = engine->parameters();
  Parameters bad = good;
  bad[2].shape = {7, 6};
  for (const bool optimizer : {false, true}) {
    try {
      optimizer ? engine->set_optimizer_state(bad) : engine->set_parameters(bad);
      ADD_FAILURE() << "accepted";
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(std::string(error.what()).find("2.weight: expected [6, 7], found [7, 6]"), 0U)
          << error.what();
    }
  }
  EXPECT_TRUE(engine->parameters() == good);
}

TEST(EngineDevices, AutoWorksAndCudaIsThereOrExplained) {
  const Data data(kSmall);
  const EngineInfo automatic = make_engine(data.model, data.train, {})->info();
  const std::string obstacle = cuda_obstacle();
  EXPECT_EQ(automatic.device, obstacle.empty() ? "cuda:0" : "cpu");
  EXPECT_EQ(automatic.notice,
            cuda_built() && !obstacle.empty() ? obstacle + ": training on the CPU" : std::string());
  try {
    EXPECT_EQ(make_engine(data.model, data.train, {.kind = Device::Kind::kCuda})
                  ->info()
                  .device.find("cuda"),
              0U);
  } catch (const DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("cuda"), std::string::npos) << error.what();
  }
}

// A thousand threads on two cores took 150 times as long, without a word.
TEST(EngineDevices, ManyMoreThreadsThanCoresAreTold) {
  const Data data(kSmall);
  const std::uint32_t cores = available_cores();
  const auto notice = [&](std::uint32_t threads) {
    return make_engine(data.model, data.train, {.kind = Device::Kind::kCpu, .threads = threads})
        ->info()
        .notice;
  };
  EXPECT_EQ(notice(2 * cores), "");
  EXPECT_EQ(notice(5 * cores).find(std::to_string(5 * cores) + " threads compute on "), 0U);
}

TEST(EngineDevices, ThreadsThatAreChosenMayBeFewerThanCores) {
  const Data data(kSmall);
  const auto threads = [&](std::uint32_t asked, std::uint32_t most) {
    const Device device{
        .kind = Device::Kind::kCpu, .index = 0, .threads = asked, .most_threads = most};
    return make_engine(data.model, data.train, device)->info().threads;
  };
  EXPECT_EQ(threads(0, 0), available_cores());
  EXPECT_EQ(threads(0, 1), 1U);
  EXPECT_EQ(threads(0, 1000), available_cores());
  EXPECT_EQ(threads(3, 1), 3U) << "what is asked for is not chosen";
}

class NonFinite : public testing::TestWithParam<Precision> {};

TEST_P(NonFinite, ANanWeightOfAnyLayerShowsInTheFirstStep) {
  const Data data(kSmall);
  for (const std::size_t tensor : {0U, 1U, 2U, 3U, 4U, 5U}) {
    const auto engine = data.engine(GetParam(), 2);
    Parameters parameters = engine->parameters();
    parameters[tensor].values[0] = std::numeric_limits<float>::quiet_NaN();
    engine->set_parameters(parameters);
    engine->train(data.packed());
    EXPECT_EQ(engine->metrics().first_nonfinite_step, std::optional<std::uint64_t>(0))
        << "tensor " << tensor;
  }
}

TEST_P(NonFinite, ASampleShowsInItsStepAndMetricsCountAnew) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Data data(kSmall);
    const auto raw = std::as_bytes(std::span(&bad, 1));
    std::copy(raw.begin(), raw.end(),
              data.bytes.begin() + 2 * 4 * 5 * 4);  // the third step's first sample
    const auto whole = data.engine(GetParam(), 2);
    whole->train(data.packed());
    EXPECT_EQ(whole->metrics().first_nonfinite_step, std::optional<std::uint64_t>(2));
    const auto parts = data.engine(GetParam(), 2);
    parts->train(data.packed().slice(0, 1));
    EXPECT_EQ(parts->metrics().first_nonfinite_step, std::nullopt);
    parts->train(data.packed().slice(1, 2));
    EXPECT_EQ(parts->metrics().first_nonfinite_step, std::optional<std::uint64_t>(1));
    const Metrics empty = parts->metrics();
    EXPECT_EQ(empty.samples + empty.steps, 0U);
    EXPECT_EQ(empty.loss_sum, 0.0);
  }
}

TEST_P(NonFinite, AHugeLearningRateShowsInTheSecondStep) {
  Data data({5, {}, 3, 4, InputType::kFloat32});
  data.train.optimizer = {3e38F, 0.0F, 0.0F};
  data.model.input_scale = 1e3F;
  const auto engine = data.engine(GetParam(), 2);
  engine->train(data.packed());
  EXPECT_EQ(engine->metrics().first_nonfinite_step, std::optional<std::uint64_t>(1));
}

INSTANTIATE_TEST_SUITE_P(Precisions, NonFinite,
                         testing::Values(Precision::kFloat32, Precision::kBFloat16),
                         [](const auto& tested) {
                           return std::string(tested.param == Precision::kFloat32 ? "f32" : "bf16");
                         });

}  // namespace
}  // namespace millrace
