// Whole runs whose checkpoints take their time: training goes on meanwhile, and what is due is
// there when fit() has come back, however it does.

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/files.h"
#include "tests/support/forwarding_engine.h"
#include "tests/support/gate.h"
#include "tests/support/late_engine.h"
#include "tests/support/training.h"
#include "tests/support/when_it_waits.h"
#include "train/best.h"
#include "train/checkpoint.h"
#include "train/checkpoint_dir.h"
#include "train/weights_hash.h"

namespace millrace {
namespace {

using test::Gate;
using test::outcome;
using test::run;
using test::small_run;
using test::WhenItWaits;

using State = std::pair<Parameters, OptimizerState>;

/// Whose snapshots `before` comes before: it may block the thread that writes, or spoil them.
class SlowDisk final : public test::ForwardingEngine {
 public:
  using Before = std::function<void(State&)>;
  SlowDisk(std::unique_ptr<Engine> engine, Before before)
      : ForwardingEngine(std::move(engine)), before_(std::move(before)) {}

  std::unique_ptr<Snapshot> make_snapshot() override {
    return std::make_unique<Slow>(ForwardingEngine::make_snapshot(), before_);
  }

 private:
  class Slow final : public Snapshot {
   public:
    Slow(std::unique_ptr<Snapshot> of, Before before)
        : of_(std::move(of)), before_(std::move(before)) {}
    void take() override { of_->take(); }
    void await() override { of_->await(); }
    State hand_out() override {
      State state = of_->hand_out();
      before_(state);
      return state;
    }

   private:
    std::unique_ptr<Snapshot> of_;
    Before before_;
  };

  Before before_;
};

/// A run of small_run() with a folder. Nothing is written before the disk is let go of, and
/// training is held to wait for it only where `may_wait`: it is let go of then.
class SlowRun {
 public:
  explicit SlowRun(bool may_wait) : may_wait_(may_wait) {
    spec = small_run();
    spec.epochs = 6;
    spec.checkpoint_dir = folder.path();
    recorder.when_saved = [thread = std::this_thread::get_id()](const auto&) {
      EXPECT_EQ(std::this_thread::get_id(), thread) << "observers are for the trainer's thread";
    };
  }

  void let_go() {
    free_ = true;
    disk.open();
  }

  RunResult fit(bool late) {
    const WhenItWaits waiter([this] {
      EXPECT_TRUE(may_wait_ || free_) << "training waits";
      waited = waited || !free_;
      let_go();
    });
    const auto make = [&](const MlpSpec& model, const TrainSpec& train, const Device& device) {
      std::unique_ptr<Engine> engine =
          std::make_unique<SlowDisk>(make_engine(model, train, device), [this](State& state) {
            disk.pass();
            if (spoil) spoil(state);
          });
      if (late) engine = std::make_unique<test::LateEngine>(std::move(engine));
      return engine;
    };
    return Trainer(spec, test::training_data(), test::test_data(), {&recorder}, make).fit(stop);
  }

  class Listener final : public test::Recorder {
   public:
    bool may_lag() const override { return true; }
    void on_epoch(const EpochResult& epoch) override {
      Recorder::on_epoch(epoch);
      if (when_told) when_told(epoch.epoch);
    }
    std::function<void(std::uint64_t epoch)> when_told;
  };

  const test::TempFolder folder;
  RunSpec spec;
  Listener recorder;
  Gate disk;
  std::function<void(State&)> spoil;  // what is to be written
  std::atomic<bool> stop{false};
  bool waited = false;  // for a disk that was not let go of

