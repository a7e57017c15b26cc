#include "train/streaming.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>

#include "formats/block_dataset.h"
#include "formats/error.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

constexpr std::uint32_t kCount = 3000;

class StreamingTest : public testing::Test {
 protected:
  StreamingTest() {
    spec_.validation_size = 300;
    spec_.hidden = {8};
    spec_.batch = 50;
    spec_.epochs = 4;
    spec_.optimizer.learning_rate = 0.05F;
    spec_.residency = Residency::kStream;
    spec_.window_bytes = 400'000;
  }

  RunResult run(const RunSpec& spec) const {
    const std::atomic<bool> never{false};
    return Trainer(spec, data_, nullptr, {}).fit(never);
  }

  test::SeekableSet set_{kCount};
  std::shared_ptr<const BlockDataset> data_ = set_.open();
  RunSpec spec_;
};

TEST_F(StreamingTest, WeightsAreTheSameForAnyWorkersSlotsAndChunks) {
  const auto expected = run(spec_).weights_hash;
  for (const std::uint32_t n : {1U, 2U, 3U}) {
    RunSpec spec = spec_;
    spec.workers = n;
    spec.slots = n;
    spec.chunk_batches = 4 * n;
    spec.device.threads = n;
    EXPECT_EQ(run(spec).weights_hash, expected) << n;
  }
  RunSpec spec = spec_;
  spec.window_bytes *= 2;
  EXPECT_NE(run(spec).weights_hash, expected);
}

TEST_F(StreamingTest, WithOneWindowForAllTheValidationIsThatOfARunInMemory) {
  // Without training: the same parameters, judged on the same samples.
  spec_.optimizer.learning_rate = 0.0F;
  spec_.epochs = 1;
  const auto streamed = run(spec_);
  spec_.residency = Residency::kResident;
  const auto resident = run(spec_);
  EXPECT_EQ(streamed.history.at(0).val_loss, resident.history.at(0).val_loss);
  EXPECT_EQ(streamed.history.at(0).val_acc, resident.history.at(0).val_acc);
}

TEST_F(StreamingTest, AResumedRunEndsAsOneThatWasNotInterrupted) {
  const auto expected = run(spec_).weights_hash;
  spec_.checkpoint_dir = set_.folder / "checkpoints";
  RunSpec half = spec_;
  half.epochs = 2;
  EXPECT_NE(run(half).weights_hash, expected);
  spec_.resume = true;
  RunSpec other = spec_;
  other.window_bytes *= 2;
  EXPECT_THROW(run(other), DataError);
  other = spec_;
  other.residency = Residency::kResident;
  EXPECT_THROW(run(other), DataError);
  spec_.residency = Residency::kAuto;  // as it was
  EXPECT_EQ(run(spec_).weights_hash, expected);
}

TEST_F(StreamingTest, KnowsTheDataByItsFrames) {
  EXPECT_EQ(training_hash(*data_, 0), data_->hash());
  const auto hash = training_hash(*data_, 3);
  EXPECT_EQ(hash, data_->fingerprint());
  EXPECT_NE(hash, data_->hash());
  test::write_bytes(set_.labels, test::small_labels(kCount, 5));
  EXPECT_NE(set_.open()->fingerprint(), hash);
}

TEST_F(StreamingTest, DecidesByResidency) {
  EXPECT_GT(stream_window(spec_, *data_, {}), 0U);
  EXPECT_EQ(stream_window(RunSpec{}, *data_, {}), 0U);
  EXPECT_EQ(stream_window(RunSpec{}, *data_, 0), 0U);
  EXPECT_GT(stream_window(RunSpec{}, *data_, 3), 0U);
  EXPECT_THROW(stream_window(spec_, *test::memory_dataset({}), {}), std::invalid_argument);
}

TEST_F(StreamingTest, ReadsBlocksInTheStoredOrderWhereTheyAreNotResident) {
  EXPECT_GT(in_stored_order({}, *data_).window_blocks, 0U);
  EXPECT_EQ(in_stored_order({ChunkKind::kIndices, 2}, *data_).window_blocks, 0U);
  EXPECT_EQ(in_stored_order({}, *test::memory_dataset({})).window_blocks, 0U);
}

TEST_F(StreamingTest, JudgesTheMixing) {
  RunPlan plan = make_plan(spec_, *data_, nullptr);
  plan.window_blocks = 1000;
  EXPECT_GT(stream_mixing(spec_, plan, *data_), 0.95);
  // Sorted by class, in the file's order.
  test::ByteVector labels = test::small_labels(kCount, 7);
  std::sort(labels.end() - kCount, labels.end());
  test::write_bytes(set_.labels, labels);
  const auto sorted = set_.open();
  spec_.shuffle = false;
  EXPECT_LT(stream_mixing(spec_, plan, *sorted), 0.2);
}

}  // namespace
}  // namespace millrace
