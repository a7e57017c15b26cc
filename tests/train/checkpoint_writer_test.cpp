#include "train/checkpoint_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "formats/error.h"
#include "tests/support/forwarding_engine.h"
#include "tests/support/gate.h"
#include "tests/support/when_it_waits.h"

namespace millrace {
namespace {

using test::Gate;
using test::WhenItWaits;

constexpr CheckpointFiles kStep{.step = true};
constexpr CheckpointFiles kLast{.last = true};
constexpr CheckpointFiles kBoth{.best = true, .last = true};
constexpr CheckpointFiles kAll{.step = true, .best = true, .last = true};

class CountingEngine final : public test::ForwardingEngine {
 public:
  using ForwardingEngine::ForwardingEngine;
  std::unique_ptr<Snapshot> make_snapshot() override {
    ++snapshots;
    return ForwardingEngine::make_snapshot();
  }
  int snapshots = 0;
};

/// A writer, whose disk notes down what it is asked to write: "3 best last".
class CheckpointWriterTest : public testing::Test {
 protected:
  CheckpointWriterTest()
      : engine_(make_engine(model(), {}, {.kind = Device::Kind::kCpu, .threads = 1})) {
    start();
  }

  static MlpSpec model() {
    MlpSpec model;
    model.features = 3;
    model.hidden = {2};
    model.classes = 2;
    return model;
  }

  void start() {
    writer_ = std::make_unique<CheckpointWriter>(
        engine_,
        [this](const Checkpoint& checkpoint, const CheckpointFiles& files) {
          EXPECT_NE(std::this_thread::get_id(), thread_);
          std::string name = std::to_string(checkpoint.state.step);
          if (slow_) slow_->pass();
          if (fails_) fails_();
          // Which is what submit() made the engine's state.
          EXPECT_EQ(checkpoint.parameters.at(0).values.at(0),
                    static_cast<float>(checkpoint.state.step));
          if (files.step) name += " step";
          if (files.best) name += " best";
          if (files.last) name += " last";
          const std::lock_guard lock(mutex_);
          disk_.push_back(name);
          return std::filesystem::path(name);
        },
        [this] { return has_room_; });
  }

  void submit(std::uint64_t step, CheckpointFiles files) {
    Parameters parameters = engine_.parameters();
    parameters[0].values[0] = static_cast<float>(step);
    engine_.set_parameters(parameters);
    auto snapshot = writer_->spare();
    snapshot->take();
    snapshot->await();
    parameters[0].values[0] = -1.0F;
    engine_.set_parameters(parameters);
    RunState state;
    state.step = step;
    writer_->submit(std::move(snapshot), std::move(state), files);
  }

  std::vector<std::string> disk() {
    const std::lock_guard lock(mutex_);
    return disk_;
  }
  std::vector<std::string> told() {
    std::vector<std::string> names;
    for (const auto& file : writer_->written()) names.push_back(file.string());
    return names;
  }

  const std::thread::id thread_ = std::this_thread::get_id();
  CountingEngine engine_;
  std::mutex mutex_;
  std::vector<std::string> disk_;
  std::unique_ptr<Gate> slow_;   // that each is written behind; none: at once
  std::function<void()> fails_;  // instead of writing
  bool has_room_ = true;
  std::unique_ptr<CheckpointWriter> writer_;
};

using Names = std::vector<std::string>;

TEST_F(CheckpointWriterTest, WritesAndTells) {
  EXPECT_EQ(told(), Names{});
  submit(1, kStep);
  writer_->finish();
  EXPECT_EQ(disk(), Names{"1 step"});
  EXPECT_EQ(told(), Names{"1 step"});
  EXPECT_EQ(told(), Names{}) << "told before";
  submit(2, kAll);
  writer_->finish();
  submit(3, kLast);
  writer_->finish();
  EXPECT_EQ(told(), (Names{"2 step best last", "3 last"}));
  EXPECT_NO_THROW(writer_->check());
}

TEST_F(CheckpointWriterTest, TheNewestLastIsWrittenOfThoseThatWait) {
  WhenItWaits never([] { ADD_FAILURE() << "it waited"; });
  slow_ = std::make_unique<Gate>();
  submit(1, kBoth);
  slow_->await();
  for (const std::uint64_t step : {2, 3, 4}) submit(step, kLast);
  EXPECT_EQ(disk(), Names{});
  slow_->open();
  writer_.reset();
  EXPECT_EQ(disk(), (Names{"1 best last", "4 last"}));
}

TEST_F(CheckpointWriterTest, ABestIsWrittenAlthoughALastReplacesItsOwn) {
  slow_ = std::make_unique<Gate>();
  submit(1, kLast);
  slow_->await();
  submit(2, kBoth);
  for (const std::uint64_t step : {3, 4}) submit(step, kLast);
  slow_->open();
  writer_.reset();
  EXPECT_EQ(disk(), (Names{"1 last", "2 best", "4 last"}));
}

TEST_F(CheckpointWriterTest, ANewerBestReplacesOneThatWaits) {
  slow_ = std::make_unique<Gate>();
  submit(1, kLast);
  slow_->await();
  submit(2, kBoth);
  submit(3, kLast);
  submit(4, kBoth);
  slow_->open();
  writer_.reset();
  EXPECT_EQ(disk(), (Names{"1 last", "4 best last"}));
}

TEST_F(CheckpointWriterTest, StepsAreNeverLeftOut) {
  for (const auto& [first, second] : {std::pair(kStep, kStep), std::pair(kStep, kLast),
                                      std::pair(kAll, kBoth), std::pair(kLast, kStep)}) {
    WhenItWaits waiter([this] { slow_->open(); });
    slow_ = std::make_unique<Gate>();
    disk_.clear();
    submit(1, kLast);
    slow_->await();
    submit(2, first);
    EXPECT_EQ(waiter.waits(), 0);
    submit(3, second);
    EXPECT_EQ(waiter.waits(), 1) << "for the disk";
    EXPECT_GE(disk().size(), 1U);
    writer_->finish();
    const Names found = disk();
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0], "1 last");
    EXPECT_EQ(found[1].substr(0, 2), "2 ");
    EXPECT_EQ(found[2].substr(0, 2), "3 ");
  }
}

