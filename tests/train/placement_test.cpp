#include "train/placement.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/memory_dataset.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

// Has room for no set, or for any.
class RoomEngine final : public Engine {
 public:
  explicit RoomEngine(bool room) : room_(room) {}
  std::uint32_t add_resident(ResidentSet set) override {
    if (!room_) throw DeviceError("the device has 1 MB");
    sets.push_back(std::move(set));
    return static_cast<std::uint32_t>(sets.size() - 1);
  }
  void train(const Chunk&) override {}
  void evaluate(const Chunk&) override {}
  void predict(const Chunk&, std::span<float>) override {}
  void close_metrics() override {}
  Metrics metrics() override { return {}; }
  Parameters parameters() override { return {}; }
  void set_parameters(const Parameters&) override {}
  OptimizerState optimizer_state() override { return {}; }
  void set_optimizer_state(const OptimizerState&) override {}
  std::unique_ptr<Snapshot> make_snapshot() override { return nullptr; }
  void set_learning_rate(float) override {}
  EngineInfo info() const override { return {}; }
  EngineStats stats() const override { return {}; }
  HostMemory& host_memory() override { return pageable_memory(); }

  std::vector<ResidentSet> sets;

 private:
  bool room_;
};

class PlacementTest : public testing::Test {
 protected:
  Placement placed(Engine& engine, Residency residency, bool contiguous = true) {
    data_ = test::memory_dataset({.contiguous = contiguous});
    return place(engine, residency, data_, InputType::kUInt8, OnBad::kFail,
                 [this](const std::string& line) { notices_.push_back(line); });
  }

  std::shared_ptr<const Dataset> data_;
  std::vector<std::string> notices_;
};

TEST_F(PlacementTest, AutoTakesMemoryInPlace) {
  RoomEngine engine(true);
  EXPECT_EQ(placed(engine, Residency::kAuto).kind, ChunkKind::kIndices);
  ASSERT_EQ(engine.sets.size(), 1U);
  EXPECT_EQ(engine.sets[0].samples.data(), data_->contiguous().samples.data());
  EXPECT_TRUE(notices_.empty());
}

TEST_F(PlacementTest, AutoCopiesWhatIsNotInOnePiece) {
  RoomEngine engine(true);
  EXPECT_EQ(placed(engine, Residency::kAuto, false).kind, ChunkKind::kIndices);
  ASSERT_EQ(engine.sets.size(), 1U);
  EXPECT_EQ(engine.sets[0].labels.size(), 300U);
}

TEST_F(PlacementTest, AutoFallsBackToTheHostAndSaysWhy) {
  RoomEngine engine(false);
  EXPECT_EQ(placed(engine, Residency::kAuto).kind, ChunkKind::kPacked);
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_NE(notices_[0].find("the device has 1 MB"), std::string::npos) << notices_[0];
}

// A stream has another order, which a checkpoint of a run that was resident or packed does not
// name.
TEST_F(PlacementTest, AutoNeverFallsBackToAStream) {
  const test::SeekableSet set(300);
  RoomEngine engine(false);
  const auto placement =
      place(engine, Residency::kAuto, set.open(), InputType::kUInt8, OnBad::kFail,
            [this](const std::string& line) { notices_.push_back(line); });
  EXPECT_EQ(placement.kind, ChunkKind::kPacked);
  EXPECT_EQ(placement.window_blocks, 0U);
  EXPECT_EQ(notices_.size(), 1U);
}

TEST_F(PlacementTest, ResidentNeverFallsBack) {
  RoomEngine engine(false);
  EXPECT_THROW(placed(engine, Residency::kResident), DeviceError);
}

TEST_F(PlacementTest, HostAsksTheEngineForNothing) {
  RoomEngine engine(true);
  EXPECT_EQ(placed(engine, Residency::kHost).kind, ChunkKind::kPacked);
  EXPECT_TRUE(engine.sets.empty());
}

}  // namespace
}  // namespace millrace
