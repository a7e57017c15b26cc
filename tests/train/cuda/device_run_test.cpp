// Whole runs on the CUDA engine over a fake device that does what no event fixes in the wrong
// order: loaders, residencies, validation, checkpoints and the ends of epochs as a user has them.

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "compute/cuda/device_engine.h"
#include "tests/compute/cuda/engine_on_fake.h"
#include "tests/compute/cuda/fake_runtime.h"
#include "tests/support/files.h"
#include "tests/support/training.h"
#include "train/checkpoint_dir.h"
#include "train/trainer.h"

namespace millrace {
namespace {

using cuda::test::FakeDevice;
using cuda::test::FakeRuntime;
using cuda::test::kSchedules;
using cuda::test::Schedule;
using test::outcome;
using test::Recorder;
using test::small_run;

class Watcher final : public Recorder {
 public:
  void on_epoch(const EpochResult& epoch) override {
    Recorder::on_epoch(epoch);
    if (when_told) when_told();
  }
  std::function<void()> when_told;
};

/// A run on a device of its own.
struct DeviceRun {
  explicit DeviceRun(Schedule schedule = Schedule::kRandom)
      : device(std::make_shared<FakeDevice>()) {
    device->schedule = schedule;
  }

  RunResult fit(const RunSpec& spec) { return fit(spec, test::training_data(), test::test_data()); }
  RunResult fit(const RunSpec& spec, const std::shared_ptr<const Dataset>& data,
                const std::shared_ptr<const Dataset>& tested) {
    Trainer trainer(spec, data, tested, {&recorder},
                    [this](const MlpSpec& model, const TrainSpec& train, const Device&) {
                      return cuda::make_device_engine(std::make_unique<FakeRuntime>(device), model,
                                                      train, {.one_kernel = true}, 0);
                    });
    return trainer.fit(stop);
  }
  void expect_clean() const { cuda::test::expect_clean(*device); }

