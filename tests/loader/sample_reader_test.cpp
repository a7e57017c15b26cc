#include "loader/sample_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "formats/convert.h"
#include "loader/gather.h"
#include "tests/support/fake_dataset.h"

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

TEST(SampleReader, ReadsPaddedRows) {
  for (const DType type : {DType::kUInt8, DType::kInt16, DType::kFloat32}) {
    for (const std::uint64_t elements : {3U, 130U, 785U}) {
      const FakeDataset data(10, elements, type);
      const auto view = data.contiguous();
      const std::size_t bytes = data.sample_bytes();
      std::vector<std::byte> padded(10 * padded_row(bytes));
      for (std::size_t i = 0; i < 10; ++i) {
        std::ranges::copy(view.samples.subspan(i * bytes, bytes), &padded[i * padded_row(bytes)]);
      }
      const auto input = type == DType::kUInt8 ? InputType::kUInt8 : InputType::kFloat32;
      const Read expected = read(std::make_shared<FakeDataset>(10, elements, type), input);
      SampleReader reader(std::make_shared<FakeDataset>(10, elements, type), input);
      // Samples 3 and 9 alone are among those that `read` asks for.
      for (const auto& [place, id] : {std::pair{0U, 3U}, std::pair{2U, 9U}}) {
        std::vector<std::byte> sample(reader.sample_bytes());
        std::vector<std::int32_t> label(1);
        reader.read_padded(
            {std::span(padded).subspan(id * padded_row(bytes)), view.labels.subspan(id, 1)}, sample,
            label);
        EXPECT_TRUE(std::ranges::equal(
            sample, std::span(expected.samples).subspan(place * sample.size(), sample.size())))
            << name_of(type) << ", " << elements;
        EXPECT_EQ(label[0], static_cast<std::int32_t>(id));
      }
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
