// Runs that are left in memory after some epochs and gone on with end as if they never were.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "formats/error.h"
#include "tests/support/training.h"

namespace millrace {
namespace {

using test::outcome;
using test::small_run;

// Trains to the epochs of `pauses`, one trainer after the other, and then to the end.
RunResult in_pieces(RunSpec spec, const std::vector<std::uint64_t>& pauses,
                    const std::shared_ptr<const Dataset>& data) {
  const std::atomic<bool> never{false};
  for (const std::uint64_t pause : pauses) {
    spec.pause_after = pause;
    Trainer trainer(spec, data, nullptr, {});
    const RunResult piece = trainer.fit(never);
    EXPECT_EQ(piece.history.size(), pause);
    EXPECT_FALSE(piece.stopped);
    EXPECT_EQ(piece.ended_early, std::nullopt);
    spec.resume_state = std::make_shared<const Checkpoint>(trainer.checkpoint());
  }
  spec.pause_after = 0;
  return Trainer(spec, data, nullptr, {}).fit(never);
}

struct Case {
  std::string name;
  std::function<void(RunSpec&)> set;
  test::MemoryDataset::Options data = {};
};

class PausedRuns : public testing::TestWithParam<Case> {};

TEST_P(PausedRuns, EndInTheSameBits) {
  RunSpec spec = small_run();
  spec.epochs = 5;
  GetParam().set(spec);
  const auto data = test::memory_dataset(GetParam().data);
  const std::string whole = outcome(test::run(spec, data, nullptr));
  EXPECT_EQ(outcome(in_pieces(spec, {1, 3}, data)), whole);
  EXPECT_EQ(outcome(in_pieces(spec, {2}, data)), whole);
}

INSTANTIATE_TEST_SUITE_P(
    Options, PausedRuns,
    testing::Values(
        Case{"Plain", [](RunSpec&) {}},
        Case{"AdamWithAverageAndDropout",
             [](RunSpec& spec) {
               spec.optimizer = {0.01F};
               spec.optimizer.kind = OptimizerSpec::Kind::kAdam;
               spec.optimizer.ema = 0.9F;
               spec.dropout = 0.25F;
             }},
        Case{"ScheduleOverAllEpochs",
             [](RunSpec& spec) { spec.schedule.kind = ScheduleSpec::Kind::kOneCycle; }},
        Case{"BatchNormAndParts",
             [](RunSpec& spec) {
               spec.batch_norm = true;
               spec.accumulate = 2;
             }},
        Case{"WeightsOfClasses",
             [](RunSpec& spec) { spec.class_weights = {.balanced = true, .values = {}}; }},
        Case{"Distorted", [](RunSpec& spec) { spec.augment = {.rotate = 10.0F}; }, {.height = 4}},
        Case{"Numbers", [](RunSpec& spec) { spec.optimizer = {0.02F}; }, {.targets = 2}},
        Case{"InTheStoredOrder", [](RunSpec& spec) { spec.shuffle = false; }},
        Case{"Fold",
             [](RunSpec& spec) {
               spec.fold = {1, 3};
             }},
        Case{"Host", [](RunSpec& spec) { spec.residency = Residency::kHost; }}),
    [](const auto& tested) { return tested.param.name; });

TEST(PausedRun, IsLeftBeforeItsLastEpochAlone) {
  RunSpec spec = small_run();
  const auto data = test::training_data();
  const std::string whole = outcome(test::run(spec, data, nullptr));
  spec.pause_after = 7;
  EXPECT_EQ(outcome(test::run(spec, data, nullptr)), whole);
}

TEST(PausedRun, EndsEarlyWhereTheWholeRunDoes) {
  RunSpec spec = small_run();
  spec.stopping.target_accuracy = 0.01F;
  spec.pause_after = 2;
  const RunResult result = test::run(spec, test::training_data(), nullptr);
  EXPECT_EQ(result.history.size(), 1U);
  EXPECT_TRUE(result.ended_early);
  // So there is nothing to go on with.
  const std::atomic<bool> never{false};
  Trainer paused(spec, test::training_data(), nullptr, {});
  paused.fit(never);
  spec.resume_state = std::make_shared<const Checkpoint>(paused.checkpoint());
  spec.pause_after = 0;
  EXPECT_EQ(outcome(test::run(spec, test::training_data(), nullptr)), outcome(result));
}

TEST(PausedRun, GoesOnWithTheSameRunAlone) {
  RunSpec spec = small_run();
  spec.pause_after = 1;
  const auto data = test::training_data();
  const std::atomic<bool> never{false};
  Trainer trainer(spec, data, nullptr, {});
  trainer.fit(never);
  spec.resume_state = std::make_shared<const Checkpoint>(trainer.checkpoint());
  spec.seed += 1;
  EXPECT_THROW(Trainer(spec, data, nullptr, {}), DataError);
}

}  // namespace
}  // namespace millrace
