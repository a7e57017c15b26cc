#include "train/compatibility.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "formats/error.h"

namespace millrace {
namespace {

RunIdentity this_run() {
  RunIdentity run;
  run.options = {{784, 64, 10}, 128, 1000, {0.1F, 0.9F, 0.0F}, Precision::kFloat32, 7, true};
  run.dataset = "data/train";
  run.dataset_hash = "aaaa";
  run.epochs = 10;
  run.steps_per_epoch = 100;
  return run;
}

RunState half_way() {
  RunState state;
  state.epoch = 2;
  state.batch = 50;
  state.step = 250;
  state.options = this_run().options;
  state.dataset_hash = "aaaa";
  return state;
}

std::string refusal(const RunState& state) {
  try {
    check_compatible("old.safetensors", state, this_run());
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Compatibility, TheSameRunGoesOnInSilence) {
  EXPECT_TRUE(check_compatible("old.safetensors", half_way(), this_run()).empty());
}

TEST(Compatibility, EveryDifferenceIsNamedWithBothValues) {
  using Change = std::function<void(RunState&)>;
  const std::vector<std::pair<Change, std::string>> cases = {
      {[](RunState& s) {
         s.options.widths = {784, 32, 10};
       },
       "hidden: checkpoint 32, this run 64"},
      {[](RunState& s) {
         s.options.widths = {784, 64, 8, 10};
       },
       "hidden: checkpoint 64,8, this run 64"},
      {[](RunState& s) {
         s.options.widths = {784, 10};
       },
       "hidden: checkpoint none, this run 64"},
      {[](RunState& s) {
         s.options.widths = {9, 64, 10};
       },
       "features: checkpoint 9, this run 784"},
      {[](RunState& s) {
         s.options.widths = {784, 64, 4};
       },
       "classes: checkpoint 4, this run 10"},
      {[](RunState& s) { s.options.activation = Activation::kTanh; },
       "activation: checkpoint tanh, this run relu"},
      {[](RunState& s) { s.options.accumulate = 2; },
       "batches of a step: checkpoint 2, this run 1"},
      {[](RunState& s) { s.options.optimizer.ema = 0.9F; },
       "average of the weights: checkpoint on, this run off"},
      {[](RunState& s) { s.options.batch = 64; }, "batch: checkpoint 64, this run 128"},
      {[](RunState& s) { s.options.validation_size = 0; },
       "validation size: checkpoint 0, this run 1000"},
      {[](RunState& s) {
         s.options.fold = {1, 5};
       },
       "fold: checkpoint 2 of 5, this run none"},
      {[](RunState& s) { s.options.precision = Precision::kBFloat16; },
       "precision: checkpoint bf16, this run fp32"},
      {[](RunState& s) { s.options.seed = 8; }, "seed: checkpoint 8, this run 7"},
      {[](RunState& s) { s.options.shuffle = false; }, "shuffle: checkpoint off, this run on"},
      {[](RunState& s) { s.dataset_hash = "bbbb"; },
       "data set: checkpoint content bbbb, this run data/train with content aaaa"}};
  for (const auto& [change, expected] : cases) {
    RunState state = half_way();
    change(state);
    const std::string line = refusal(state);
    EXPECT_NE(line.find(expected), std::string::npos) << line;
    EXPECT_TRUE(line.starts_with("old.safetensors: ")) << line;
  }
}

TEST(Compatibility, AllDifferencesAreToldAtOnce) {
  RunState state = half_way();
  state.options.batch = 64;
  state.options.seed = 8;
  const std::string line = refusal(state);
  EXPECT_NE(line.find("batch: checkpoint 64, this run 128; seed: checkpoint 8, this run 7"),
            std::string::npos)
      << line;
}

TEST(Compatibility, ChangedRatesAreAllowedAndTold) {
  RunState state = half_way();
  state.options.optimizer = {0.05F, 0.0F, 1e-4F};
  const std::vector<std::string> expected = {"learning rate: checkpoint 0.05, this run 0.1",
                                             "momentum: checkpoint 0, this run 0.9",
                                             "weight decay: checkpoint 0.0001, this run 0"};
  EXPECT_EQ(check_compatible("old.safetensors", state, this_run()), expected);
}

TEST(Compatibility, ChangedDistortionsAreTold) {
  RunState state = half_way();
  state.options.augment.elastic_sigma = 2.0F;  // of nothing
  EXPECT_TRUE(check_compatible("old.safetensors", state, this_run()).empty());
  state.options.augment = {.shear = 5.0F, .elastic = 34.0F};
  const std::vector<std::string> expected = {"shear: checkpoint 5, this run 0",
                                             "elastic: checkpoint 34, this run 0"};
  EXPECT_EQ(check_compatible("old.safetensors", state, this_run()), expected);
}

TEST(Compatibility, NothingLeftToTrainIsTold) {
  RunState state = half_way();
  state.epoch = 10;
  state.batch = 0;
  state.step = 1000;
  const auto lines = check_compatible("old.safetensors", state, this_run());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("10 of 10 epochs"), std::string::npos) << lines[0];
}

TEST(Compatibility, AnImpossiblePositionIsRefused) {
  RunState state = half_way();
  state.step = 251;
  EXPECT_NE(refusal(state).find("step 251 as batch 50 of epoch 2"), std::string::npos);
  state = half_way();
  state.batch = 101;
  state.step = 301;
  EXPECT_NE(refusal(state), "accepted");
}

}  // namespace
}  // namespace millrace
