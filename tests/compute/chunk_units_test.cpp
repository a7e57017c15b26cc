#include "compute/cpu/chunk_units.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace millrace::cpu {
namespace {

constexpr std::size_t kSampleBytes = 3;

struct Data {
  explicit Data(std::uint32_t count)
      : samples(count * kSampleBytes), labels(count), indices(count) {
    std::iota(labels.begin(), labels.end(), 0);
    std::iota(indices.begin(), indices.end(), 0U);
  }

  Chunk chunk(std::uint32_t batch, bool packed) const {
    Chunk chunk;
    chunk.batch = batch;
    chunk.count = static_cast<std::uint32_t>(labels.size());
    if (packed) {
      chunk.samples = samples;
      chunk.labels = labels;
    } else {
      chunk.indices = indices;
    }
    return chunk;
  }
  RowSource source(bool packed) const {
    RowSource source;
    source.base = samples.data();
    source.labels = labels.data();
    source.sample_bytes = kSampleBytes;
    if (!packed) source.indices = indices.data();
    return source;
  }

  std::vector<std::byte> samples;
  std::vector<std::int32_t> labels;
  std::vector<std::uint32_t> indices;
};

TEST(ChunkUnits, AreTheBatchesAndTheLastTakesWhatIsLeft) {
  const Data data(10);
  const Chunk chunk = data.chunk(4, true);
  const ChunkUnits units(chunk, data.source(true), 4);
  ASSERT_EQ(units.count(), 3U);
  for (std::uint32_t u = 0; u < 3; ++u) {
    const StepBatch batch = units.batch(u);
    EXPECT_EQ(units.step(u), u);
    EXPECT_EQ(batch.rows, u < 2 ? 4U : 2U);
    EXPECT_EQ(batch.step_rows, batch.rows);
    EXPECT_EQ(batch.first, 0U);
    EXPECT_TRUE(batch.last);
    EXPECT_EQ(batch.source.label(0), 4 * static_cast<std::int32_t>(u));
    EXPECT_EQ(batch.source.data(0), data.samples.data() + 4 * kSampleBytes * u);
    EXPECT_EQ(batch.next_rows, u == 0 ? 4U : u == 1 ? 2U : 0U);
  }
}

TEST(ChunkUnits, OfALargeBatchAreItsParts) {
  // Steps of 7 rows, 7 and 3, in parts of 3: 3 + 3 + 1, the same again, and 3.
  const Data data(17);
  for (const bool packed : {false, true}) {
    const Chunk chunk = data.chunk(7, packed);
    const ChunkUnits units(chunk, data.source(packed), 3);
    const std::vector<std::uint32_t> rows{3, 3, 1, 3, 3, 1, 3};
    ASSERT_EQ(units.count(), rows.size());
    std::uint32_t row = 0;
    for (std::uint32_t u = 0; u < units.count(); ++u) {
      const StepBatch batch = units.batch(u);
      EXPECT_EQ(units.step(u), u / 3);
      EXPECT_EQ(batch.rows, rows[u]);
      EXPECT_EQ(batch.step_rows, u < 6 ? 7U : 3U);
      EXPECT_EQ(batch.first, u % 3 * 3);
      EXPECT_EQ(batch.last, u % 3 == 2 || u == 6);
      for (std::uint32_t r = 0; r < batch.rows; ++r) {
        EXPECT_EQ(batch.source.label(r), static_cast<std::int32_t>(row + r));
        EXPECT_EQ(batch.source.data(r), data.samples.data() + (row + r) * kSampleBytes);
      }
      row += batch.rows;
      EXPECT_EQ(batch.next_rows, u + 1 < units.count() ? rows[u + 1] : 0U);
      if (batch.next_rows != 0) {
        EXPECT_EQ(batch.next.label(0), static_cast<std::int32_t>(row));
      }
    }
    EXPECT_EQ(row, 17U);
  }
}

TEST(ChunkUnits, HaveTheLabelsOfTheirSamples) {
  constexpr std::uint32_t kWords = 3;
  const Data data(10);
  std::vector<std::int32_t> words(10 * kWords);
  std::iota(words.begin(), words.end(), 0);
  for (const bool packed : {true, false}) {
    RowSource source = data.source(packed);
    source.labels = words.data();
    source.label_words = kWords;
    const Chunk chunk = data.chunk(5, packed);
    const ChunkUnits units(chunk, source, 2);
    std::int32_t row = 0;
    for (std::uint32_t u = 0; u < units.count(); ++u) {
      const StepBatch batch = units.batch(u);
      for (std::uint32_t r = 0; r < batch.rows; ++r, ++row) {
        EXPECT_EQ(batch.source.targets(r)[0], 3 * row);
        EXPECT_EQ(batch.source.targets(r)[2], 3 * row + 2);
      }
    }
    EXPECT_EQ(row, 10);
  }
}

TEST(ChunkUnits, OfOneSampleIsOne) {
  const Data data(1);
  const Chunk chunk = data.chunk(128, false);
  const ChunkUnits units(chunk, data.source(false), 128);
  ASSERT_EQ(units.count(), 1U);
  EXPECT_EQ(units.batch(0).rows, 1U);
  EXPECT_TRUE(units.batch(0).last);
  EXPECT_EQ(units.batch(0).next_rows, 0U);
}

}  // namespace
}  // namespace millrace::cpu
