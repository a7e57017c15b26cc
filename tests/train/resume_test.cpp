#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "compute/tensors.h"
#include "formats/error.h"
#include "tests/support/files.h"
#include "tests/support/forwarding_engine.h"
#include "tests/support/training.h"
#include "train/checkpoint.h"

namespace millrace {
namespace {

using test::outcome;
using test::Recorder;
using test::run;
using test::small_run;

constexpr std::uint64_t kSteps = 17;  // of an epoch of small_run()

/// Sets `stop` at the first checkpoint at or after step `until`, where there is one every `every`
/// steps and at the end of each epoch.
class Stopper final : public Recorder {
 public:
  Stopper(std::uint64_t every, std::uint64_t until) : every_(every), until_(until) {}

  std::unique_ptr<Engine> make(const MlpSpec& model, const TrainSpec& train, const Device& device) {
    return std::make_unique<CountingEngine>(*this, make_engine(model, train, device));
  }
  void on_start(const RunInfo& info) override {
    step_ = info.first_epoch * kSteps + info.first_step_in_epoch;
  }
  void on_epoch(const EpochResult& epoch) override {
    if ((epoch.epoch + 1) * kSteps >= until_) stop = true;
  }

  std::atomic<bool> stop{false};

 private:
  class CountingEngine final : public test::ForwardingEngine {
   public:
    CountingEngine(Stopper& of, std::unique_ptr<Engine> engine)
        : ForwardingEngine(std::move(engine)), of_(of) {}
    void train(const Chunk& chunk) override {
      ForwardingEngine::train(chunk);
      const std::uint64_t step = of_.step_ += chunk.batches();
      if (step >= of_.until_ && step % of_.every_ == 0 && step % kSteps != 0) of_.stop = true;
    }

   private:
    Stopper& of_;
  };

