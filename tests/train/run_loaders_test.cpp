#include "train/run_loaders.h"

#include <gtest/gtest.h>

#include "tests/support/training.h"
#include "train/plan.h"

namespace millrace {
namespace {

TEST(RunLoaders, TrainingIsInTheRunsBatchesAndOrder) {
  RunSpec run = test::small_run();
  run.slots = 4;
  const auto data = test::training_data();
  const RunPlan plan = make_plan(run, *data, nullptr);
  run.augment.rotate = 5.0F;
  const LoaderSpec spec = training_loader(run, plan, data, {ChunkKind::kIndices, 2}, 7);
  EXPECT_EQ(spec.data, data);
  EXPECT_EQ(spec.kind, ChunkKind::kIndices);
  EXPECT_EQ(spec.source, 2U);
  EXPECT_EQ(spec.subset.size(), 260U);
  EXPECT_EQ(spec.batch, 16U);
  EXPECT_EQ(spec.chunk_batches, 17U);
  EXPECT_EQ(spec.slots, 4U);
  EXPECT_EQ(spec.epochs, 3U);
  EXPECT_EQ(spec.seed, 42U);
  EXPECT_EQ(spec.bad_budget, 7U);
  EXPECT_TRUE(spec.shuffle);
  EXPECT_TRUE(spec.augment.enabled());
}

TEST(RunLoaders, EvaluationIsOfWhatTheSamplesAre) {
  RunSpec run = test::small_run();
  run.on_bad = OnBad::kSkip;
  const auto data = test::test_data();
  const RunPlan plan = make_plan(run, *test::training_data(), data.get());
  run.augment.rotate = 5.0F;
  Placement placement;
  placement.window_blocks = 3;
  placement.bad.resize(1);
  placement.bad[0].place = 11;
  const LoaderSpec spec = evaluation_loader(run, plan, data, placement, 7);
  EXPECT_EQ(spec.data, data);
  EXPECT_EQ(spec.window_blocks, 3U);
  EXPECT_EQ(spec.batch, evaluation_batch(plan.model));
  EXPECT_EQ(spec.slots, 2U);
  EXPECT_EQ(spec.on_bad, OnBad::kSkip);
  ASSERT_EQ(spec.bad.size(), 1U);
  EXPECT_EQ(spec.bad[0], 11U);
  EXPECT_FALSE(spec.augment.enabled()) << "distorted samples are for training";
}

}  // namespace
}  // namespace millrace
