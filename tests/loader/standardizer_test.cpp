#include "loader/standardizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "formats/error.h"
#include "tests/support/fake_blocks.h"
#include "tests/support/fake_dataset.h"
#include "tests/support/faulty_dataset.h"

namespace millrace {
namespace {

using testing::FakeBlocks;
using testing::FakeDataset;

// float32 samples [size, 3]: numbers about 1000, small ones, and always the same.
std::shared_ptr<FakeDataset> table(std::uint64_t size) {
  auto data = std::make_shared<FakeDataset>(size, 3, DType::kFloat32);
  for (std::uint64_t i = 0; i < size; ++i) {
    const float row[]{1000.0F + static_cast<float>(i * 37 % 101), 1e-3F * static_cast<float>(i % 7),
                      0.1F};
    std::memcpy(data->bytes().data() + i * sizeof(row), row, sizeof(row));
  }
  return data;
}

float at(FakeDataset& data, std::uint64_t sample, std::size_t feature) {
  float value = 0.0F;
  std::memcpy(&value, data.bytes().data() + (sample * 3 + feature) * sizeof(float), sizeof(value));
  return value;
}

void put(FakeDataset& data, std::uint64_t sample, std::size_t feature, float value) {
  std::memcpy(data.bytes().data() + (sample * 3 + feature) * sizeof(float), &value, sizeof(value));
}

TEST(Standardizer, IsMeanAndDeviationOfTheSubset) {
  const auto data = table(10'000);
  const Subset part = Split::random(10'000, 3'000, 5).train;
  const Standardizer found = fit_standardizer(*data, part, false);
  ASSERT_EQ(found.mean.size(), 3U);
  ASSERT_EQ(found.deviation.size(), 3U);
  for (std::size_t f = 0; f < 2; ++f) {
    long double sum = 0.0L;
    for (std::uint64_t i = 0; i < 10'000; ++i) {
      if (part.contains(i)) sum += at(*data, i, f);
    }
    const long double mean = sum / 7'000;
    long double squares = 0.0L;
    for (std::uint64_t i = 0; i < 10'000; ++i) {
      if (part.contains(i)) squares += (at(*data, i, f) - mean) * (at(*data, i, f) - mean);
    }
    EXPECT_FLOAT_EQ(found.mean[f], static_cast<float>(mean));
    EXPECT_FLOAT_EQ(found.deviation[f], static_cast<float>(std::sqrt(squares / 7'000)));
  }
  EXPECT_EQ(found.mean[2], 0.1F) << "exactly, of what is always the same";
  EXPECT_EQ(found.deviation[2], 1.0F);
}

TEST(Standardizer, IsTheSameInBlocksAndBytes) {
  const std::vector<std::uint64_t> sizes{1000, 1, 4000, 777};
  const FakeBlocks blocks(sizes, 5);
  const FakeDataset whole(5778, 5);
  const Subset part = Split::random(5778, 500, 1).train;
  const auto fitted = fit_standardizer(whole, part, false);
  EXPECT_EQ(fit_standardizer(blocks, part, false), fitted);
  EXPECT_NEAR(fitted.mean[0], 127.5F, 2.0F) << "of bytes, as they are";
}

TEST(Standardizer, LeavesOutWhatCannotBeReadWhereThatIsAskedFor) {
  const auto data = table(500);
  put(*data, 77, 0, 1e30F);
  const auto faulty = std::make_shared<test::FaultyDataset>(data, std::set<std::uint64_t>{77, 499});
  EXPECT_THROW(fit_standardizer(*faulty, Subset::all(500), false), DataError);
  const auto found = fit_standardizer(*faulty, Subset::all(500), true);
  EXPECT_LT(found.mean[0], 1101.0F);
  EXPECT_LT(found.deviation[0], 101.0F);
  const auto none = std::make_shared<test::FaultyDataset>(table(2), std::set<std::uint64_t>{0, 1});
  EXPECT_THROW(fit_standardizer(*none, Subset::all(2), true), DataError);
}

TEST(Standardizer, ShowsWhatIsNotFinite) {
  const auto data = table(5'000);
  put(*data, 4'321, 1, std::numeric_limits<float>::quiet_NaN());
  const auto found = fit_standardizer(*data, Subset::all(5'000), false);
  EXPECT_TRUE(std::isnan(found.mean[1]));
  EXPECT_TRUE(std::isfinite(found.mean[0]));
}

TEST(Standardizer, NeverDividesByZero) {
  const auto data = table(3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    put(*data, i, 0, i == 0 ? std::numeric_limits<float>::denorm_min() : 0.0F);
  }
  EXPECT_EQ(fit_standardizer(*data, Subset::all(3), false).deviation[0], 1.0F)
      << "of a deviation too small for a float";
}

TEST(Standardizer, ShiftsAndDividesInFloat32) {
  const Standardizer by{{1.0F, -0.1F}, {3.0F, 0.7F}};
  std::vector<float> rows{2.0F, 0.3F, -5.0F, -0.1F};
  by.apply(rows);
  EXPECT_EQ(rows, (std::vector<float>{1.0F / 3.0F, (0.3F - -0.1F) / 0.7F, -6.0F / 3.0F, 0.0F}));
}

}  // namespace
}  // namespace millrace
