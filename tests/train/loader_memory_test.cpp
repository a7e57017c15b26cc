#include "train/loader_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>

#include "formats/block_dataset.h"
#include "tests/support/seekable.h"
#include "tests/support/training.h"

namespace millrace {
namespace {

// Of 300 samples of 20 bytes.
LoaderSpec packed() {
  LoaderSpec spec;
  spec.data = test::memory_dataset({});
  spec.subset = Subset::all(300);
  spec.kind = ChunkKind::kPacked;
  spec.batch = 10;
  spec.chunk_batches = 4;
  spec.slots = 5;
  return spec;
}

std::string refusal(const LoaderSpec& spec, std::uint64_t bytes) {
  try {
    check_loader_memory(spec, bytes);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "taken";
}

TEST(LoaderMemory, IsOfTheSlotsThatAreFilled) {
  LoaderSpec spec = packed();
  EXPECT_EQ(loader_memory(spec).slots, 5U * 40 * 24);
  EXPECT_EQ(loader_memory(spec).windows, 0U);
  spec.slots = 65'536;
  EXPECT_EQ(loader_memory(spec).slots, 8U * 40 * 24) << "an epoch has eight chunks";
  spec.epochs = 100;
  EXPECT_EQ(loader_memory(spec).slots, 800U * 40 * 24);
  spec.slots = 2;
  spec.chunk_batches = 1000;
  EXPECT_EQ(loader_memory(spec).slots, 2U * 300 * 24) << "a chunk has an epoch at most";
  spec.kind = ChunkKind::kIndices;
  EXPECT_EQ(loader_memory(spec).slots, 2U * 300 * 4);
  spec.subset = Subset::all(std::uint64_t{1} << 62U);
  spec.batch = spec.chunk_batches = spec.slots = std::numeric_limits<std::uint32_t>::max();
  EXPECT_EQ(loader_memory(spec).slots, std::numeric_limits<std::uint64_t>::max());
}

TEST(LoaderMemory, IsOfTwoWindowsOfAStream) {
  const test::SeekableSet set(3000);
  const auto data = set.open();
  LoaderSpec spec = packed();
  spec.data = data;
  spec.subset = Subset::all(3000);
  spec.window_blocks = 1;
  spec.epochs = 3;
  const double row = 832 + 12;  // 784 pixels in whole cache lines, label and number
  const double all = 3000 * row;
  const auto blocks = static_cast<double>(data->blocks().size());
  ASSERT_GT(blocks, 2.0);
  EXPECT_NEAR(static_cast<double>(loader_memory(spec).windows), 2 * all / blocks, 1.0);
  spec.window_blocks = 1'000'000;
  EXPECT_NEAR(static_cast<double>(loader_memory(spec).windows), 2 * all, 1.0);
  spec.epochs = 1;
  EXPECT_NEAR(static_cast<double>(loader_memory(spec).windows), all, 1.0);
  spec.slots = 1;
  EXPECT_EQ(refusal(spec, 1'000'000),
            "--shuffle-window: expected two windows that fit in the 1 MB of memory at hand, "
            "found some that need 3 MB");
  EXPECT_EQ(refusal(spec, 3'000'000), "taken");
}

TEST(LoaderMemory, RefusalsNameTheOption) {
  LoaderSpec spec = packed();
  spec.slots = 65'536;
  spec.epochs = 1'000'000;
  EXPECT_EQ(refusal(spec, 50'000'000),
            "--slots: expected chunks that fit in the 50 MB of memory at hand, found 65536 of 4 "
            "batches of 10 samples, which need 63 MB");
  EXPECT_EQ(refusal(spec, 65'536U * 40 * 24), "taken");
}

TEST(LoaderMemory, IsLookedAtBeforeTraining) {
  RunSpec spec = test::small_run();
  spec.residency = Residency::kHost;
  spec.slots = std::numeric_limits<std::uint32_t>::max();
  spec.epochs = std::numeric_limits<std::uint64_t>::max();
  test::Recorder recorder;
  EXPECT_THROW(test::run(spec, test::training_data(), nullptr, {&recorder}), std::invalid_argument);
  EXPECT_TRUE(recorder.started.empty());
}

TEST(LoaderMemory, OfGatheredSamplesIsThatOfThoseAnEngineTakes) {
  const auto data = packed().data;
  EXPECT_NO_THROW(check_gathered_memory(*data, 1000, 24'000));
  try {
    check_gathered_memory(*data, 1'000'000, 23'999'999);
    FAIL() << "taken";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "--val-size: expected samples that fit in the 24 MB of memory at hand, where a "
                 "stream keeps them, found 1000000 that need 24 MB");
  }
  EXPECT_THROW(check_gathered_memory(*data, std::numeric_limits<std::uint64_t>::max(), 1U << 30U),
               std::invalid_argument);
}

}  // namespace
}  // namespace millrace
