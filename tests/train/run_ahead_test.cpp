// Runs on an engine that runs ahead: nothing waits between epochs where nothing has to, and all
// ends in the bits of a run that looked at each epoch before it began the next.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "formats/error.h"
#include "formats/forwarding_dataset.h"
#include "loader/subset.h"
#include "loader/worker_pool.h"
#include "tests/support/faulty_dataset.h"
#include "tests/support/files.h"
#include "tests/support/late_engine.h"
#include "tests/support/training.h"
#include "train/checkpoint.h"
#include "train/checkpoint_dir.h"
#include "train/trainer.h"

namespace millrace {
namespace {

using test::LateEngine;
using test::outcome;
using test::Recorder;
using test::run;
using test::small_run;

constexpr std::uint64_t kSteps = 17;  // of an epoch of small_run()

// In chunks of one batch each, of which an epoch has more than are handed over at once.
RunSpec many_chunks() {
  RunSpec spec = small_run();
  spec.chunk_batches = 1;
  spec.epochs = 5;
  return spec;
}

/// A run on a LateEngine, with one observer that says whether it may lag.
struct LateRun {
  class Watcher final : public Recorder {
   public:
    Watcher(LateRun& of, bool lags) : run_(of), lags_(lags) {}
    bool may_lag() const override { return lags_; }
    void on_epoch(const EpochResult& epoch) override {
      Recorder::on_epoch(epoch);
      run_.handed_over.push_back(run_.engine->steps_handed_over());
      run_.done.push_back(run_.engine->steps_done());
      run_.waits.push_back(run_.engine->waits());
      if (run_.on_epoch) run_.on_epoch(epoch);
    }
    void on_progress(const Progress& now) override {
      EXPECT_EQ(now.epoch, epochs.size()) << "of an epoch before the one before it is told";
      ++progress;
    }

    std::size_t progress = 0;  // told

   private:
    LateRun& run_;
    bool lags_;
  };

  explicit LateRun(bool lags) : watcher(*this, lags) {}

  RunResult fit(const RunSpec& spec,
                const std::shared_ptr<const Dataset>& data = test::training_data()) {
    Trainer trainer(spec, data, test::test_data(), {&watcher},
                    [this](const MlpSpec& model, const TrainSpec& train, const Device& device) {
                      auto late = std::make_unique<LateEngine>(make_engine(model, train, device));
                      engine = late.get();
                      late->on_train = on_train;
                      late->on_metrics = on_metrics;
                      return late;
                    });
    return trainer.fit(stop);
  }

  Watcher watcher;
  LateEngine* engine = nullptr;
  std::atomic<bool> stop{false};
  std::function<void(const EpochResult&)> on_epoch;
  std::function<void()> on_train = [] {};
  std::function<void()> on_metrics = [] {};
  // At each on_epoch():
  std::vector<std::uint64_t> handed_over;
  std::vector<std::uint64_t> done;
  std::vector<int> waits;
};

struct Case {
  std::string name;
  std::function<void(RunSpec&)> change;
  bool ahead = true;  // whether any epoch may begin before the one before it is judged
  bool saves = false;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  return {
      {"plain", [](RunSpec&) {}},
      {"no_validation", [](RunSpec& s) { s.validation_size = 0; }},
      {"whole_chunks", [](RunSpec& s) { s.chunk_batches = 64; }},
      {"packed", [](RunSpec& s) { s.residency = Residency::kHost; }},
      {"schedule", [](RunSpec& s) { s.schedule = {.kind = ScheduleSpec::Kind::kCosine}; }},
      {"average", [](RunSpec& s) { s.optimizer.ema = 0.9F; }},
      {"adam",
       [](RunSpec& s) {
         s.optimizer = {0.01F, 0.0F, 0.01F, OptimizerSpec::Kind::kAdamW};
         s.dropout = 0.1F;
         s.batch_norm = true;
       }},
      {"patience", [](RunSpec& s) { s.stopping.patience = 3; }},
      {"no_patience",
       [](RunSpec& s) {
         s.stopping.patience = 1;
         s.optimizer.learning_rate = 1.5F;
         s.epochs = 12;
       }},
      {"target", [](RunSpec& s) { s.stopping.target_accuracy = 0.5F; }, false},
      {"one_epoch", [](RunSpec& s) { s.epochs = 1; }, false},
      {"checkpoints", [](RunSpec&) {}, true, true},
      {"checkpoints_in_mid_epoch", [](RunSpec& s) { s.checkpoint_every = 7; }, true, true},
      {"checkpoints_of_all_steps", [](RunSpec& s) { s.checkpoint_every = 1; }, true, true},
      {"checkpoints_in_whole_chunks",
       [](RunSpec& s) {
         s.chunk_batches = 64;
         s.checkpoint_every = 7;
       },
       true, true},
  };
}

class RunAhead : public testing::TestWithParam<Case> {
 protected:
  RunSpec spec() {
    RunSpec spec = many_chunks();
    GetParam().change(spec);
    if (GetParam().saves) spec.checkpoint_dir = folder_ / std::to_string(++runs_);
    return spec;
  }

