#include "train/trainer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <stdexcept>
#include <vector>

#include "formats/error.h"
#include "tests/support/files.h"
#include "tests/support/training.h"
#include "train/best.h"
#include "train/checkpoint.h"
#include "train/weights_hash.h"

namespace millrace {
namespace {

using test::outcome;
using test::Recorder;
using test::run;
using test::small_run;

TEST(Trainer, LearnsWhatIsEasy) {
  RunSpec spec = small_run();
  spec.epochs = 15;
  const RunResult result = run(spec);
  EXPECT_GT(*result.test_acc, 0.8);  // guessing: 0.2
  EXPECT_GT(*result.history.back().val_acc, 0.8);
  EXPECT_LT(result.history.back().train_loss, result.history.front().train_loss / 2);
}

TEST(Trainer, TellsItsObservers) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.checkpoint_dir = folder.path();
  Recorder a;
  Recorder b;
  const RunResult result = run(spec, test::training_data(), test::test_data(), {&a, &b});
  ASSERT_EQ(a.started.size(), 1U);
  const RunInfo& info = a.started[0];
  EXPECT_EQ(info.dataset, "memory");
  EXPECT_EQ(info.dataset_hash, test::training_data()->hash());
  EXPECT_EQ(info.residency, "resident");
  EXPECT_EQ(info.train_samples, 260U);
  EXPECT_EQ(info.validation_samples, 40U);
  EXPECT_EQ(info.test_samples, 90U);
  EXPECT_EQ(info.widths, (std::vector<std::uint32_t>{20, 12, 8, 5}));
  EXPECT_EQ(info.parameters, 20U * 12 + 12 + 12 * 8 + 8 + 8 * 5 + 5);
  EXPECT_EQ(info.steps_per_epoch, 17U);
  EXPECT_TRUE(info.resumed_from.empty());
  EXPECT_EQ(a.epochs.size(), 3U);
  EXPECT_EQ(b.epochs.size(), 3U);
  // Not one for each epoch where training is the faster: see CheckpointWriter.
  ASSERT_FALSE(a.checkpoints.empty());
  EXPECT_EQ(a.checkpoints.back(), "last.safetensors");
  EXPECT_EQ(a.checkpoints, b.checkpoints);
  ASSERT_EQ(a.finished.size(), 1U);
  EXPECT_EQ(outcome(a.finished[0]), outcome(result));
  EXPECT_EQ(result.checkpoint, folder / "last.safetensors");
  EXPECT_EQ(result.train_loader.samples, 3U * 260);
  EXPECT_GT(result.samples_per_s, 0.0);
  EXPECT_FALSE(result.verdict.empty());
}

TEST(Trainer, HashesTheParametersItSaves) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.checkpoint_dir = folder.path();
  const RunResult result = run(spec);
  EXPECT_EQ(weights_hash(load_checkpoint(folder / "last.safetensors").parameters),
            result.weights_hash);
}

TEST(Trainer, HandsOutWhatItsLastCheckpointHas) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.checkpoint_dir = folder / "c";
  const std::atomic<bool> never{false};
  Trainer trainer(spec, test::training_data(), nullptr, {});
  trainer.fit(never);
  save_checkpoint(folder / "own.safetensors", trainer.checkpoint());
  EXPECT_EQ(test::read_bytes(folder / "own.safetensors"),
            test::read_bytes(folder / "c/last.safetensors"));
}

TEST(Trainer, TheBestCheckpointIsTheBestEpochs) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.epochs = 8;
  spec.optimizer.learning_rate = 1.0F;  // makes accuracy jump
  spec.checkpoint_dir = folder.path();
  const RunResult result = run(spec);
  std::size_t best = 0;
  for (std::size_t e = 1; e < result.history.size(); ++e) {
    if (is_better(result.history[e], result.history[best])) best = e;
  }
  EXPECT_EQ(load_checkpoint(folder / "best.safetensors").state.epoch, best + 1);
}

TEST(Trainer, WithoutValidationOrTestThereIsNone) {
  RunSpec spec = small_run();
  spec.validation_size = 0;
  const RunResult result = run(spec, test::training_data(), nullptr);
  EXPECT_FALSE(result.history[0].val_loss);
  EXPECT_FALSE(result.history[0].val_acc);
  EXPECT_FALSE(result.test_acc);
  EXPECT_EQ(result.train_loader.samples, 3U * 300);
}

TEST(Trainer, ValidatesOnASetOfItsOwn) {
  for (const auto residency : {Residency::kResident, Residency::kHost}) {
    RunSpec spec = small_run();
    spec.residency = residency;
    spec.validation_size = 0;
    spec.validation = test::test_data();
    Recorder recorder;
    const RunResult result = run(spec, test::training_data(), test::test_data(), {&recorder});
    EXPECT_EQ(recorder.started[0].train_samples, 300U);
    EXPECT_EQ(recorder.started[0].validation_samples, 90U);
    ASSERT_EQ(result.history.size(), 3U);
    EXPECT_NE(result.history[0].val_loss, result.history[2].val_loss);
    EXPECT_EQ(result.history[2].val_loss, result.test_loss);
    EXPECT_EQ(result.history[2].val_acc, result.test_acc);
    // It decides nothing of the training.
    spec.validation = nullptr;
    EXPECT_EQ(result.weights_hash, run(spec).weights_hash);
  }
}

