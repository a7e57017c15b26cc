#include "tools/trainer/metrics_records.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "tools/trainer/repeat.h"

namespace millrace {
namespace {

EpochResult epoch(std::uint64_t number, double train_s, bool partial = false) {
  EpochResult result;
  result.epoch = number;
  result.train_loss = 0.5;
  result.train_acc = 0.75;
  result.val_loss = 0.25;
  result.val_acc = 0.875;
  result.train_s = train_s;
  result.val_s = 0.125;
  result.partial = partial;
  return result;
}

TEST(EpochRecord, HasItsFields) {
  EXPECT_EQ(epoch_record(epoch(3, 2.0)).dump(),
            R"({"epoch":3,"train_loss":0.5,"train_acc":0.75,"val_loss":0.25,"val_acc":0.875,)"
            R"("lr":null,"train_s":2.0,"val_s":0.125})");
}

TEST(EpochRecord, IsNullWithoutValidation) {
  EpochResult result = epoch(0, 1.0);
  result.val_loss.reset();
  result.val_acc.reset();
  auto record = epoch_record(result);
  EXPECT_TRUE(record.at("val_loss").is_null());
  EXPECT_TRUE(record.at("val_acc").is_null());
  result.train_r2 = 0.5;
  result.val_r2 = 0.25;
  result.val_rmse = 3.0;
  record = epoch_record(result);
  EXPECT_FALSE(record.contains("train_acc"));
  EXPECT_FALSE(record.contains("val_acc"));
  EXPECT_EQ(record.at("train_r2"), 0.5);
  EXPECT_EQ(record.at("val_r2"), 0.25);
  EXPECT_EQ(record.at("val_rmse"), 3.0);
}

TEST(MedianEpoch, CountsWholeEpochsOfThisProcess) {
  RunInfo info;
  RunResult result;
  EXPECT_LT(median_epoch_s(info, result), 0.0);
  result.history = {epoch(0, 9.0), epoch(1, 8.0, true), epoch(2, 1.0), epoch(3, 3.0),
                    epoch(4, 2.0)};
  info.first_epoch = 1;
  EXPECT_EQ(median_epoch_s(info, result), 2.0);
  result.history.push_back(epoch(5, 4.0));
  EXPECT_EQ(median_epoch_s(info, result), 2.5);
}

TEST(SummaryRecord, HasWhatScriptsRead) {
  RunInfo info;
  info.engine = {"cpu", "a processor", Precision::kBFloat16, 2, ""};
  info.widths = {784, 32, 10};
  info.residency = "resident";
  RunResult result;
  result.history = {epoch(0, 0.5)};
  result.test_acc = 0.9;
  result.weights_hash = "00ff";
  result.samples_per_s = 1000.0;
  result.train_loader.fill.busy = 0.25;
  result.engine.waiting = 0.0625;
  const auto record = summary_record(info, result, {0.125, 2.0, 64.0});
  EXPECT_EQ(record.at("summary"), true);
  EXPECT_EQ(record.at("test_acc"), 0.9);
  EXPECT_TRUE(record.at("test_loss").is_null());
  EXPECT_EQ(record.at("wall_s"), 2.0);
  EXPECT_EQ(record.at("load_s"), 0.125);
  EXPECT_EQ(record.at("epoch_s"), 0.5);
  EXPECT_EQ(record.at("samples_per_s"), 1000.0);
  EXPECT_EQ(record.at("peak_rss_mb"), 64.0);
  EXPECT_EQ(record.at("weights_hash"), "00ff");
  EXPECT_EQ(record.at("device"), "cpu");
  EXPECT_EQ(record.at("precision"), "bf16");
  EXPECT_EQ(record.at("threads"), 2);
  EXPECT_EQ(record.at("stages").at("fill").at("busy_s"), 0.25);
  EXPECT_EQ(record.at("stages").at("engine").at("waiting_s"), 0.0625);
  EXPECT_EQ(record.at("task"), "classification");
  info.task = Task::kRegression;
  result.test_r2 = 0.8;
  result.test_rmse = 2.5;
  const auto numbers = summary_record(info, result, {0.125, 2.0, 64.0});
  EXPECT_EQ(numbers.at("task"), "regression");
  EXPECT_EQ(numbers.at("test_r2"), 0.8);
  EXPECT_EQ(numbers.at("test_rmse"), 2.5);
  EXPECT_FALSE(numbers.contains("test_acc"));
}

TEST(SummaryRecord, HasNoEpochTimeWithoutAWholeEpoch) {
  EXPECT_TRUE(summary_record({}, {}, {}).at("epoch_s").is_null());
}

TEST(MetricsRecord, IsKnown) {
  nlohmann::ordered_json of_a_seed{{"seed", 7}};
  of_a_seed.update(epoch_record({}));
  EXPECT_TRUE(is_metrics_record(of_a_seed));
  EXPECT_TRUE(is_metrics_record(summary_record({}, {}, {})));
  EXPECT_TRUE(is_metrics_record(repeat_record(std::array{RepeatResult()})));
  EXPECT_FALSE(is_metrics_record({{"epochs", 3}, {"seed", 7}}));
}

}  // namespace
}  // namespace millrace