 private:
  const bool may_wait_;
  bool free_ = false;
};

class SlowDiskTest : public testing::TestWithParam<bool> {};

TEST_P(SlowDiskTest, HoldsUpNoEpoch) {
  SlowRun slow(false);
  slow.recorder.when_told = [&](std::uint64_t epoch) {
    if (epoch == 4) slow.let_go();
  };
  const RunResult result = slow.fit(GetParam());
  RunSpec plain = small_run();
  plain.epochs = 6;
  EXPECT_EQ(outcome(result), outcome(run(plain)));
  EXPECT_EQ(result.checkpoint, slow.folder / "last.safetensors");
  EXPECT_EQ(slow.recorder.checkpoints.back(), "last.safetensors");
  EXPECT_LT(slow.recorder.checkpoints.size(), 6U) << "some were replaced while they waited";
  const Checkpoint last = load_checkpoint(result.checkpoint);
  EXPECT_EQ(last.state.epoch, 6U);
  EXPECT_EQ(weights_hash(last.parameters), result.weights_hash);
  std::size_t best = 0;
  for (std::size_t e = 1; e < 6; ++e) {
    if (is_better(result.history[e], result.history[best])) best = e;
  }
  const Checkpoint found = load_checkpoint(slow.folder / "best.safetensors");
  EXPECT_EQ(found.state.epoch, best + 1);
  EXPECT_EQ(found.state.history.size(), best + 1);
}

TEST_P(SlowDiskTest, HoldsUpTrainingWhereStepsAreDue) {
  SlowRun slow(true);
  slow.spec.checkpoint_every = 5;
  slow.spec.keep = 100;
  const RunResult result = slow.fit(GetParam());
  EXPECT_TRUE(slow.waited);
  EXPECT_GT(result.checkpoint_s, 0.0);

  const test::TempFolder folder;
  slow.spec.checkpoint_dir = folder.path();
  run(slow.spec);
  const auto names = checkpoint_names(folder.path());
  EXPECT_EQ(names.size(), 6U * 17 / 5 + 2);
  EXPECT_EQ(checkpoint_names(slow.folder.path()), names);
  for (const std::string& name : names) {
    const Checkpoint expected = load_checkpoint(folder / name);
    const Checkpoint found = load_checkpoint(slow.folder / name);
    EXPECT_EQ(found.parameters, expected.parameters) << name;
    EXPECT_EQ(found.optimizer, expected.optimizer) << name;
    EXPECT_EQ(found.state.batch, expected.state.batch) << name;
    EXPECT_EQ(found.state.sums, expected.state.sums) << name;
    EXPECT_EQ(found.state.history.size(), expected.state.history.size()) << name;
  }
}

TEST_P(SlowDiskTest, AStoppedRunComesBackWhenItsCheckpointIsThere) {
  SlowRun slow(true);
  slow.recorder.when_told = [&](std::uint64_t epoch) { slow.stop = epoch == 2; };
  const RunResult result = slow.fit(GetParam());
  EXPECT_TRUE(result.stopped);
  EXPECT_TRUE(slow.waited);
  const RunState state = load_checkpoint(result.checkpoint).state;
  EXPECT_EQ(state.history.size(), 3U);
  EXPECT_GE(state.step, 51U);
  slow.spec.resume = true;
  RunSpec plain = small_run();
  plain.epochs = 6;
  EXPECT_EQ(outcome(run(slow.spec)), outcome(run(plain)));
}

TEST_P(SlowDiskTest, ARunThatFailsLeavesWhatWasDue) {
  SlowRun slow(true);
  slow.recorder.when_told = [&](std::uint64_t epoch) {
    if (epoch == 3) throw std::runtime_error("the observer's own");
  };
  EXPECT_THROW(slow.fit(GetParam()), std::runtime_error);
  EXPECT_TRUE(slow.waited);
  const RunState state = load_checkpoint(slow.folder / "last.safetensors").state;
  EXPECT_EQ(state.epoch, 3U);
  EXPECT_EQ(state.batch, 0U);
  EXPECT_EQ(state.step, 51U);
  EXPECT_EQ(state.history.size(), 3U);
}

TEST_P(SlowDiskTest, AnErrorOfTheCheckpointIsToldBeforeOneThatCameLater) {
  SlowRun slow(true);
  slow.spoil = [](State& state) {
    state.first[2].values[1] = std::numeric_limits<float>::quiet_NaN();
  };
  slow.recorder.when_told = [&](std::uint64_t epoch) {
    if (epoch == 1) slow.disk.await();  // else the first may be replaced before anybody looks at it
    if (epoch == 3) throw std::runtime_error("the observer's own");
  };
  try {
    slow.fit(GetParam());
    ADD_FAILURE() << "nothing was thrown";
  } catch (const DivergedError& error) {
    EXPECT_EQ(std::string(error.what())
                  .find("training diverged at step 16 (epoch 0): it left "
                        "values in 2.weight that are not finite; "),
              0U)
        << error.what();
  }
  EXPECT_TRUE(slow.waited);
  EXPECT_EQ(slow.recorder.epochs.size(), 4U);
  EXPECT_TRUE(slow.folder.names().empty());
}

INSTANTIATE_TEST_SUITE_P(Engines, SlowDiskTest, testing::Bool(), [](const auto& tested) {
  return tested.param ? "that_runs_ahead" : "that_does_not";
});

}  // namespace
}  // namespace millrace
