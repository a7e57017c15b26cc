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
  EXPECT_TRUE(differs([](RunSpec& s) { s.sgd.momentum = 0.0F; }));
}

}  // namespace
}  // namespace millrace
