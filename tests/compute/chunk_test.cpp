#include "compute/chunk.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>

namespace millrace {
namespace {

TEST(Chunk, SlicesIndices) {
  const std::array<std::uint32_t, 10> indices{9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
  Chunk chunk;
  chunk.batch = 4;
  chunk.count = 10;
  chunk.source = 3;
  chunk.indices = indices;
  EXPECT_EQ(chunk.batches(), 3U);
  const Chunk last = chunk.slice(1, 2);
  EXPECT_EQ(last.count, 6U);
  EXPECT_EQ(last.batch, 4U);
  EXPECT_EQ(last.source, 3U);
  EXPECT_FALSE(last.packed());
  EXPECT_EQ(last.indices.data(), &indices[4]);
  EXPECT_EQ(last.indices.size(), 6U);
  EXPECT_EQ(chunk.slice(2, 1).count, 2U);
}

TEST(Chunk, SlicesPackedSamplesWithTheirLabels) {
  const std::array<float, 15> samples{};
  const std::array<std::int32_t, 5> labels{1, 2, 3, 4, 5};
  Chunk chunk;
  chunk.batch = 2;
  chunk.count = 5;
  chunk.samples = std::as_bytes(std::span(samples));
  chunk.labels = labels;
  const Chunk last = chunk.slice(1, 9);
  EXPECT_TRUE(last.packed());
  EXPECT_EQ(last.count, 3U);
  EXPECT_EQ(last.samples.size(), 3 * 3 * sizeof(float));
  EXPECT_EQ(last.samples.data(), std::as_bytes(std::span(samples)).data() + 2 * 3 * sizeof(float));
  EXPECT_EQ(last.labels.data(), &labels[2]);
  EXPECT_EQ(last.labels.size(), 3U);
}

TEST(Chunk, SlicesLabelsOfSeveralWords) {
  const std::array<float, 5> samples{};
  const std::array<std::int32_t, 15> labels{};
  Chunk chunk;
  chunk.batch = 2;
  chunk.count = 5;
  chunk.samples = std::as_bytes(std::span(samples));
  chunk.labels = labels;
  const Chunk middle = chunk.slice(1, 1);
  EXPECT_EQ(middle.count, 2U);
  EXPECT_EQ(middle.labels.data(), &labels[6]);
  EXPECT_EQ(middle.labels.size(), 6U);
  const Chunk last = chunk.slice(1, 2).slice(1, 1);
  EXPECT_EQ(last.count, 1U);
  EXPECT_EQ(last.labels.data(), &labels[12]);
  EXPECT_EQ(last.labels.size(), 3U);
}

TEST(Chunk, ASliceBeyondTheEndIsEmpty) {
  const std::array<std::uint32_t, 3> indices{};
  Chunk chunk;
  chunk.batch = 2;
  chunk.count = 3;
  chunk.indices = indices;
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  EXPECT_EQ(chunk.slice(2, 1).count, 0U);
  EXPECT_EQ(chunk.slice(kMost, kMost).count, 0U);
  EXPECT_EQ(chunk.slice(0, kMost).count, 3U);
  EXPECT_EQ(chunk.slice(1, 0).count, 0U);
  EXPECT_EQ(Chunk{}.batches(), 0U);
  Chunk one;  // which a batch of any size holds
  one.batch = std::numeric_limits<std::uint32_t>::max();
  one.count = 10;
  EXPECT_EQ(one.batches(), 1U);
  EXPECT_EQ(Chunk{}.slice(0, 1).count, 0U);
}

}  // namespace
}  // namespace millrace
