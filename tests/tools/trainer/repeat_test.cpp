#include "tools/trainer/repeat.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

namespace millrace {
namespace {

std::vector<RepeatResult> three() {
  return {{3, 0.90, 0.80, 1.0, "aa"}, {4, 0.92, 0.83, 2.0, "bb"}, {5, 0.94, 0.86, 6.0, "cc"}};
}

TEST(Spread, IsMeanAndDeviationOfTheSample) {
  const std::vector<double> numbers{2, 4, 4, 4, 5, 5, 7, 9};
  EXPECT_DOUBLE_EQ(spread_of(numbers).mean, 5.0);
  EXPECT_DOUBLE_EQ(spread_of(numbers).deviation, std::sqrt(32.0 / 7.0));
  const std::vector<double> one{0.25};
  EXPECT_EQ(spread_of(one).mean, 0.25);
  EXPECT_EQ(spread_of(one).deviation, 0.0);
  EXPECT_THROW(spread_of({}), std::invalid_argument);
}

TEST(RepeatResult, IsOfTheWholeRun) {
  RunResult run;
  run.test_acc = 0.5;
  run.weights_hash = "ff";
  run.history.resize(2);
  run.history[0].val_acc = 0.9;
  run.history[1].val_acc = 0.8;
  run.history[0].train_s = 1.5;
  run.history[1].train_s = 2.0;
  RunSpec spec;
  spec.seed = 7;
  const RepeatResult result = repeat_result(spec, Task::kClassification, run);
  EXPECT_EQ(result.seed, 7U);
  EXPECT_EQ(result.val_score, 0.8);
  EXPECT_EQ(result.test_score, 0.5);
  EXPECT_EQ(result.train_s, 3.5);
  EXPECT_EQ(repeat_result(spec, Task::kClassification, RunResult{}).val_score, std::nullopt);
  run.test_r2 = 0.7;
  run.history[1].val_r2 = 0.6;
  EXPECT_EQ(repeat_result(spec, Task::kRegression, run).val_score, 0.6);
  EXPECT_EQ(repeat_result(spec, Task::kRegression, run).test_score, 0.7);
}

TEST(SpecOfRun, HasASeedAndAFolderOfItsOwn) {
  RunSpec spec;
  spec.seed = 10;
  EXPECT_TRUE(spec_of_run(spec, 2).checkpoint_dir.empty());
  spec.checkpoint_dir = "c";
  EXPECT_EQ(spec_of_run(spec, 2).seed, 12U);
  EXPECT_EQ(spec_of_run(spec, 2).checkpoint_dir, "c/seed-12");
  EXPECT_EQ(run_name(spec), (std::pair<std::string, std::uint64_t>{"seed", 10}));
}

TEST(SpecOfRun, OfFoldsHasAFold) {
  RunSpec spec;
  spec.seed = 10;
  spec.checkpoint_dir = "c";
  spec.fold.count = 5;
  const RunSpec third = spec_of_run(spec, 2);
  EXPECT_EQ(third.seed, 10U);
  EXPECT_EQ(third.fold, (Fold{2, 5}));
  EXPECT_EQ(third.checkpoint_dir, "c/fold-3");
  EXPECT_EQ(run_name(third), (std::pair<std::string, std::uint64_t>{"fold", 3}));
}

TEST(RepeatLine, HasWhatThereIs) {
  EXPECT_EQ(repeat_line(three()[0]),
            "Seed 3: val_acc 0.9000, test_acc 0.8000, training 1.00 s, weights aa");
  EXPECT_EQ(repeat_line({4, {}, {}, 0.5, "bb"}), "Seed 4: training 0.50 s, weights bb");
}

TEST(MeanLine, SaysOfHowMany) {
  EXPECT_EQ(mean_line(three(), 3),
            "Mean of 3 seeds: val_acc 0.9200 ± 0.0200, test_acc 0.8300 ± 0.0300, training 3.00 ± "
            "2.65 s");
  std::vector<RepeatResult> some = three();
  some[1].test_score.reset();
  EXPECT_EQ(mean_line(some, 5),
            "Mean of 3 of 5 seeds: val_acc 0.9200 ± 0.0200, training 3.00 ± 2.65 s");
}

TEST(RepeatRecord, HasEachSeedAndTheirMeans) {
  const auto record = repeat_record(three());
  EXPECT_EQ(record.at("repeat"), 3);
  EXPECT_EQ(record.at("seeds").at(1).dump(),
            R"({"seed":4,"val_acc":0.92,"test_acc":0.83,"train_s":2.0,"weights_hash":"bb"})");
  EXPECT_NEAR(record.at("val_acc_mean").get<double>(), 0.92, 1e-12);
  EXPECT_NEAR(record.at("test_acc_deviation").get<double>(), 0.03, 1e-12);
  EXPECT_NEAR(record.at("train_s_mean").get<double>(), 3.0, 1e-12);
  std::vector<RepeatResult> some = three();
  some[2].test_score.reset();
  EXPECT_TRUE(repeat_record(some).at("test_acc_mean").is_null());
}

TEST(RepeatRecord, OfARegressionHasR2) {
  auto results = three();
  for (RepeatResult& result : results) result.task = Task::kRegression;
  EXPECT_EQ(repeat_line(results[0]),
            "Seed 3: val_r2 0.9000, test_r2 0.8000, training 1.00 s, weights aa");
  EXPECT_EQ(mean_line(results, 3),
            "Mean of 3 seeds: val_r2 0.9200 ± 0.0200, test_r2 0.8300 ± 0.0300, training 3.00 ± "
            "2.65 s");
  const auto record = repeat_record(results);
  EXPECT_EQ(record.at("seeds").at(1).at("val_r2"), 0.92);
  EXPECT_NEAR(record.at("test_r2_mean").get<double>(), 0.83, 1e-12);
  EXPECT_FALSE(record.contains("val_acc_mean"));
}

TEST(RepeatRecord, OfFoldsNumbersThem) {
  auto results = three();
  for (std::uint32_t i = 0; i < 3; ++i) results[i].fold = {i, 3};
  EXPECT_EQ(repeat_line(results[1]),
            "Fold 2: val_acc 0.9200, test_acc 0.8300, training 2.00 s, weights bb");
  EXPECT_TRUE(mean_line(results, 3).starts_with("Mean of 3 folds: val_acc 0.9200"));
  EXPECT_TRUE(mean_line(results, 4).starts_with("Mean of 3 of 4 folds: "));
  const auto record = repeat_record(results);
  EXPECT_EQ(record.at("repeat"), 3);
  EXPECT_EQ(record.at("folds").at(1).dump(),
            R"({"fold":2,"val_acc":0.92,"test_acc":0.83,"train_s":2.0,"weights_hash":"bb"})");
  EXPECT_FALSE(record.contains("seeds"));
}

}  // namespace
}  // namespace millrace
