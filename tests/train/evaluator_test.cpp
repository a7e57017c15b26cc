#include "train/evaluator.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>

#include "tests/support/memory_dataset.h"

namespace millrace {
namespace {

class EvaluatorTest : public testing::Test {
 protected:
  LoaderSpec loader(std::uint64_t passes) const {
    LoaderSpec spec;
    spec.data = data_;
    spec.subset = Subset::all(data_->size());
    spec.kind = ChunkKind::kPacked;
    spec.batch = 64;
    spec.epochs = passes;
    return spec;
  }

  Chunk chunk_of_one() const {
    Chunk chunk;
    chunk.batch = chunk.count = 1;
    chunk.samples = data_->contiguous().samples.first(20);
    chunk.labels = data_->contiguous().labels.first(1);
    return chunk;
  }

  std::shared_ptr<const Dataset> data_ = test::memory_dataset({});
  MlpSpec model_{20, InputType::kUInt8, 1.0F / 255.0F, {8}, 5};
  std::unique_ptr<Engine> engine_ = make_engine(model_, TrainSpec{}, {Device::Kind::kCpu, 0, 1});
  std::atomic<bool> stop_{false};
};

TEST_F(EvaluatorTest, EveryPassIsTheSame) {
  Evaluator evaluator(*engine_, loader(2));
  const auto first = evaluator.pass(stop_);
  const auto second = evaluator.pass(stop_);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->samples, 300U);
  EXPECT_GT(first->loss_sum, 0.0);
  EXPECT_EQ(first->loss_sum, second->loss_sum);
  EXPECT_EQ(first->correct, second->correct);
  EXPECT_THROW(evaluator.pass(stop_), std::logic_error);
}

TEST_F(EvaluatorTest, AStoppedPassLeavesNoMetricsBehind) {
  Evaluator evaluator(*engine_, loader(1));
  stop_ = true;
  EXPECT_FALSE(evaluator.pass(stop_));
  EXPECT_EQ(engine_->metrics().samples, 0U);
}

TEST_F(EvaluatorTest, APassInTwoHalvesIsReadAfterWhatIsOlder) {
  Evaluator evaluator(*engine_, loader(2));
  const auto whole = evaluator.pass(stop_);
  engine_->evaluate(chunk_of_one());
  engine_->close_metrics();
  evaluator.begin_pass(stop_);
  EXPECT_TRUE(evaluator.whole());
  engine_->evaluate(chunk_of_one());
  EXPECT_EQ(engine_->metrics().samples, 1U);
  EXPECT_EQ(evaluator.end_pass()->loss_sum, whole->loss_sum);
  EXPECT_EQ(engine_->metrics().samples, 1U);
}

TEST_F(EvaluatorTest, AStoppedHalfLeavesItsSumsToTheSecond) {
  Evaluator evaluator(*engine_, loader(1));
  stop_ = true;
  evaluator.begin_pass(stop_);
  EXPECT_FALSE(evaluator.whole());
  engine_->evaluate(chunk_of_one());
  EXPECT_FALSE(evaluator.end_pass());
  EXPECT_EQ(engine_->metrics().samples, 1U);
}

}  // namespace
}  // namespace millrace
