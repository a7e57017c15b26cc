#include "compute/cpu/cpu_snapshot.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "compute/engine.h"
#include "tests/compute/engine_data.h"

namespace millrace::cpu {
namespace {

using millrace::test::Data;

std::unique_ptr<Engine> engine_of(const Data& data) {
  return make_engine(data.model, data.train, {Device::Kind::kCpu, 0, 1});
}

TEST(CpuSnapshot, StaysAsTheEngineWas) {
  Data data({20, {12, 8}, 5, 8, InputType::kUInt8});
  data.train.optimizer.kind = OptimizerSpec::Kind::kAdam;
  data.train.optimizer.ema = 0.5F;
  const auto engine = engine_of(data);
  const auto snapshot = engine->make_snapshot();
  for (int i = 0; i < 3; ++i) {
    engine->train(data.packed());
    snapshot->take();
    const Parameters parameters = engine->parameters();
    const OptimizerState optimizer = engine->optimizer_state();
    engine->train(data.packed());
    EXPECT_NE(engine->parameters(), parameters);
    snapshot->await();
    const auto [found, state] = snapshot->hand_out();
    EXPECT_EQ(found, parameters);
    EXPECT_EQ(state, optimizer);
  }
}

TEST(CpuSnapshot, ForgetsWhatNobodyWanted) {
  const Data data({20, {12}, 5, 8, InputType::kUInt8});
  const auto engine = engine_of(data);
  const auto snapshot = engine->make_snapshot();
  snapshot->take();
  engine->train(data.packed());
  snapshot->take();
  EXPECT_EQ(snapshot->hand_out().first, engine->parameters());
}

TEST(CpuSnapshot, HandsOutOnce) {
  const Data data({20, {12}, 5, 8, InputType::kUInt8});
  const auto engine = engine_of(data);
  const auto snapshot = engine->make_snapshot();
  EXPECT_THROW(snapshot->hand_out(), std::logic_error);
  snapshot->take();
  snapshot->hand_out();
  EXPECT_THROW(snapshot->hand_out(), std::logic_error);
}

}  // namespace
}  // namespace millrace::cpu
