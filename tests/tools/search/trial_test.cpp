#include "tools/search/trial.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

EpochResult epoch(std::uint64_t number, double accuracy, double loss) {
  EpochResult result;
  result.epoch = number;
  result.val_acc = accuracy;
  result.val_loss = loss;
  result.train_s = 0.25;
  return result;
}

RunSpec spec_of(std::uint64_t seed) {
  RunSpec spec;
  spec.seed = seed;
  return spec;
}

TrialRun run_of(double score, double loss = 0.5, std::uint64_t epoch = 2) {
  TrialRun run;
  run.seed = 7;
  run.score = score;
  run.loss = loss;
  run.epoch = epoch;
  run.epochs = 3;
  run.train_s = 0.75;
  run.weights_hash = "ff";
  return run;
}

Trial trial(std::uint64_t number, const std::vector<TrialRun>& runs) {
  return {number, {"0.1", "64"}, runs};
}

TEST(TrialRun, IsOfItsBestEpoch) {
  RunResult result;
  result.history = {epoch(0, 0.8, 0.5), epoch(1, 0.9, 0.4), epoch(2, 0.9, 0.3),
                    epoch(3, 0.85, 0.2)};
  result.weights_hash = "abcd";
  const TrialRun run = trial_run(spec_of(5), result);
  EXPECT_EQ(run.seed, 5U);
  EXPECT_EQ(run.score, 0.9);
  EXPECT_EQ(run.loss, 0.3);
  EXPECT_EQ(run.epoch, 2U);
  EXPECT_EQ(run.epochs, 4U);
  EXPECT_EQ(run.train_s, 1.0);
  EXPECT_EQ(run.weights_hash, "abcd");
  EXPECT_EQ(run.diverged, "");
}

TEST(TrialRun, OfARegressionGoesByR2) {
  RunResult result;
  result.history = {epoch(0, 0, 0.5)};
  result.history[0].val_acc.reset();
  result.history[0].val_r2 = -0.25;
  EXPECT_EQ(trial_run(spec_of(0), result).score, -0.25);
  result.history[0].val_r2 = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(trial_run(spec_of(0), result).diverged, "its validation score is no number");
}

TEST(TrialRun, ComesBackFromJson) {
  const TrialRun run = run_of(0.1 + 0.2);
  EXPECT_EQ(trial_run_in(Json::parse(to_json(run).dump())), run);
  const TrialRun diverged = diverged_run(spec_of(3), "step 4: loss is nan");
  EXPECT_EQ(trial_run_in(Json::parse(to_json(diverged).dump())), diverged);
  RunSpec spec = spec_of(4);
  spec.fold = {1, 5};
  const TrialRun fold = diverged_run(spec, "nan");
  EXPECT_EQ(fold.fold, 2U);
  EXPECT_EQ(trial_run_in(Json::parse(to_json(fold).dump())), fold);
}

TEST(TrialRun, IsNotInOtherJson) {
  const Json good = to_json(run_of(0.5));
  for (const auto& [name, value] : good.items()) {
    Json lacks = good;
    lacks.erase(name);
    EXPECT_EQ(trial_run_in(lacks), std::nullopt) << name;
    Json other = good;
    other[name] = Json::array();
    EXPECT_EQ(trial_run_in(other), std::nullopt) << name;
  }
  Json negative = good;
  negative["epoch"] = -1;
  EXPECT_EQ(trial_run_in(negative), std::nullopt);
  EXPECT_EQ(trial_run_in(Json::parse(R"({"seed": 1, "diverged": ""})")), std::nullopt);
  EXPECT_EQ(trial_run_in(Json::parse(R"({"seed": 1, "diverged": 2})")), std::nullopt);
  EXPECT_EQ(trial_run_in(Json::parse("[1]")), std::nullopt);
  EXPECT_EQ(trial_run_in(Json::parse("null")), std::nullopt);
}

TEST(Ranked, PutsTheBestFirst) {
  const std::vector<Trial> trials{trial(1, {run_of(0.8)}),
                                  trial(2, {diverged_run(spec_of(0), "nan")}),
                                  trial(3, {run_of(0.9, 0.4)}),
                                  trial(4, {run_of(0.9, 0.3)}),
                                  trial(5, {run_of(0.9, 0.4)}),
                                  trial(6, {}),
                                  trial(7, {run_of(1), run_of(0.5)}),
                                  trial(8, {run_of(1), diverged_run(spec_of(0), "nan")})};
  std::vector<std::uint64_t> numbers;
  for (const Trial& trial : ranked(trials)) numbers.push_back(trial.number);
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{4, 3, 5, 1, 7, 2, 8}));
}

TEST(Ranking, IsATable) {
  const std::vector<Axis> axes{parse_axis("lr=0.1/1"), parse_axis("hidden=64/128,64")};
  std::vector<Trial> trials{trial(12, {run_of(0.98125, 0.0625)}),
                            trial(3, {run_of(0.75, 23456, 10)}),
                            trial(1, {diverged_run(spec_of(0), "nan")})};
  trials[1].values = {"1", "128,64"};
  EXPECT_EQ(ranking(trials, axes, "val_acc", 10),
            (std::vector<std::string>{"trial   val_acc   val_loss  epoch  train_s   lr  hidden",
                                      "   12    0.9812     0.0625      2     0.75  0.1      64",
                                      "    3    0.7500  2.346e+04     10     0.75    1  128,64",
                                      "    1  diverged          -      -     0.00  0.1      64"}));
  EXPECT_EQ(ranking(trials, axes, "val_acc", 1).size(), 2U);
}

TEST(Ranking, OfSeveralRunsSaysHowFarTheyAreApart) {
  const std::vector<Axis> axes{parse_axis("lr=0.1/1"), parse_axis("hidden=64/128")};
  const std::vector<Trial> trials{trial(1, {run_of(0.7, 0.5, 1), run_of(0.9, 0.7, 4)}),
                                  trial(2, {run_of(0.5), run_of(0.5)})};
  EXPECT_EQ(
      ranking(trials, axes, "val_r2", 10),
      (std::vector<std::string>{"trial           val_r2  val_loss  epoch  train_s   lr  hidden",
                                "    1  0.8000 ± 0.1414    0.6000    1-4     0.75  0.1      64",
                                "    2  0.5000 ± 0.0000    0.5000      2     0.75  0.1      64"}));
}

}  // namespace
}  // namespace millrace
