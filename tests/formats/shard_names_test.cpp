#include "formats/shard_names.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(ShardNames, SayTheFileThePlaceAndTheNumberOfAll) {
  const auto file = shard_file_name("train-images-idx3-ubyte", 3, 8);
  EXPECT_EQ(file, "train-images-idx3-ubyte-00003-of-00008.zst");
  const auto name = parse_shard_name(file);
  ASSERT_TRUE(name);
  EXPECT_EQ(name->base, "train-images-idx3-ubyte");
  EXPECT_EQ(name->index, 3U);
  EXPECT_EQ(name->count, 8U);
  EXPECT_EQ(name->idx.split, DataSplit::kTrain);
  EXPECT_EQ(name->idx.role, IdxRole::kImages);
  const auto letters = parse_shard_name("emnist-letters-test-labels-idx1-int32-99998-of-99999.zst");
  ASSERT_TRUE(letters);
  EXPECT_EQ(letters->idx.variant, "emnist-letters");
  EXPECT_EQ(letters->idx.split, DataSplit::kTest);
  EXPECT_EQ(letters->index, 99'998U);
}

TEST(ShardNames, AreNoOtherNames) {
  for (const auto* other :
       {"", "-00000-of-00001.zst", "train-images-idx3-ubyte.zst",
        "train-images-idx3-ubyte-00008-of-00008.zst", "train-images-idx3-ubyte-0003-of-00008.zst",
        "train-images-idx3-ubyte-000003-of-00008.zst", "train-images-idx3-ubyte-+0003-of-00008.zst",
        "train-images-idx3-ubyte-00003-of-00008", "train-images-idx3-ubyte-00003-of-00008.gz",
        "train-images-idx3-ubyte.zst-00003-of-00008.zst", "photos-00003-of-00008.zst",
        "train-images-idx3-ubyte-00003-to-00008.zst",
        "train-images-idx3-ubyte-00000-of-00000.zst"}) {
    EXPECT_FALSE(parse_shard_name(other)) << other;
  }
  // And one of them is no IDX file's.
  EXPECT_FALSE(parse_idx_name("train-images-idx3-ubyte-00003-of-00008.zst"));
}

}  // namespace
}  // namespace millrace