  const std::uint64_t every_;
  const std::uint64_t until_;
  std::uint64_t step_ = 0;
};

// Trains until that checkpoint.
RunResult interrupted(RunSpec spec, const std::filesystem::path& folder, std::uint64_t every,
                      std::uint64_t until) {
  Stopper stopper(every, until);
  spec.checkpoint_dir = folder;
  spec.checkpoint_every = every;
  return Trainer(spec, test::training_data(), test::test_data(), {&stopper},
                 [&](const auto&... args) { return stopper.make(args...); })
      .fit(stopper.stop);
}

struct Way {
  std::uint32_t chunk_batches;
  std::uint32_t slots;
  std::uint32_t workers;
  Residency residency;
};

void PrintTo(const Way& way, std::ostream* out) {
  *out << "chunk_batches " << way.chunk_batches << ", slots " << way.slots << ", workers "
       << way.workers;
}

class ResumeAtStep : public testing::TestWithParam<std::tuple<std::uint64_t, Way>> {};

TEST(Resume, GoesOnWithTheScheduleWhereItStood) {
  for (const auto kind :
       {ScheduleSpec::Kind::kStep, ScheduleSpec::Kind::kCosine, ScheduleSpec::Kind::kOneCycle}) {
    RunSpec spec = small_run();
    spec.schedule = {.kind = kind, .warmup_epochs = 0.5, .step_epochs = 1, .gamma = 0.5};
    const RunResult whole = run(spec);
    EXPECT_NE(whole.weights_hash, run(small_run()).weights_hash);
    const test::TempFolder folder;
    ASSERT_TRUE(interrupted(spec, folder.path(), 5, 20).stopped);
    spec.checkpoint_dir = folder.path();
    spec.resume = true;
    const RunResult resumed = run(spec);
    EXPECT_EQ(resumed.weights_hash, whole.weights_hash);
    for (std::size_t epoch = 0; epoch < 3; ++epoch) {
      EXPECT_EQ(resumed.history[epoch].learning_rate, whole.history[epoch].learning_rate);
    }
    spec.epochs = 4;
    if (depends_on_length(spec.schedule)) {
      EXPECT_THROW(run(spec), DataError);
    } else {
      EXPECT_NO_THROW(run(spec));
    }
  }
}

TEST_P(ResumeAtStep, EndsAsIfNeverStopped) {
  const auto [step, way] = GetParam();
  const test::TempFolder folder;
  const RunResult first = interrupted(small_run(), folder.path(), step, step);
  ASSERT_TRUE(first.stopped);
  EXPECT_FALSE(first.test_acc);

  RunSpec spec = small_run();
  spec.checkpoint_dir = folder.path();
  spec.resume = true;
  spec.chunk_batches = way.chunk_batches;
  spec.slots = way.slots;
  spec.workers = way.workers;
  spec.residency = way.residency;
  Recorder recorder;
  const RunResult second = run(spec, test::training_data(), test::test_data(), {&recorder});
  EXPECT_EQ(outcome(second), outcome(run(small_run())));
  ASSERT_EQ(recorder.started.size(), 1U);
  const RunInfo& info = recorder.started[0];
  EXPECT_EQ(info.first_epoch * kSteps + info.first_step_in_epoch, step);
  EXPECT_EQ(info.resumed_from.parent_path(), folder.path());
  EXPECT_EQ(recorder.epochs.front().partial, step % kSteps != 0);
}

INSTANTIATE_TEST_SUITE_P(Steps, ResumeAtStep,
                         testing::Combine(testing::Values(1, 5, 16, 17, 18, 33, 34, 50),
                                          testing::Values(Way{0, 3, 1, Residency::kAuto},
                                                          Way{3, 1, 2, Residency::kHost},
                                                          Way{1, 4, 3, Residency::kResident})));

TEST(Resume, InManyPiecesEndsInTheSameBits) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.resume = true;
  std::uint64_t pieces = 0;
  while (interrupted(spec, folder.path(), 4, 0).stopped) ASSERT_LT(++pieces, 100U);
  EXPECT_GE(pieces, 51U / 4);
  spec.checkpoint_dir = folder.path();
  EXPECT_EQ(outcome(run(spec)), outcome(run(small_run())));
}

TEST(Resume, BetweenLastStepAndValidationEndsInTheSameBits) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.epochs = 1;
  spec.checkpoint_dir = folder.path();
  run(spec);
  // What a stop in validation saves: all steps of the epoch, which is not yet history.
  Checkpoint c = load_checkpoint(folder / "last.safetensors");
  const double loss = c.state.history[0].train_loss * 260;
  c.state.sums = {std::round(loss * 0x1p24) * 0x1p-24,
                  static_cast<std::uint64_t>(std::llround(c.state.history[0].train_acc * 260)),
                  260};
  c.state.history.clear();
  c.state.epoch = 0;
  c.state.batch = 17;
  save_checkpoint(folder / "last.safetensors", c);

  for (const std::uint64_t epochs : {1U, 3U}) {
    RunSpec rest = small_run();
    rest.epochs = epochs;
    RunSpec whole = rest;
    rest.resume = true;
    rest.resume_from = folder / "last.safetensors";
    EXPECT_EQ(outcome(run(rest)), outcome(run(whole))) << epochs;
  }
}

TEST(Resume, InBFloat16EndsInTheSameBits) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.precision = Precision::kBFloat16;
  const std::string whole = outcome(run(spec));
  ASSERT_TRUE(interrupted(spec, folder.path(), 20, 20).stopped);
  spec.checkpoint_dir = folder.path();
  spec.resume = true;
  EXPECT_EQ(outcome(run(spec)), whole);
}

TEST(Resume, MoreEpochsGoOnWhereTheRunEnded) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.epochs = 1;
  spec.checkpoint_dir = folder.path();
  run(spec);
  spec.epochs = 3;
  spec.resume = true;
  EXPECT_EQ(outcome(run(spec)), outcome(run(small_run())));
}

