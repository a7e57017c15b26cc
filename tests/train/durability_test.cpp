#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "formats/error.h"
#include "tests/support/files.h"
#include "tests/support/limits.h"
#include "tests/support/training.h"
#include "train/checkpoint.h"

// What happens to the checkpoints that are there when a run goes wrong.

namespace millrace {
namespace {

using test::read_bytes;
using test::run;
using test::small_run;

// A run of one epoch, with its checkpoint.
RunSpec one_epoch(const test::TempFolder& folder) {
  RunSpec spec = small_run();
  spec.epochs = 1;
  spec.checkpoint_dir = folder.path();
  run(spec);
  spec.epochs = 3;
  spec.resume = true;
  return spec;
}

TEST(Durability, AFullDiskKeepsTheOldCheckpoints) {
  const test::TempFolder folder;
  const RunSpec spec = one_epoch(folder);
  const auto names = folder.names();
  const auto before = read_bytes(folder / "last.safetensors");
  {
    const test::FileSizeLimit full(100);
    EXPECT_THROW(run(spec), DataError);
  }
  EXPECT_EQ(read_bytes(folder / "last.safetensors"), before);
  EXPECT_EQ(folder.names(), names);
  EXPECT_EQ(run(spec).weights_hash, run(small_run()).weights_hash);
}

TEST(Durability, DivergenceKeepsTheLastGoodCheckpointAndNamesTheStep) {
  for (const std::uint32_t chunk : {1U, 3U, 64U}) {
    const test::TempFolder folder;
    RunSpec spec = one_epoch(folder);
    const auto before = read_bytes(folder / "last.safetensors");
    spec.optimizer.learning_rate = 1e30F;
    spec.chunk_batches = chunk;
    try {
      run(spec);
      ADD_FAILURE() << "it did not diverge";
    } catch (const DivergedError& error) {
      // Step 17, the first of epoch 1, overflows the weights; the loss of step 18 shows it.
      EXPECT_EQ(error.step(), 18U) << error.what();
      EXPECT_NE(std::string(error.what()).find("epoch 1"), std::string::npos) << error.what();
    }
    EXPECT_EQ(read_bytes(folder / "last.safetensors"), before);
  }
}

TEST(Durability, NothingThatDivergedIsSaved) {
  for (const std::uint64_t every : {0U, 1U, 2U, 5U}) {
    const test::TempFolder folder;
    RunSpec spec = small_run();
    spec.optimizer.learning_rate = 1e30F;
    spec.checkpoint_dir = folder.path();
    spec.checkpoint_every = every;
    EXPECT_THROW(run(spec), DivergedError);
    for (const std::string& name : folder.names()) {
      EXPECT_NO_THROW(load_checkpoint(folder / name)) << name;
    }
  }
}

TEST(Durability, DivergenceIsFoundWithoutCheckpointsToo) {
  RunSpec spec = small_run();
  spec.validation_size = 0;
  spec.optimizer.learning_rate = 1e30F;
  EXPECT_THROW(run(spec, test::training_data(), nullptr), DivergedError);
}

TEST(Durability, DivergenceThatTheTestSetShowsIsOfTheLastEpoch) {
  RunSpec spec = small_run();
  spec.validation_size = 0;
  spec.batch = 300;  // one step an epoch, whose own loss is finite
  spec.epochs = 1;
  spec.optimizer.learning_rate = 1e30F;
  try {
    run(spec);
    ADD_FAILURE() << "it did not diverge";
  } catch (const DivergedError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("training diverged at step 0 (epoch 0): "))
        << error.what();
  }
}

TEST(Durability, AnUnwritableFolderIsFoundBeforeTraining) {
  const test::TempFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  RunSpec spec = small_run();
  spec.checkpoint_dir = folder / "below";
  test::Recorder recorder;
  {
    const test::WithoutRoot plain_user;
    EXPECT_THROW(Trainer(spec, test::training_data(), nullptr, {&recorder}), DataError);
  }
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  EXPECT_TRUE(recorder.started.empty());
}

TEST(Durability, OldStepsGoAndBestAndLastStay) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.checkpoint_dir = folder.path();
  spec.checkpoint_every = 10;
  spec.keep = 2;
  run(spec);
  EXPECT_EQ(folder.names(),
            (std::vector<std::string>{"best.safetensors", "last.safetensors", "step-40.safetensors",
                                      "step-50.safetensors"}));
  EXPECT_EQ(load_checkpoint(folder / "step-40.safetensors").state.step, 40U);
}

TEST(Durability, AStepCheckpointAtTheEndOfAnEpochHasItsValidation) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.checkpoint_dir = folder.path();
  spec.checkpoint_every = 17;
  run(spec);
  const RunState state = load_checkpoint(folder / "step-17.safetensors").state;
  EXPECT_EQ(state.epoch, 1U);
  EXPECT_EQ(state.batch, 0U);
  ASSERT_EQ(state.history.size(), 1U);
  EXPECT_TRUE(state.history[0].val_acc);
}

}  // namespace
}  // namespace millrace
