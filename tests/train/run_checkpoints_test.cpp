#include "train/run_checkpoints.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/error.h"
#include "tests/support/files.h"
#include "tests/support/limits.h"
#include "train/checkpoint.h"
#include "train/checkpoint_dir.h"
#include "train/trainer.h"

namespace millrace {
namespace {

using Names = std::vector<std::string>;

class RunCheckpointsTest : public testing::Test {
 protected:
  RunCheckpointsTest() {
    model_.features = 3;
    model_.hidden = {2};
    model_.classes = 2;
    engine_ = make_engine(model_, {}, {.kind = Device::Kind::kCpu, .threads = 1});
    checkpoints_.emplace(
        dir_, *engine_,
        RunCheckpointsSpec{10, 20, {}, 0, [this](const std::filesystem::path& file) {
                             told_.push_back(file.filename().string());
                           }});
  }

  // Before step `step` of the run, with that many epochs behind it, the last of them so good.
  RunState at(std::uint64_t step, const std::vector<double>& accuracies) {
    RunState state;
    state.options.widths = model_.widths();
    state.step = step;
    state.epoch = accuracies.size();
    for (const double accuracy : accuracies) {
      EpochResult epoch;
      epoch.val_acc = accuracy;
      epoch.val_loss = 1.0;
      state.history.push_back(epoch);
    }
    return state;
  }
  void weigh(float value) {
    Parameters parameters = engine_->parameters();
    for (Tensor& tensor : parameters) tensor.values.assign(tensor.values.size(), value);
    engine_->set_parameters(parameters);
  }
  float weight_in(const std::string& name) const {
    return load_checkpoint(folder_ / name).parameters[0].values[0];
  }

  const test::TempFolder folder_;
  const CheckpointDir dir_{folder_.path(), 2};
  MlpSpec model_;
  std::unique_ptr<Engine> engine_;
  Names told_;
  std::optional<RunCheckpoints> checkpoints_;
};

TEST_F(RunCheckpointsTest, KnowsWhenStepsAreDue) {
  EXPECT_EQ(checkpoints_->steps_until_due(0, 100), 10U);
  EXPECT_EQ(checkpoints_->steps_until_due(7, 100), 3U);
  EXPECT_EQ(checkpoints_->steps_until_due(7, 2), 2U);
  EXPECT_TRUE(checkpoints_->due(20));
  EXPECT_FALSE(checkpoints_->due(21));
  const RunCheckpoints without(dir_, *engine_, {0, 20, {}, 0, [](const auto&) {}});
  EXPECT_EQ(without.steps_until_due(7, 100), 100U);
  EXPECT_FALSE(without.due(20));
}

TEST_F(RunCheckpointsTest, SavesWhatWasTaken) {
  weigh(1.0F);
  checkpoints_->take();
  weigh(2.0F);
  checkpoints_->save_step(at(10, {}));
  checkpoints_->finish();
  EXPECT_EQ(told_, Names{"step-10.safetensors"});
  EXPECT_EQ(checkpoints_->newest(), folder_ / "step-10.safetensors");
  EXPECT_EQ(weight_in("step-10.safetensors"), 1.0F);
  EXPECT_THROW(checkpoints_->save_step(at(10, {})), std::logic_error) << "nothing was taken";
}

TEST_F(RunCheckpointsTest, AnEpochIsLastAndPerhapsBestAndPerhapsAStep) {
  const auto epoch = [&](float weight, std::uint64_t step, const std::vector<double>& accuracies) {
    weigh(weight);
    checkpoints_->take();
    checkpoints_->save_epoch(at(step, accuracies));
    checkpoints_->finish();
  };
  epoch(1.0F, 21, {0.5});
  EXPECT_EQ(folder_.names(), (Names{"best.safetensors", "last.safetensors"}));
  epoch(2.0F, 42, {0.5, 0.4});
  EXPECT_EQ(weight_in("best.safetensors"), 1.0F);
  EXPECT_EQ(weight_in("last.safetensors"), 2.0F);
  epoch(3.0F, 60, {0.5, 0.4, 0.6});
  EXPECT_EQ(weight_in("best.safetensors"), 3.0F);
  EXPECT_EQ(weight_in("last.safetensors"), 3.0F);
  EXPECT_EQ(weight_in("step-60.safetensors"), 3.0F);
  EXPECT_EQ(told_, Names(3, "last.safetensors"));
}

TEST_F(RunCheckpointsTest, AStopIsSavedUnlessItWas) {
  checkpoints_->take();
  checkpoints_->save_epoch(at(20, {0.5}));
  checkpoints_->take();
  checkpoints_->save_stopped(at(20, {0.5}));
  checkpoints_->finish();
  EXPECT_EQ(told_.size(), 1U);
  weigh(2.0F);
  checkpoints_->take();
  checkpoints_->save_stopped(at(25, {0.5}));
  checkpoints_->finish();
  EXPECT_EQ(told_.size(), 2U);
  EXPECT_EQ(weight_in("last.safetensors"), 2.0F);
}

TEST_F(RunCheckpointsTest, WhatIsNotFiniteReplacesNothing) {
  weigh(1.0F);
  checkpoints_->take();
  checkpoints_->save_epoch(at(19, {0.5}));
  checkpoints_->finish();
  const auto before = test::read_bytes(folder_ / "last.safetensors");
  weigh(std::numeric_limits<float>::infinity());
  checkpoints_->take();
  try {
    checkpoints_->save_epoch(at(40, {0.5, 0.6}));
    checkpoints_->finish();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const DivergedError& error) {
    EXPECT_EQ(error.step(), 39U);
    EXPECT_EQ(
        std::string(error.what())
            .find("training diverged at step 39 (epoch 1): it left values in 0.weight that are "
                  "not finite"),
        0U)
        << error.what();
  }
  EXPECT_THROW(checkpoints_->look(), DivergedError);
  EXPECT_EQ(test::read_bytes(folder_ / "last.safetensors"), before);
  EXPECT_EQ(folder_.names(), (Names{"best.safetensors", "last.safetensors"}));
}

TEST_F(RunCheckpointsTest, AFullDiskIsToldAsTheFolderTellsIt) {
  const Checkpoint checkpoint{engine_->parameters(), engine_->optimizer_state(), at(5, {})};
  const test::FileSizeLimit full(100);
  std::string expected;
  try {
    static_cast<void>(dir_.save_last(checkpoint));
  } catch (const DataError& error) {
    expected = error.what();
  }
  ASSERT_FALSE(expected.empty());
  checkpoints_->take();
  try {
    checkpoints_->save_stopped(at(5, {}));
    checkpoints_->finish();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const DataError& error) {
    EXPECT_EQ(error.what(), expected);
  }
  EXPECT_EQ(folder_.names(), Names{});
}

}  // namespace
}  // namespace millrace
