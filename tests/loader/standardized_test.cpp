#include "loader/standardized.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <vector>

#include "formats/block_dataset.h"
#include "tests/support/fake_blocks.h"
#include "tests/support/fake_dataset.h"

namespace millrace {
namespace {

using testing::FakeBlocks;
using testing::FakeDataset;

std::shared_ptr<const Standardizer> some() {
  return std::make_shared<const Standardizer>(Standardizer{{10.0F, 20.0F}, {2.0F, 5.0F}});
}

std::vector<float> expected_rows(std::span<const std::uint64_t> ids) {
  std::vector<float> rows;
  for (const auto id : ids) {
    for (std::size_t k = 0; k < 2; ++k) {
      const auto byte = static_cast<float>(FakeDataset::expected_byte(id, k));
      rows.push_back(k == 0 ? (byte - 10.0F) / 2.0F : (byte - 20.0F) / 5.0F);
    }
  }
  return rows;
}

std::vector<float> read_rows(const Dataset& data, std::span<const std::uint64_t> ids) {
  std::vector<float> rows(ids.size() * 2);
  std::vector<std::int32_t> labels(ids.size());
  data.read(ids, std::as_writable_bytes(std::span(rows)), labels);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(labels[i], static_cast<std::int32_t>(ids[i]));
  }
  return rows;
}

TEST(Standardized, SamplesAreWhatTheStandardizerMakesOfThem) {
  const auto stored = std::make_shared<FakeDataset>(300'000, 2);
  const auto data = standardized(stored, some());
  EXPECT_EQ(data->dtype(), DType::kFloat32);
  EXPECT_EQ(data->shape(), stored->shape());
  EXPECT_EQ(data->size(), stored->size());
  EXPECT_EQ(data->labels().size(), 300'000U);
  EXPECT_TRUE(data->contiguous().samples.empty());
  EXPECT_NE(data->hash(), stored->hash());
  // More than are read of the stored ones at a time.
  std::vector<std::uint64_t> ids(200'000);
  std::iota(ids.rbegin(), ids.rend(), 50'000);
  EXPECT_EQ(read_rows(*data, ids), expected_rows(ids));
  const std::vector<std::uint64_t> outside{300'000};
  EXPECT_THROW(read_rows(*data, outside), std::out_of_range);
}

TEST(Standardized, SamplesNeedNotLieOnAnAddressOfFloats) {
  const auto data = standardized(std::make_shared<FakeDataset>(4, 2), some());
  std::vector<std::byte> bytes(1 + 2 * sizeof(float));
  const std::uint64_t id = 3;
  std::int32_t label = 0;
  data->read({&id, 1}, std::span(bytes).subspan(1), {&label, 1});
  std::vector<float> row(2);
  std::memcpy(row.data(), bytes.data() + 1, 2 * sizeof(float));
  EXPECT_EQ(row, expected_rows({&id, 1}));
}

TEST(Standardized, BlocksStayBlocks) {
  const std::vector<std::uint64_t> sizes{3, 5};
  const auto stored = std::make_shared<const FakeBlocks>(sizes, 2);
  const auto data = std::dynamic_pointer_cast<const BlockDataset>(standardized(stored, some()));
  ASSERT_NE(data, nullptr);
  ASSERT_EQ(data->blocks().size(), 2U);
  std::vector<float> rows(5 * 2);
  data->decode_block(1, std::as_writable_bytes(std::span(rows)));
  const std::vector<std::uint64_t> ids{3, 4, 5, 6, 7};
  EXPECT_EQ(rows, expected_rows(ids));
  EXPECT_EQ(read_rows(*data, ids), rows);
  EXPECT_THROW(data->decode_block(1, std::as_writable_bytes(std::span(rows).first(8))),
               std::invalid_argument);
  EXPECT_THROW(data->decode_block(2, std::as_writable_bytes(std::span(rows))), std::out_of_range);
}

TEST(Standardized, IsTheDataSetItselfWithoutAStandardizer) {
  const std::shared_ptr<const Dataset> stored = std::make_shared<FakeDataset>(4, 2);
  EXPECT_EQ(standardized(stored, nullptr), stored);
  EXPECT_THROW(standardized(std::make_shared<FakeDataset>(4, 3), some()), std::invalid_argument);
}

TEST(Standardized, KnowsWhatItIsMadeOf) {
  const std::vector<std::uint64_t> sizes{3, 2};
  const std::shared_ptr<const Dataset> samples = std::make_shared<FakeDataset>(4, 2);
  const std::shared_ptr<const Dataset> blocks = std::make_shared<const FakeBlocks>(sizes, 2);
  for (const auto& data : {samples, blocks}) {
    EXPECT_EQ(&unstandardized(*standardized(data, some())), data.get());
    EXPECT_EQ(&unstandardized(*data), data.get());
  }
}

}  // namespace
}  // namespace millrace