TEST(Trainer, GoesOnWithTheSameValidationSetAlone) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.validation_size = 0;
  spec.validation = test::test_data();
  spec.epochs = 2;
  spec.checkpoint_dir = folder.path();
  run(spec);
  spec.epochs = 3;
  spec.resume = true;
  spec.validation = test::training_data();
  const auto refusal = test::data_error_of([&] { run(spec); });
  EXPECT_NE(refusal.find("validation set: checkpoint content " + test::test_data()->hash() +
                         ", this run content " + test::training_data()->hash()),
            std::string::npos)
      << refusal;
  spec.validation = nullptr;
  EXPECT_TRUE(test::data_error_of([&] { run(spec); }).ends_with(", this run none"));
  spec.validation = test::test_data();
  const RunResult result = run(spec);
  EXPECT_EQ(result.history.size(), 3U);
  EXPECT_EQ(result.history[2].val_loss, result.test_loss);
  // A folder is as good as its newest file, in which nothing is left to train.
  spec.checkpoint_dir.clear();
  spec.resume_from = folder.path();
  EXPECT_EQ(run(spec).weights_hash, result.weights_hash);
  const test::TempFolder empty;
  spec.resume_from = empty.path();
  EXPECT_EQ(test::data_error_of([&] { run(spec); }),
            empty.path().string() + ": expected a checkpoint to resume from, found none");
}

TEST(Trainer, ABatchLargerThanTheDataIsAllOfIt) {
  RunSpec spec = small_run();
  spec.batch = 4'000'000'000U;
  Recorder recorder;
  const RunResult result = run(spec, test::training_data(), nullptr, {&recorder});
  EXPECT_EQ(recorder.started[0].steps_per_epoch, 1U);
  EXPECT_EQ(result.history.size(), 3U);
}

TEST(Trainer, StoppedAtOnceSavesWhereItStands) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.checkpoint_dir = folder.path();
  const std::atomic<bool> stop{true};
  const RunResult result = Trainer(spec, test::training_data(), test::test_data(), {}).fit(stop);
  EXPECT_TRUE(result.stopped);
  EXPECT_TRUE(result.history.empty());
  EXPECT_EQ(result.checkpoint, folder / "last.safetensors");
  EXPECT_EQ(load_checkpoint(result.checkpoint).state.step, 0U);
  spec.resume = true;
  EXPECT_EQ(outcome(run(spec)), outcome(run(small_run())));
}

TEST(Trainer, StartsFromGivenParameters) {
  const test::TempFolder folder;
  RunSpec trained = small_run();
  trained.checkpoint_dir = folder.path();
  const RunResult source = run(trained);
  RunSpec start = small_run();
  start.epochs = 0;
  start.seed = 1;
  start.init = folder / "last.safetensors";
  const RunResult result = run(start);
  EXPECT_EQ(result.weights_hash, source.weights_hash);
  EXPECT_EQ(result.test_acc, source.test_acc);
  EXPECT_TRUE(result.history.empty());
}

TEST(Trainer, ParametersOfAnotherShapeAreRefused) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.epochs = 1;
  spec.checkpoint_dir = folder.path();
  run(spec);
  RunSpec wider = small_run();
  wider.hidden = {13, 8};
  wider.init = folder / "last.safetensors";
  EXPECT_THROW(run(wider), DataError);
}

TEST(Trainer, SpecsThatCannotRunAreRefused) {
  const auto refused = [](auto change) {
    RunSpec spec = small_run();
    change(spec);
    EXPECT_THROW(Trainer(spec, test::training_data(), nullptr, {}), std::invalid_argument);
  };
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  refused([](RunSpec& s) { s.batch = 0; });
  refused([](RunSpec& s) { s.slots = 0; });
  refused([](RunSpec& s) { s.hidden = {8, 0}; });
  refused([](RunSpec& s) { s.validation_size = 300; });
  refused([](RunSpec& s) { s.validation = test::test_data(); });
  refused([](RunSpec& s) { s.optimizer.learning_rate = -1.0F; });
  refused([](RunSpec& s) { s.optimizer.learning_rate = kNan; });
  refused([](RunSpec& s) { s.optimizer.momentum = std::numeric_limits<float>::infinity(); });
  refused([](RunSpec& s) { s.optimizer.weight_decay = -0.1F; });
}

TEST(Trainer, FitIsCalledOnce) {
  const std::atomic<bool> never{false};
  Trainer trainer(small_run(), test::training_data(), nullptr, {});
  trainer.fit(never);
  EXPECT_THROW(trainer.fit(never), std::logic_error);
}

}  // namespace
}  // namespace millrace