TEST_F(CheckpointWriterTest, OneStateIsInMemoryWhereThereIsNoRoomForMore) {
  WhenItWaits waiter([this] { slow_->open(); });
  has_room_ = false;
  slow_ = std::make_unique<Gate>();
  submit(1, kLast);
  slow_->await();
  EXPECT_EQ(waiter.waits(), 0);
  submit(2, kLast);
  EXPECT_EQ(waiter.waits(), 1);
  EXPECT_EQ(disk().at(0), "1 last") << "not overtaken, for the next was taken after it";
  writer_.reset();
  EXPECT_EQ(disk(), (Names{"1 last", "2 last"}));
  EXPECT_EQ(engine_.snapshots, 2) << "made at the start";
}

TEST_F(CheckpointWriterTest, AStepThatIsALastTooReplacesALast) {
  WhenItWaits never([] { ADD_FAILURE() << "it waited"; });
  slow_ = std::make_unique<Gate>();
  submit(1, kLast);
  slow_->await();
  submit(2, kBoth);
  submit(3, {.step = true, .last = true});
  slow_->open();
  writer_.reset();
  EXPECT_EQ(disk(), (Names{"1 last", "2 best", "3 step last"}));
}

TEST_F(CheckpointWriterTest, AnErrorIsKeptAndNothingIsWrittenAfterIt) {
  slow_ = std::make_unique<Gate>();
  fails_ = [] { throw DataError("last.safetensors", "No space left on device"); };
  submit(1, kLast);
  slow_->await();
  submit(2, kStep);
  slow_->open();
  writer_->finish();
  submit(3, kStep);
  submit(4, kStep);
  writer_->finish();
  EXPECT_EQ(disk(), Names{});
  EXPECT_EQ(told(), Names{});
  for (int i = 0; i < 2; ++i) {
    try {
      writer_->check();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const DataError& error) {
      EXPECT_STREQ(error.what(), DataError("last.safetensors", "No space left on device").what());
    }
  }
}

TEST_F(CheckpointWriterTest, AnErrorLetsGoOfWhoWaits) {
  WhenItWaits waiter([this] { slow_->open(); });
  slow_ = std::make_unique<Gate>();
  fails_ = [] { throw std::runtime_error("diverged"); };
  submit(1, kStep);
  slow_->await();
  submit(2, kStep);
  EXPECT_EQ(waiter.waits(), 0);
  submit(3, kStep);
  EXPECT_EQ(waiter.waits(), 1);
  EXPECT_THROW(writer_->check(), std::runtime_error);
  writer_.reset();
  EXPECT_EQ(disk(), Names{});
}

TEST_F(CheckpointWriterTest, UsesAFewSnapshotsAgainAndAgain) {
  for (std::uint64_t step = 1; step <= 100; ++step) submit(step, step % 3 == 0 ? kStep : kBoth);
  writer_->finish();
  // Two that wait, one that is taken and one that is handed out.
  EXPECT_LE(engine_.snapshots, 4);
}

}  // namespace
}  // namespace millrace
