#include "loader/sample_reader.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "loader/convert.h"
#include "tests/loader/fake_dataset.h"

namespace millrace {
namespace {

using testing::FakeDataset;

// Samples 3, 0, 9, 9 of a set of `type`, however it is reached.
struct Read {
  std::vector<std::byte> samples;
  std::vector<std::int32_t> labels;
};

const std::vector<std::uint64_t> kIds{3, 0, 9, 9};

Read read(const std::shared_ptr<const Dataset>& data, InputType type) {
  SampleReader reader(data, type);
  Read result;
  result.samples.resize(kIds.size() * reader.sample_bytes());
  result.labels.resize(kIds.size());
  reader.read(kIds, result.samples, result.labels);
  return result;
}

TEST(SampleReader, GivesTheSameInPlaceAndThroughRead) {
  for (const DType type : {DType::kUInt8, DType::kInt8, DType::kInt16, DType::kInt32, DType::kInt64,
                           DType::kFloat32, DType::kFloat64, DType::kUInt16}) {
    for (const InputType input : {InputType::kUInt8, InputType::kFloat32}) {
      if (input == InputType::kUInt8 && type != DType::kUInt8) continue;
      constexpr std::uint64_t kElements = 37;
      const auto placed = std::make_shared<FakeDataset>(10, kElements, type);
      const auto hidden =
          std::make_shared<FakeDataset>(10, kElements, type, FakeDataset::Access::kReadOnly);
      const Read a = read(placed, input);
      const Read b = read(hidden, input);
      EXPECT_EQ(placed->reads(), 0U);
      EXPECT_EQ(hidden->reads(), 1U);
      EXPECT_EQ(a.samples, b.samples) << name_of(type);
      EXPECT_EQ(a.labels, (std::vector<std::int32_t>{3, 0, 9, 9}));
      EXPECT_EQ(b.labels, a.labels);

      const auto stored =
          placed->contiguous().samples.subspan(3 * placed->sample_bytes(), placed->sample_bytes());
      std::vector<std::byte> expected(stored.begin(), stored.end());
      if (input == InputType::kFloat32) {
        std::vector<float> floats(kElements);
        to_float32(type, stored, floats);
        expected.resize(kElements * sizeof(float));
        std::memcpy(expected.data(), floats.data(), expected.size());
      }
      EXPECT_EQ(
          std::vector<std::byte>(a.samples.begin(),
                                 a.samples.begin() + static_cast<std::ptrdiff_t>(expected.size())),
          expected);
    }
  }
}

TEST(SampleReader, RefusesWhatDoesNotFitIntoBytes) {
  const auto data = std::make_shared<FakeDataset>(10, 3, DType::kInt16);
  EXPECT_THROW(SampleReader(data, InputType::kUInt8), std::invalid_argument);
}

TEST(SampleReader, PassesOnWhatTheDataSetThrowsAndGoesOn) {
  const auto data =
      std::make_shared<FakeDataset>(10, 3, DType::kInt16, FakeDataset::Access::kReadOnly);
  data->fail_at(0);
  EXPECT_THROW(read(data, InputType::kFloat32), DataError);
  SampleReader reader(data, InputType::kFloat32);
  std::vector<std::byte> samples(3 * sizeof(float));
  std::vector<std::int32_t> labels(1);
  const std::vector<std::uint64_t> broken{0};
  const std::vector<std::uint64_t> good{4};
  EXPECT_THROW(reader.read(broken, samples, labels), DataError);
  reader.read(good, samples, labels);
  EXPECT_EQ(labels[0], 4);
}

}  // namespace
}  // namespace millrace