  std::shared_ptr<FakeDevice> device;
  Watcher recorder;
  std::atomic<bool> stop{false};
};

struct Case {
  std::string name;
  std::function<void(RunSpec&)> change;
  double bound = 1e-4;  // of losses, relative to the CPU's
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class DeviceRuns : public testing::TestWithParam<Case> {
 protected:
  static RunSpec spec() {
    RunSpec spec = small_run();
    spec.chunk_batches = 4;
    GetParam().change(spec);
    return spec;
  }
};

TEST_P(DeviceRuns, EndInTheSameBitsWhateverComesFirst) {
  std::optional<std::string> expected;
  for (const Residency residency : {Residency::kResident, Residency::kHost}) {
    for (const Schedule schedule : kSchedules) {
      RunSpec now = spec();
      now.residency = residency;
      now.workers = residency == Residency::kHost ? 2 : 1;
      DeviceRun run(schedule);
      const std::string found = outcome(run.fit(now));
      run.expect_clean();
      if (!expected) expected = found;
      EXPECT_EQ(found, *expected) << static_cast<int>(schedule);
      ASSERT_EQ(run.recorder.started.size(), 1U);
      EXPECT_EQ(run.recorder.started[0].residency,
                residency == Residency::kHost ? "host" : "resident");
    }
  }
}

TEST_P(DeviceRuns, AgreeWithTheCpu) {
  DeviceRun run;
  const RunResult found = run.fit(spec());
  const RunResult expected = test::run(spec());
  ASSERT_EQ(found.history.size(), expected.history.size());
  for (std::size_t e = 0; e < found.history.size(); ++e) {
    const double loss = expected.history[e].train_loss;
    EXPECT_NEAR(found.history[e].train_loss, loss, GetParam().bound * loss) << e;
    EXPECT_EQ(found.history[e].val_loss.has_value(), expected.history[e].val_loss.has_value());
    if (expected.history[e].val_loss) {
      const double val = *expected.history[e].val_loss;
      EXPECT_NEAR(*found.history[e].val_loss, val, GetParam().bound * val) << e;
    }
  }
  EXPECT_NEAR(*found.test_loss, *expected.test_loss, GetParam().bound * *expected.test_loss);
}

TEST_P(DeviceRuns, GoOnFromTheirCheckpointsToTheSameBits) {
  DeviceRun whole;
  RunSpec plain = spec();
  const std::string expected = whole.fit(plain).weights_hash;
  const test::TempFolder folder;
  RunSpec saved = plain;
  saved.checkpoint_dir = folder.path();
  saved.checkpoint_every = 5;
  saved.keep = 100;
  {
    DeviceRun run;
    EXPECT_EQ(run.fit(saved).weights_hash, expected);
    run.expect_clean();
  }
  int resumed = 0;
  for (const std::string& name : checkpoint_names(folder.path())) {
    RunSpec rest = plain;
    rest.resume = true;
    rest.resume_from = folder / name;
    DeviceRun run;
    EXPECT_EQ(run.fit(rest).weights_hash, expected) << name;
    run.expect_clean();
    ++resumed;
  }
  EXPECT_GT(resumed, 8);
}

INSTANTIATE_TEST_SUITE_P(
    Options, DeviceRuns,
    testing::Values(Case{"plain", [](RunSpec&) {}},
                    Case{"one_kernel", [](RunSpec& s) { s.hidden = {12}; }},
                    Case{"no_validation", [](RunSpec& s) { s.validation_size = 0; }},
                    Case{"long_chunks", [](RunSpec& s) { s.chunk_batches = 64; }},
                    Case{"single_steps", [](RunSpec& s) { s.chunk_batches = 1; }},
                    Case{"schedule",
                         [](RunSpec& s) { s.schedule = {.kind = ScheduleSpec::Kind::kCosine}; }},
                    Case{"adam",
                         [](RunSpec& s) {
                           s.optimizer = {0.01F, 0.0F, 0.01F, OptimizerSpec::Kind::kAdamW};
                           s.optimizer.ema = 0.9F;
                           s.dropout = 0.1F;
                           s.batch_norm = true;
                         },
                         2e-3},
                    Case{"patience", [](RunSpec& s) { s.stopping.patience = 3; }}),
    [](const auto& tested) { return tested.param.name; });

TEST(DeviceRun, DataThatDoNotFitStayOnTheHostWithANotice) {
  const RunSpec spec = small_run();
  DeviceRun resident;
  const std::string expected = outcome(resident.fit(spec));
  EXPECT_EQ(resident.recorder.started.at(0).residency, "resident");
  DeviceRun packed;
  RunSpec host = spec;
  host.residency = Residency::kHost;
  EXPECT_EQ(outcome(packed.fit(host)), expected);
  const std::size_t needed = packed.device->most;

  DeviceRun run;
  run.device->memory = needed;  // not a byte more than the chunks take
  EXPECT_EQ(outcome(run.fit(spec)), expected);
  EXPECT_EQ(run.recorder.started.at(0).residency, "host");
  ASSERT_FALSE(run.recorder.notices.empty());
  const std::string& notice = run.recorder.notices[0];
  EXPECT_NE(notice.find("memory is not kept resident: "), std::string::npos) << notice;
  EXPECT_NE(notice.find(": asked for "), std::string::npos) << notice;
  EXPECT_NE(notice.find(" are free"), std::string::npos) << notice;
  run.expect_clean();

  DeviceRun told;
  RunSpec resident_only = spec;
  resident_only.residency = Residency::kResident;
  told.device->memory = needed;
  EXPECT_THROW(told.fit(resident_only), DeviceError);
  told.expect_clean();
}

TEST(DeviceRun, ADeviceThatDiesLeavesTheCheckpointsOfBefore) {
  RunSpec spec = small_run();
  spec.epochs = 4;
  const test::TempFolder whole_folder;
  spec.checkpoint_dir = whole_folder.path();
  DeviceRun whole(Schedule::kLate);
  whole.device->calls_left = 1'000'000;
  const std::string expected = whole.fit(spec).weights_hash;
  const int calls = 1'000'000 - whole.device->calls_left;
  int died = 0;
  for (int left = 3; left < calls; left += calls / 23) {
    const test::TempFolder folder;
    spec.checkpoint_dir = folder.path();
    spec.resume = false;
    DeviceRun run(Schedule::kLate);
    run.device->calls_left = left;
    try {
      run.fit(spec);
      ADD_FAILURE() << "went on after " << left << " of " << calls << " calls";
    } catch (const DeviceError& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
      ++died;
    }
    EXPECT_EQ(run.device->live, 0) << left;
    spec.resume = true;
    DeviceRun rest(Schedule::kLate);
    EXPECT_EQ(rest.fit(spec).weights_hash, expected) << left;
  }
  EXPECT_GT(died, 20);
}

TEST(DeviceRun, AStopIsSavedAndGoesOnToTheSameBits) {
  RunSpec spec = small_run();
  spec.chunk_batches = 2;
  DeviceRun whole;
  const std::string expected = whole.fit(spec).weights_hash;
  const test::TempFolder folder;
  spec.checkpoint_dir = folder.path();
  DeviceRun run;
  run.recorder.when_told = [&] { run.stop = true; };
  EXPECT_TRUE(run.fit(spec).stopped);
  spec.resume = true;
  DeviceRun rest;
  EXPECT_EQ(rest.fit(spec).weights_hash, expected);
  rest.expect_clean();
}

TEST(DeviceRun, WaitsForAWholeStreamAtItsEndAlone) {
  const auto waits = [](std::uint64_t epochs, std::size_t samples, bool saves) {
    const test::TempFolder folder;
    RunSpec spec = small_run();
    spec.epochs = epochs;
    spec.chunk_batches = 1;
    if (saves) {
      spec.checkpoint_dir = folder.path();
      spec.checkpoint_every = 7;
    }
    DeviceRun run;
    run.fit(spec, test::memory_dataset({.size = samples}), test::test_data());
    return run.device->stream_waits;
  };
  EXPECT_EQ(waits(2, 300, false), waits(6, 900, false));
  EXPECT_EQ(waits(2, 300, false), waits(6, 900, true)) << "checkpoints are waited for";
}

}  // namespace
}  // namespace millrace
