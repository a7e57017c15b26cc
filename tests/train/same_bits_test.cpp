#include <gtest/gtest.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/training.h"

// The result of a run is a function of the fields of RunSpec up to `shuffle`, and of the data.

namespace millrace {
namespace {

using test::outcome;
using test::run;
using test::small_run;

class SameBits : public testing::Test {
 protected:
  static const std::string& expected() {
    static const std::string value = outcome(run(small_run()));
    return value;
  }
};

TEST_F(SameBits, WhateverTheThreads) {
  for (const std::uint32_t threads : {2U, 3U}) {
    RunSpec spec = small_run();
    spec.device.threads = threads;
    EXPECT_EQ(outcome(run(spec)), expected()) << threads;
  }
}

TEST_F(SameBits, WhateverTheWorkersSlotsAndChunks) {
  for (const Residency residency : {Residency::kResident, Residency::kHost}) {
    for (const std::uint32_t workers : {1U, 3U}) {
      for (const std::uint32_t slots : {1U, 4U}) {
        for (const std::uint32_t chunk : {1U, 2U, 5U, 1000U}) {
          RunSpec spec = small_run();
          spec.residency = residency;
          spec.workers = workers;
          spec.slots = slots;
          spec.chunk_batches = chunk;
          EXPECT_EQ(outcome(run(spec)), expected())
              << "workers " << workers << ", slots " << slots << ", chunk_batches " << chunk
              << (residency == Residency::kHost ? ", host" : ", resident");
        }
      }
    }
  }
}

TEST_F(SameBits, WhereverTheSamplesAre) {
  const auto apart = test::memory_dataset({.contiguous = false});
  for (const Residency residency : {Residency::kAuto, Residency::kResident, Residency::kHost}) {
    RunSpec spec = small_run();
    spec.residency = residency;
    EXPECT_EQ(outcome(run(spec, apart)), expected());
  }
}

// In float32 where the processor has no bfloat16: the same must hold then.
TEST_F(SameBits, InBFloat16Too) {
  RunSpec spec = small_run();
  spec.precision = Precision::kBFloat16;
  const std::string one = outcome(run(spec));
  spec.device.threads = 2;
  spec.chunk_batches = 3;
  spec.residency = Residency::kHost;
  EXPECT_EQ(outcome(run(spec)), one);
}

TEST_F(SameBits, HoweverManyCheckpointsAreWritten) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.checkpoint_dir = folder.path();
  spec.checkpoint_every = 3;
  spec.chunk_batches = 4;
  EXPECT_EQ(outcome(run(spec)), expected());
}

// Normalisation, dropout, smoothed labels, an optimizer that counts its steps, gradients that are
// added up and clipped, and an average.
RunSpec rich_run(OptimizerSpec::Kind kind) {
  RunSpec spec = small_run();
  spec.batch_norm = true;
  spec.dropout = 0.2F;
  spec.label_smoothing = 0.05F;
  spec.class_weights.balanced = true;
  spec.augment = {10.0F, 0.5F, 0.1F, 5.0F, 3.0F, 2.0F};
  spec.optimizer = {0.01F, 0.0F, 0.01F, kind};
  if (kind == OptimizerSpec::Kind::kNesterov) spec.optimizer.momentum = 0.9F;
  spec.activation = Activation::kGelu;
  spec.initializer = Initializer::kHe;
  spec.batch = 8;
  spec.accumulate = 3;
  spec.optimizer.clip_norm = 0.5F;
  spec.optimizer.ema = 0.95F;
  return spec;
}

TEST_F(SameBits, WithEveryActivation) {
  for (const auto activation :
       {Activation::kGelu, Activation::kTanh, Activation::kSigmoid, Activation::kLeakyRelu}) {
    for (const auto precision : {Precision::kFloat32, Precision::kBFloat16}) {
      for (const bool normed : {false, true}) {
        RunSpec spec = small_run();
        spec.optimizer.learning_rate = 0.02F;
        spec.activation = activation;
        spec.precision = precision;
        spec.batch_norm = normed;
        spec.dropout = 0.2F;
        const std::string once = outcome(run(spec));
        spec.device.threads = 3;
        spec.workers = 2;
        spec.slots = 4;
        spec.chunk_batches = 3;
        spec.residency = Residency::kHost;
        EXPECT_EQ(outcome(run(spec)), once) << name_of(activation);
      }
    }
  }
}

// On images of 4 x 5, which can be distorted.
RunResult run_images(const RunSpec& spec) {
  return run(spec, test::memory_dataset({.height = 4}),
             test::memory_dataset({.size = 90, .height = 4, .seed = 7}));
}

TEST_F(SameBits, WithEveryOptionOn) {
  for (const auto kind : {OptimizerSpec::Kind::kAdamW, OptimizerSpec::Kind::kNesterov}) {
    const std::string once = outcome(run_images(rich_run(kind)));
    RunSpec spec = rich_run(kind);
    spec.device.threads = 3;
    spec.workers = 2;
    spec.slots = 4;
    spec.chunk_batches = 3;
    EXPECT_EQ(outcome(run_images(spec)), once);
    spec.residency = Residency::kHost;
    EXPECT_EQ(outcome(run_images(spec)), once);
  }
}

TEST_F(SameBits, AfterAResumptionWithEveryOptionOn) {
  for (const auto kind : {OptimizerSpec::Kind::kAdam, OptimizerSpec::Kind::kNesterov}) {
    const std::string once = outcome(run_images(rich_run(kind)));
    const test::TempFolder folder;
    RunSpec spec = rich_run(kind);
    spec.checkpoint_dir = folder.path();
    spec.checkpoint_every = 20;
    run_images(spec);
    RunSpec rest = rich_run(kind);
    rest.device.threads = 2;
    rest.resume = true;
    rest.resume_from = folder / "step-20.safetensors";
    EXPECT_EQ(outcome(run_images(rest)), once);
  }
}

// Or the tests above would prove nothing.
TEST_F(SameBits, OtherBitsForWhatDecidesThem) {
  const auto differs = [&](auto change) {
    RunSpec spec = small_run();
    change(spec);
    return run(spec).weights_hash != run(small_run()).weights_hash;
  };
  EXPECT_TRUE(differs([](RunSpec& s) { s.seed = 43; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.batch = 17; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.shuffle = false; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.validation_size = 41; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.optimizer.momentum = 0.0F; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.batch_norm = true; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.dropout = 0.1F; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.activation = Activation::kGelu; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.initializer = Initializer::kHe; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.label_smoothing = 0.1F; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.class_weights.balanced = true; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.standardize = true; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.accumulate = 2; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.optimizer.clip_norm = 0.1F; }));
  EXPECT_TRUE(differs([](RunSpec& s) { s.optimizer.ema = 0.9F; }));
  RunSpec moved = small_run();
  moved.augment.shift = 1.0F;
  EXPECT_NE(run_images(moved).weights_hash, run_images(small_run()).weights_hash);
  moved.augment = {.elastic = 8.0F};
  const RunResult bent = run_images(moved);
  EXPECT_NE(bent.weights_hash, run_images(small_run()).weights_hash);
  moved.augment.elastic_sigma = 2.0F;
  EXPECT_NE(run_images(moved).weights_hash, bent.weights_hash);
  EXPECT_TRUE(differs([](RunSpec& s) { s.optimizer.kind = OptimizerSpec::Kind::kNesterov; }));
}

}  // namespace
}  // namespace millrace
