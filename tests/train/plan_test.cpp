#include "train/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "compute/engine.h"
#include "formats/error.h"
#include "loader/worker_pool.h"
#include "tests/support/training.h"

namespace millrace {
namespace {

using test::memory_dataset;
using test::small_run;

std::string refusal(const Dataset& train, const Dataset& test) {
  try {
    make_plan(small_run(), train, &test);
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Plan, FollowsFromSpecAndData) {
  const RunPlan plan = make_plan(small_run(), *test::training_data(), nullptr);
  EXPECT_EQ(plan.model.widths(), (std::vector<std::uint32_t>{20, 12, 8, 5}));
  EXPECT_EQ(plan.model.input_scale, 1.0F / 255.0F);
  EXPECT_EQ(plan.split.train.size(), 260U);
  EXPECT_EQ(plan.split.validation.size(), 40U);
  EXPECT_EQ(plan.steps_per_epoch, 17U);
}

TEST(Plan, ValidatesOnAFold) {
  RunSpec spec = small_run();
  spec.fold = {1, 4};
  spec.validation_size = 1'000'000;  // does not matter
  const auto data = test::training_data();
  const RunPlan plan = make_plan(spec, *data, nullptr);
  EXPECT_EQ(plan.split.train.size(), 225U);
  EXPECT_EQ(plan.split.validation.size(), 75U);
  const auto refused = [&] {
    try {
      make_plan(spec, *data, nullptr);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  spec.fold = {0, 301};
  EXPECT_EQ(refused(),
            "--folds: expected 2 or more, and at most the 300 samples of memory, found 301");
  spec.fold = {0, 4};
  spec.validation = test::test_data();
  EXPECT_EQ(refused(), "--folds: expected no validation set beside it, found memory-test");
}

TEST(Plan, OneCoreIsLeftToACallerThatPollsAndFills) {
  const auto data = test::training_data();
  EngineInfo gpu;
  gpu.runs_ahead = true;
  RunSpec spec = small_run();
  spec.workers = 3;
  EXPECT_EQ(workers_beside(gpu, spec, *data), 3U);
  spec.workers = 0;
  EXPECT_EQ(workers_beside(gpu, spec, *data), std::max(1U, WorkerPool::resolve(0) - 1));
  EXPECT_EQ(workers_beside(gpu, spec, *memory_dataset({.contiguous = false})), 0U);
  EXPECT_EQ(workers_beside({}, spec, *data), 0U);
}

TEST(Plan, TestSamplesOfAnotherShapeAreRefused) {
  const auto line = refusal(*test::training_data(), *memory_dataset({.width = 21, .name = "wide"}));
  EXPECT_NE(line.find("wide"), std::string::npos) << line;
  EXPECT_NE(line.find("samples of 20"), std::string::npos) << line;
  EXPECT_NE(line.find("samples of 21"), std::string::npos) << line;
}

TEST(Plan, TestLabelsWithoutAClassAreRefusedWhereverTheyAre) {
  for (const bool contiguous : {true, false}) {
    const auto more =
        memory_dataset({.size = 9000, .classes = 6, .contiguous = contiguous, .name = "more"});
    const auto line = refusal(*test::training_data(), *more);
    EXPECT_NE(line.find("labels below 5"), std::string::npos) << line;
    EXPECT_NE(line.find("found label 5 of sample"), std::string::npos) << line;
  }
}

TEST(Plan, FewerTestClassesAreFine) {
  EXPECT_EQ(refusal(*test::training_data(), *memory_dataset({.classes = 3})), "accepted");
}

TEST(ChunkBatches, SuitTheKindOfChunk) {
  RunSpec spec = small_run();
  spec.batch = 2;
  spec.validation_size = 0;
  const auto plan_for = [&](std::uint64_t width) {
    return make_plan(spec, *memory_dataset({.width = width}), nullptr);
  };
  EXPECT_EQ(chunk_batches(spec, plan_for(20), ChunkKind::kIndices), 64U);
  EXPECT_EQ(chunk_batches(spec, plan_for(20), ChunkKind::kPacked), 64U);
  // Four times 2 samples of half a MB are the 4 MB that a packed chunk may have, less its labels.
  EXPECT_EQ(chunk_batches(spec, plan_for(1U << 19U), ChunkKind::kPacked), 3U);
  spec.chunk_batches = 7;
  EXPECT_EQ(chunk_batches(spec, plan_for(20), ChunkKind::kPacked), 7U);
  spec.chunk_batches = 1000;
  EXPECT_EQ(chunk_batches(spec, plan_for(20), ChunkKind::kPacked), 150U);
}

TEST(EvaluationBatch, ShrinksAsTheModelGrows) {
  MlpSpec model;
  model.features = 784;
  model.classes = 10;
  model.hidden = {32};
  EXPECT_EQ(evaluation_batch(model), 4096U);
  model.hidden = {512, 512};
  EXPECT_EQ(evaluation_batch(model), 1024U);
  model.hidden = {16384, 16384};
  EXPECT_EQ(evaluation_batch(model), 64U);
}

}  // namespace
}  // namespace millrace
