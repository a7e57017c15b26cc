#include "formats/block_dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "formats/idx_pair.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

constexpr std::uint32_t kCount = 3000;

TEST(BlockDataset, KnowsItsLargestBlock) {
  const test::SeekableSet set(kCount);
  const auto data = set.open();
  std::uint64_t largest = 0;
  for (const auto& block : data->blocks()) largest = std::max(largest, block.count);
  EXPECT_EQ(data->largest_block(), largest);
  EXPECT_LT(largest, kCount);
}

TEST(BlockDataset, DecodesWithLabels) {
  const test::SeekableSet set(kCount);
  const auto data = set.open();
  const auto block = data->blocks()[1];
  test::ByteVector samples(block.count * 784);
  std::vector<std::int32_t> labels(block.count);
  data->decode_block(1, samples, labels);
  EXPECT_TRUE(std::ranges::equal(labels, data->labels().subspan(block.first, block.count)));
  labels.pop_back();
  EXPECT_THROW(data->decode_block(1, samples, labels), std::invalid_argument);
  EXPECT_THROW(data->decode_block(data->blocks().size(), samples, labels), std::out_of_range);
}

TEST(BlockDataset, HashesAsWhoeverReadsItSampleBySample) {
  const test::SeekableSet set(kCount);
  EXPECT_EQ(set.open()->hash(), hash_by_reading(*set.open()));
}

}  // namespace
}  // namespace millrace
