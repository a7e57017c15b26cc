#include "train/model_memory.h"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>

namespace millrace {
namespace {

MlpSpec model_of(std::vector<std::uint32_t> hidden) {
  MlpSpec model;
  model.features = 784;
  model.hidden = std::move(hidden);
  model.classes = 10;
  return model;
}

std::string refusal(const MlpSpec& model, const TrainSpec& train, std::uint64_t bytes) {
  try {
    check_memory(model, train, true, bytes);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "taken";
}

TEST(ModelMemory, IsOfParametersStateAndBatch) {
  const MlpSpec model = model_of({32});
  TrainSpec train;
  train.batch = 100;
  const std::uint64_t parameters = 25'450 * 4;
  const std::uint64_t batch = 100 * 32 * 4;
  EXPECT_EQ(least_memory(model, train, true), 2 * parameters + batch);
  EXPECT_EQ(least_memory(model, train, false), parameters);
  train.optimizer.momentum = 0.9F;
  EXPECT_EQ(least_memory(model, train, true), 4 * parameters + batch);
  train.optimizer = {.kind = OptimizerSpec::Kind::kAdam, .ema = 0.9F};
  EXPECT_EQ(least_memory(model, train, true), 8 * parameters + batch);
  train.micro_batch = 10;
  EXPECT_EQ(least_memory(model, train, true), 8 * parameters + batch / 10);
}

TEST(ModelMemory, SaturatesWhereItOverflows) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  constexpr std::uint32_t kWide = std::numeric_limits<std::uint32_t>::max();
  TrainSpec train;
  train.batch = kWide;
  EXPECT_EQ(least_memory(model_of({kWide, kWide, kWide}), train, true), kMost);
  EXPECT_EQ(least_memory(model_of({kWide, 1}), train, true), kMost);
}

TEST(ModelMemory, RefusalsNameTheOption) {
  TrainSpec train;
  EXPECT_EQ(refusal(model_of({1'000'000, 1'000'000}), train, 16'000'000'000),
            "--hidden: expected a model that fits in the 16.0 GB of memory at hand, found one that "
            "needs 8007.4 GB");
  train.batch = 4'000'000;
  EXPECT_EQ(refusal(model_of({1000}), train, 15'900'000'000),
            "--batch: expected a batch that fits in the 15.9 GB of memory at hand, found one that "
            "needs 16.0 GB");
  EXPECT_EQ(refusal(model_of({1000}), train, 16'100'000'000), "taken");
}

}  // namespace
}  // namespace millrace