 private:
  const test::TempFolder folder_;
  int runs_ = 0;
};

TEST_P(RunAhead, EndsInTheSameBits) {
  const RunResult expected = run(spec());
  for (const bool lags : {true, false}) {
    LateRun late(lags);
    const RunResult found = late.fit(spec());
    EXPECT_EQ(outcome(found), outcome(expected));
    EXPECT_EQ(found.ended_early, expected.ended_early);
    EXPECT_EQ(found.samples_per_s > 0.0, true);
    ASSERT_EQ(late.watcher.epochs.size(), expected.history.size());
    for (std::size_t e = 0; e < expected.history.size(); ++e) {
      const EpochResult& epoch = late.watcher.epochs[e];
      EXPECT_EQ(epoch.epoch, e);
      EXPECT_EQ(epoch.train_loss, expected.history[e].train_loss);
      EXPECT_EQ(epoch.val_loss, expected.history[e].val_loss);
      EXPECT_EQ(epoch.learning_rate, expected.history[e].learning_rate);
      EXPECT_GT(epoch.train_s, 0.0);
      EXPECT_GE(epoch.val_s, 0.0);
    }
  }
}

TEST_P(RunAhead, TheNextEpochIsUnderWayWhenOneIsTold) {
  LateRun late(true);
  const std::size_t epochs = late.fit(spec()).history.size();
  const std::uint64_t steps = GetParam().name == "no_validation" ? 19 : kSteps;
  bool ahead = false;
  for (std::size_t e = 0; e < epochs; ++e) {
    EXPECT_EQ(late.done[e], (e + 1) * steps) << "waited for more than the epoch";
    EXPECT_GE(late.handed_over[e], (e + 1) * steps);
    EXPECT_LT(late.handed_over[e], (e + 2) * steps + 1);
    ahead = ahead || late.handed_over[e] > (e + 1) * steps;
  }
  EXPECT_EQ(late.handed_over.back(), epochs * steps) << "nothing comes after the last";
  EXPECT_EQ(ahead, GetParam().ahead);
  if (GetParam().name == "plain") {
    for (std::size_t e = 0; e + 1 < epochs; ++e) {
      EXPECT_GT(late.handed_over[e], (e + 1) * steps) << "epoch " << e;
      EXPECT_LE(late.handed_over[e], (e + 1) * steps + 4) << "told late";
    }
  }
  EXPECT_EQ(late.waits.back(), late.waits.front()) << "for everything, between epochs";
}

TEST_P(RunAhead, ButNotWhereSomebodyLooksAtTheEngine) {
  LateRun late(false);
  const std::size_t epochs = late.fit(spec()).history.size();
  const std::uint64_t steps = GetParam().name == "no_validation" ? 19 : kSteps;
  for (std::size_t e = 0; e < epochs; ++e) {
    EXPECT_EQ(late.handed_over[e], (e + 1) * steps);
    EXPECT_EQ(late.done[e], (e + 1) * steps);
  }
}

INSTANTIATE_TEST_SUITE_P(Runs, RunAhead, testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

TEST(RunAheadOf, AllCoresButOneLoad) {
  RunSpec spec = many_chunks();
  spec.residency = Residency::kHost;
  spec.workers = 0;
  const std::uint32_t cores = WorkerPool::resolve(0);
  LateRun late(true);
  EXPECT_EQ(late.fit(spec).train_loader.workers, std::max(1U, cores - 1));
  EXPECT_EQ(run(spec).train_loader.workers, cores);
}

TEST(RunAheadOf, APatienceThatMayEndItIsAwaited) {
  RunSpec spec = many_chunks();
  spec.stopping.patience = 1;
  spec.optimizer.learning_rate = 1.5F;  // makes accuracy jump
  spec.epochs = 12;
  LateRun late(true);
  const RunResult result = late.fit(spec);
  ASSERT_TRUE(result.ended_early);
  ASSERT_LT(result.history.size(), 12U);
  EXPECT_EQ(late.handed_over.back(), result.history.size() * kSteps);
}

TEST(RunAheadOf, CheckpointsAreOfTheStepsTheyAreNamedFor) {
  RunSpec spec = many_chunks();
  spec.optimizer.ema = 0.9F;
  spec.keep = 100;
  for (const std::uint64_t every : {1U, 7U, 17U}) {
    for (const std::uint32_t chunk : {1U, 64U}) {
      const test::TempFolder plain;
      const test::TempFolder late_folder;
      spec.checkpoint_every = every;
      spec.chunk_batches = chunk;
      spec.checkpoint_dir = plain.path();
      run(spec);
      LateRun late(true);
      spec.checkpoint_dir = late_folder.path();
      late.fit(spec);
      const auto names = checkpoint_names(plain.path());
      EXPECT_EQ(names.size(), 5 * kSteps / every + 2);
      EXPECT_EQ(checkpoint_names(late_folder.path()), names);
      for (const std::string& name : names) {
        const Checkpoint expected = load_checkpoint(plain / name);
        const Checkpoint found = load_checkpoint(late_folder / name);
        EXPECT_EQ(found.parameters, expected.parameters) << name;
        EXPECT_EQ(found.optimizer, expected.optimizer) << name;
        EXPECT_EQ(found.state.epoch, expected.state.epoch) << name;
        EXPECT_EQ(found.state.batch, expected.state.batch) << name;
        EXPECT_EQ(found.state.step, expected.state.step) << name;
        EXPECT_EQ(found.state.sums, expected.state.sums) << name;
        ASSERT_EQ(found.state.history.size(), expected.state.history.size()) << name;
        for (std::size_t e = 0; e < expected.state.history.size(); ++e) {
          EXPECT_EQ(found.state.history[e].train_loss, expected.state.history[e].train_loss);
          EXPECT_EQ(found.state.history[e].val_loss, expected.state.history[e].val_loss);
        }
      }
    }
  }
}

TEST(RunAheadOf, TheEngineHasWorkWhileACheckpointIsLookedAt) {
  const test::TempFolder folder;
  RunSpec spec = many_chunks();
  spec.checkpoint_every = 7;
  spec.checkpoint_dir = folder.path();
  LateRun late(true);
  std::size_t sums = 0;
  std::size_t idle = 0;
  late.on_metrics = [&] {
    ++sums;
    if (late.engine->steps_done() == late.engine->steps_handed_over()) ++idle;
  };
  late.fit(spec);
  EXPECT_GE(sums, 12U + 2 * 5 + 1) << "of checkpoints, epochs and the test";
  // The last epoch's two and the test's; and where the loop looks at the sums for a moving bar.
  EXPECT_LE(idle, 3 + late.watcher.progress);
}

TEST(RunAheadOf, AStopWhileAnEpochIsToldEndsInTheNext) {
  const RunResult whole = run(many_chunks());
  for (const std::size_t last : {0U, 2U}) {
    LateRun late(true);
    late.on_epoch = [&](const EpochResult& epoch) { late.stop = epoch.epoch == last; };
    const RunResult result = late.fit(many_chunks());
    EXPECT_TRUE(result.stopped);
    EXPECT_FALSE(result.ended_early);
    ASSERT_EQ(result.history.size(), last + 1);
    for (std::size_t e = 0; e <= last; ++e) {
      EXPECT_EQ(result.history[e].train_loss, whole.history[e].train_loss);
      EXPECT_EQ(result.history[e].val_acc, whole.history[e].val_acc);
    }
  }
}

TEST(RunAheadOf, AStoppedRunIsResumedToTheSameEnd) {
  const test::TempFolder folder;
  RunSpec spec = many_chunks();
  const RunResult whole = run(spec);
  spec.checkpoint_dir = folder.path();
  {
    LateRun late(true);
    late.on_epoch = [&](const EpochResult& epoch) { late.stop = epoch.epoch == 1; };
    EXPECT_TRUE(late.fit(spec).stopped);
  }
  spec.resume = true;
  LateRun late(true);
  EXPECT_EQ(outcome(late.fit(spec)), outcome(whole));
}

std::string divergence(const std::function<void()>& fit) {
  try {
    fit();
  } catch (const DivergedError& error) {
    return std::to_string(error.step()) + ": " + error.what();
  }
  return "none";
}

TEST(RunAheadOf, ADivergedEpochIsNamedAsItsOwn) {
  RunSpec spec = many_chunks();
  // Goes well until that epoch begins.
  for (const std::uint64_t epoch : {1U, 3U}) {
    spec.schedule.kind = ScheduleSpec::Kind::kStep;
    spec.schedule.step_epochs = epoch;
    spec.schedule.gamma = 1e30;
    const std::string expected = divergence([&] { run(spec); });
    EXPECT_NE(expected.find("(epoch " + std::to_string(epoch) + ")"), std::string::npos)
        << expected;
    LateRun late(true);
    EXPECT_EQ(divergence([&] { late.fit(spec); }), expected);
    EXPECT_EQ(late.watcher.epochs.size(), epoch);
  }
}

/// Whose reads somebody else may refuse.
class GuardedDataset final : public ForwardingDataset<Dataset> {
 public:
  using Guard = std::function<void(std::span<const std::uint64_t> ids)>;
  GuardedDataset(std::shared_ptr<const Dataset> whole, Guard guard)
      : ForwardingDataset(std::move(whole)), guard_(std::move(guard)) {}

  std::string hash() const override { return of().hash(); }
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    guard_(ids);
    of().read(ids, samples, labels);
  }

 private:
  Guard guard_;
};

TEST(RunAheadOf, AnErrorOfTheNextEpochComesAfterWhatIsOwed) {
  RunSpec spec = many_chunks();
  spec.validation_size = 0;
  spec.residency = Residency::kHost;
  std::atomic<std::size_t> reads{0};
  const auto data = std::make_shared<GuardedDataset>(
      test::memory_dataset({.contiguous = false}), [&](std::span<const std::uint64_t> ids) {
        if ((reads += ids.size()) > 2U * 300)
          throw DataError("worn.bin", "cannot be read any more");
      });
  LateRun late(true);
  EXPECT_THROW(late.fit(spec, data), DataError);
  EXPECT_EQ(late.watcher.epochs.size(), 2U);
}

TEST(RunAheadOf, AnErrorOfValidationComesAfterThatOfTheStepsBeforeIt) {
  RunSpec spec = many_chunks();
  spec.residency = Residency::kHost;
  const Subset validation = Split::random(300, spec.validation_size, spec.seed).validation;
  const auto data = std::make_shared<GuardedDataset>(
      test::memory_dataset({.contiguous = false}), [&](std::span<const std::uint64_t> ids) {
        for (const std::uint64_t id : ids) {
          if (validation.contains(id)) throw DataError("torn.bin", "cannot be read");
        }
      });
  EXPECT_THROW(LateRun(true).fit(spec, data), DataError);
  spec.optimizer.learning_rate = 1e30F;
  EXPECT_THROW(run(spec, data), DivergedError);
  EXPECT_THROW(LateRun(true).fit(spec, data), DivergedError);
}

TEST(RunAheadOf, ProgressOfTheNextEpochComesAfterTheEpochBefore) {
  LateRun late(true);
  // So slow a step that the loop looks at the sums after it.
  late.on_train = [&] {
    if (late.engine->steps_handed_over() % kSteps != 1) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
  };
  late.fit(many_chunks());
  EXPECT_GE(late.watcher.progress, 4U);  // which the watcher holds against the epochs told
}

TEST(RunAheadOf, BadSamplesAreToldInTheEpochThatMeetsThem) {
  // Told in the order of the epochs that they belong to, and the run is the same.
  RunSpec spec = many_chunks();
  spec.residency = Residency::kHost;
  spec.on_bad = OnBad::kSkip;
  spec.bad_budget = {.count = 10};
  const auto data = [] {
    return std::make_shared<test::FaultyDataset>(test::training_data(),
                                                 std::set<std::uint64_t>{3, 77, 200});
  };
  const RunResult expected = run(spec, data());
  LateRun late(true);
  const RunResult found = late.fit(spec, data());
  EXPECT_EQ(outcome(found), outcome(expected));
  EXPECT_EQ(found.bad_samples, expected.bad_samples);
}

}  // namespace
}  // namespace millrace