TEST(Resume, WithDropoutSwitchedOnOrOffGoesOnFromTheSameWeights) {
  for (const bool batch_norm : {false, true}) {
    for (const float dropout : {0.0F, 0.25F}) {
      const test::TempFolder folder;
      RunSpec spec = small_run();
      spec.epochs = 1;
      spec.batch_norm = batch_norm;
      spec.dropout = dropout;
      spec.checkpoint_dir = folder.path();
      const RunResult before = run(spec);
      spec.dropout = 0.25F - dropout;
      spec.resume = true;
      EXPECT_EQ(run(spec).weights_hash, before.weights_hash) << "no step is left to train";
      spec.epochs = 3;
      Recorder recorder;
      const RunResult after = run(spec, test::training_data(), test::test_data(), {&recorder});
      EXPECT_EQ(after.history.size(), 3U);
      // With dropout losses are of what it leaves, and higher.
      if (spec.dropout == 0.0F) {
        EXPECT_LT(after.history[2].train_loss, before.history[0].train_loss);
      }
      // Nothing of a momentum that would start from zero.
      ASSERT_EQ(recorder.notices.size(), 1U) << recorder.notices.back();
      EXPECT_TRUE(recorder.notices[0].starts_with("dropout: checkpoint ")) << recorder.notices[0];
      EXPECT_EQ(load_checkpoint(folder / "last.safetensors").state.options.dropout, spec.dropout);
    }
  }
}

TEST(Resume, WithoutMomentumGoesOnWithTheAverage) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.epochs = 1;
  spec.optimizer.ema = 0.9F;
  spec.checkpoint_dir = folder.path();
  const RunResult before = run(spec);
  spec.optimizer.momentum = 0.0F;
  spec.resume = true;
  EXPECT_EQ(run(spec).weights_hash, before.weights_hash) << "no step is left to train";
  spec.epochs = 2;
  Recorder recorder;
  run(spec, test::training_data(), test::test_data(), {&recorder});
  EXPECT_EQ(recorder.notices, std::vector<std::string>{"momentum: checkpoint 0.9, this run 0"});
  const Checkpoint last = load_checkpoint(folder / "last.safetensors");
  EXPECT_EQ(steps_in(last.optimizer), 2 * kSteps);
}

TEST(Resume, OfAFinishedRunTestsIt) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.checkpoint_dir = folder.path();
  const std::string whole = outcome(run(spec));
  spec.resume = true;
  Recorder recorder;
  const RunResult again = run(spec, test::training_data(), test::test_data(), {&recorder});
  EXPECT_EQ(outcome(again), whole);
  EXPECT_TRUE(recorder.epochs.empty());
  ASSERT_EQ(recorder.notices.size(), 1U);
  EXPECT_NE(recorder.notices[0].find("nothing is left"), std::string::npos);
}

TEST(Resume, WithoutACheckpointStartsANewRunAndSaysSo) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.checkpoint_dir = folder.path();
  spec.resume = true;
  Recorder recorder;
  const RunResult result = run(spec, test::training_data(), test::test_data(), {&recorder});
  EXPECT_EQ(outcome(result), outcome(run(small_run())));
  ASSERT_EQ(recorder.notices.size(), 1U);
  EXPECT_NE(recorder.notices[0].find("starting a new run"), std::string::npos);
}

TEST(Resume, OfAnotherDataSetIsRefused) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.epochs = 1;
  spec.checkpoint_dir = folder.path();
  run(spec);
  spec.resume = true;
  EXPECT_THROW(run(spec, test::memory_dataset({.seed = 2})), DataError);
  spec.hidden = {12};
  EXPECT_THROW(run(spec), DataError);
}

TEST(Resume, FromNowhereIsRefused) {
  RunSpec spec = small_run();
  spec.resume = true;
  EXPECT_THROW(run(spec), std::invalid_argument);
  spec.resume_from = "no-such-file.safetensors";
  EXPECT_THROW(run(spec), DataError);
}

TEST(Resume, AChangedLearningRateTakesEffect) {
  const test::TempFolder folder;
  interrupted(small_run(), folder.path(), 20, 20);
  RunSpec spec = small_run();
  spec.checkpoint_dir = folder.path();
  spec.resume = true;
  spec.optimizer.learning_rate = 0.01F;
  Recorder recorder;
  const RunResult slower = run(spec, test::training_data(), test::test_data(), {&recorder});
  EXPECT_NE(slower.weights_hash, run(small_run()).weights_hash);
  ASSERT_EQ(recorder.notices.size(), 1U);
  EXPECT_NE(recorder.notices[0].find("learning rate"), std::string::npos);
}

}  // namespace
}  // namespace millrace
